import { stringify } from 'yaml'
import { printable } from '../policies/index.ts'
import type { Conversion, Converted, NativeObject } from './types.ts'

const WIDTH = 100

const HEAD = [
  'Converted by tagwarden convert. Comments say what is not the same as before.',
  'Tagwarden also judges: what is applied with a tag that a policy does not permit is denied. To be warned only at first, add enforcement: Warn to each spec. It never moves a workload to a lower version, unless a policy says allowDowngrade: true.',
]

/** All of a conversion as one text of YAML; empty if nothing came of it. */
export function conversionText({ objects, leftOut }: Omit<Conversion, 'problems'>): string {
  if (objects.length === 0 && leftOut.length === 0) return ''
  const lost = leftOut.map(({ title, reason }) => `Left out: ${title}: ${reason}`)
  const head = [...HEAD, ...lost].map(comment).join('')
  return `${head}${objects.map((each) => `---\n${objectText(each)}`).join('')}`
}

/** One object with its comments. */
export function objectText({ object, sources, notes }: Converted): string {
  const from = `From ${sources.map(({ title }) => title).join(', ')}`
  const comments = [from, ...notes.map((note) => `- ${note}`)].map(comment).join('')
  return comments + stringify(object, { lineWidth: 0, indentSeq: true })
}

/** `shop-web.imagepolicy.yaml` */
export function fileName({ kind, metadata: { namespace, name } }: NativeObject): string {
  return `${namespace === undefined ? '' : `${namespace}-`}${name}.${kind.toLowerCase()}.yaml`
}

/** A text as comment lines; whatever is in it, none of it becomes YAML. */
function comment(text: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + word.length + 3 > WIDTH) {
      lines.push(line)
      line = text.startsWith('- ') ? `  ${word}` : word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line].map((each) => `# ${each}\n`).join('')
}
