import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

/** A fenced block of a page. */
export interface Block {
  /** `docs/cli.md:12`, the line of the fence */
  readonly place: string
  readonly language: string
  /** without the indentation of the fence; ends with a line feed */
  readonly text: string
  /** `<!-- wrong -->` stands before it */
  readonly wrong: boolean
  /** the block after it, if nothing stands between the two */
  readonly next: Block | undefined
}

/** A page in Markdown. */
export interface Page {
  /** from the top of the repository */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
  /** what can stand after # in a link */
  readonly anchors: ReadonlySet<string>
  /** targets of links, as written */
  readonly links: readonly string[]
}

/** Every page, or the one at a path. */
export function readPages(): Page[] {
  const top = readdirSync(ROOT).filter((name) => name.endsWith('.md'))
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))
  return [...top, ...docs.map((name) => `docs/${name}`)].map(readPage)
}

export function readPage(path: string): Page {
  return parsePage(path, readFileSync(join(ROOT, path), 'utf8'))
}

/** Takes a page apart. */
export function parsePage(path: string, text: string): Page {
  const lines = text.split('\n')
  const found: (Omit<Block, 'next'> & { from: number; to: number })[] = []
  const prose: string[] = []
  for (let at = 0; at < lines.length; at += 1) {
    const fence = /^( *)```(\S*)$/.exec(lines[at] ?? '')
    if (!fence) {
      prose.push(lines[at] ?? '')
      continue
    }
    const [, indent = '', language = ''] = fence
    const end = lines.indexOf(`${indent}\`\`\``, at + 1)
    if (end < 0) throw new Error(`${path}:${at + 1}: the block has no end`)
    const inside = lines.slice(at + 1, end).map((line) => line.slice(indent.length))
    found.push({
      place: `${path}:${at + 1}`,
      language,
      text: `${inside.join('\n')}\n`,
      wrong: lines[at - 1]?.trim() === '<!-- wrong -->',
      from: at,
      to: end,
    })
    at = end
  }
  const blocks: Block[] = []
  for (const { from: _, to, ...block } of found.toReversed()) {
    const after = found.find(({ from }) => from > to)
    const between = lines
      .slice(to + 1, after?.from)
      .join('')
      .trim()
    blocks.unshift({ ...block, next: after && between === '' ? blocks[0] : undefined })
  }
  return { path, text, blocks, anchors: anchorsOf(prose), links: linksOf(prose.join('\n')) }
}

/** Headings as GitHub names them in links. */
function anchorsOf(prose: readonly string[]): Set<string> {
  const anchors = new Set<string>()
  for (const line of prose) {
    const heading = /^#{1,6} (.*)$/.exec(line)?.[1]
    if (heading === undefined) continue
    const slug = heading
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

function linksOf(prose: string): string[] {
  const plain = prose.replace(/`[^`\n]*`/g, 'code')
  return [...plain.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target)
}

/** The rows of every table that begin with a code cell, as cells. */
export function tableRows(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    )
}

/** The text between a heading and the next one of its level. */
export function section(page: Page, heading: string): string {
  const level = /^#+/.exec(heading)?.[0] ?? '#'
  const start = page.text.indexOf(`\n${heading}\n`)
  if (start < 0) throw new Error(`${page.path} has no "${heading}"`)
  const rest = page.text.slice(start + heading.length + 2)
  const end = rest.search(new RegExp(`^#{1,${level.length}} `, 'm'))
  return end < 0 ? rest : rest.slice(0, end)
}
