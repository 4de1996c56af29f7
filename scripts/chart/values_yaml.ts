import { stringify } from 'yaml'
import type { Value } from './value.ts'

const WIDTH = 98

/** values.yaml: every value with its default, and what it is for above it. */
export function valuesYaml(values: Value, header: string): string {
  return `# ${header}\n# Each value is described in docs/chart.md too.\n\n${fields(values, 0)}`
}

function fields({ properties = {} }: Value, depth: number): string {
  const shown = Object.entries(properties).filter(([, { hidden }]) => !hidden)
  const parts = shown.map(([name, value]) => {
    const comment = wrap(remark(value), WIDTH - depth * 2)
      .map((line) => `# ${line}\n`)
      .join('')
    const own = isGroup(value)
      ? `${name}:\n${fields(value, 1)}`
      : stringify({ [name]: value.default }, { lineWidth: WIDTH })
    return comment + own
  })
  return parts.join(depth === 0 ? '\n' : '').replace(/^(?=.)/gm, depth === 0 ? '' : '  ')
}

/** One with values of its own, rather than with one default for all of it. */
export function isGroup(value: Value): boolean {
  return value.properties !== undefined && value.default === undefined
}

/** What is said of a value: its description, and what it may be. */
export function remark({ description = '', enum: choices }: Value): string {
  const names = choices?.filter((choice) => choice !== '')
  const all = names?.map((choice) => `\`${String(choice)}\``).join(', ')
  const told = names?.every((choice) => description.includes(`\`${String(choice)}\``))
  return all === undefined || told ? description : `${description}: ${all}`
}

function wrap(text: string, width: number): string[] {
  // Links lead nowhere from a comment.
  const plain = text.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll('`', '')
  const lines: string[] = []
  for (const word of plain.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < width)
      lines[lines.length - 1] += ` ${word}`
    else lines.push(word)
  }
  return lines
}
