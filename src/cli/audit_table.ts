import { displayImage } from '../images/index.ts'
import {
  type Level,
  type Report,
  type ReportFinding,
  summaryOf,
  worstFirst,
} from '../reports/index.ts'
import { isColourful } from './output.ts'

const COLOUR: Readonly<Record<Level, string>> = { deny: '1;31', warn: '33', audit: '36' }
const HEAD = ['LEVEL', 'NAMESPACE', 'WORKLOAD', 'IMAGE', 'REASON', 'USE']
const MOST_ROWS = 500
const MOST_PROBLEMS = 3
/** Home, and clear what is there. */
const REDRAW = '\u001b[H\u001b[2J'

/** A terminal that is drawn on. */
export interface Screen {
  readonly width: number
  readonly height: number
  readonly colour: boolean
}

export function screenOf(stream: NodeJS.WriteStream): Screen {
  const { columns, rows } = stream
  return { width: columns || 120, height: rows || 40, colour: isColourful(stream) }
}

/** The findings as a screen, the worst first, and what was not looked at, cut to the terminal. */
export function auditTable(report: Report, { colour, width, height }: Screen): string {
  const at = new Date(report.finishedAt).toISOString().slice(11, 19)
  const summary = `${at}  ${summaryOf(report)}`
  const all = worstFirst(report.findings)
  const problems = problemLines(report, width)
  const room = Math.max(1, Math.min(MOST_ROWS, height - 4 - problems.length))
  const shown = all.slice(0, room)
  const rows = shown.map(cells)
  const widths = HEAD.map((head, index) =>
    rows.reduce((most, row) => Math.max(most, row[index]?.length ?? 0), head.length),
  )
  const draw = (row: readonly string[]) =>
    row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  ')
  const lines = [summary, draw(HEAD).slice(0, width)]
  for (const [index, row] of rows.entries()) {
    const line = draw(row).slice(0, width)
    const level = shown[index]?.level ?? 'audit'
    lines.push(colour ? `\u001b[${COLOUR[level]}m${line}\u001b[0m` : line)
  }
  if (all.length > shown.length) lines.push(`and ${all.length - shown.length} more`)
  if (all.length === 0 && problems.length === 0) lines.push('Nothing is wrong.')
  lines.push(...problems)
  return `${REDRAW}${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

function problemLines({ problems }: Report, width: number): string[] {
  const shown = problems.slice(0, MOST_PROBLEMS).map((each) => {
    return `Not looked at: ${plainText(each.place)}: ${plainText(each.message)}`.slice(0, width)
  })
  const more = problems.length - shown.length
  return more > 0 ? [...shown, `and ${more} more`] : shown
}

/** A line for each finding that is new, or gone. */
export function changedLines(before: Report | undefined, after: Report): string[] {
  const was = new Map((before?.findings ?? []).map((each) => [keyOf(each), each]))
  const is = new Map(after.findings.map((each) => [keyOf(each), each]))
  const fresh = [...is].filter(([key]) => !was.has(key)).map(([, each]) => `+ ${lineOf(each)}`)
  const gone = [...was].filter(([key]) => !is.has(key)).map(([, each]) => `- ${lineOf(each)}`)
  return [...gone, ...fresh]
}

function keyOf({ fingerprint, level, image }: ReportFinding): string {
  return `${fingerprint} ${level} ${image}`
}

function lineOf(finding: ReportFinding): string {
  return cells(finding).join('  ').trimEnd()
}

function cells({ level, subject, container, image, reason, use }: ReportFinding): string[] {
  const { kind, namespace = '', name } = subject
  const where = container === undefined ? '' : ` ${plainText(container)}`
  const workload = `${plainText(kind)} ${plainText(name)}${where}`
  return [
    level,
    plainText(namespace),
    workload,
    displayImage(image),
    reason,
    use === undefined ? '' : displayImage(use),
  ]
}

/** As the terminal may have it: names of a cluster are plain, those of custom kinds need not be. */
function plainText(text: string): string {
  return text.slice(0, 253).replace(/[^\x20-\x7e]/g, '?')
}
