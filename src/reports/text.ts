import type { FormatOptions } from './options.ts'
import { plain } from './plain.ts'
import type { Report, ReportChange, ReportFinding } from './types.ts'
import {
  changeLine,
  lineOf,
  placeOf,
  positionOf,
  problemLine,
  subjectTitle,
  summaryOf,
} from './words.ts'

/** SGR codes: what a word stands out with. */
const COLOURS = { deny: '1;31', warn: '33', audit: '36', move: '32', error: '1;31', bold: '1' }
/** Narrower than this, a line is better broken by the terminal than by us. */
const NARROWEST = 40
const WIDEST_SUBJECT = 40

interface Row {
  readonly position: string
  readonly word: 'deny' | 'warn' | 'audit' | 'move'
  /** empty where the group's title is the object */
  readonly subject: string
  readonly line: string
}

type Paint = (word: string, colour: keyof typeof COLOURS) => string

/** For people at a terminal: by file or object, a line a finding, the summary last. */
export function formatText(report: Report, options: FormatOptions): string {
  const paint: Paint = (text, colour) =>
    options.colour ? `\u001b[${COLOURS[colour]}m${text}\u001b[0m` : text
  const groups = groupsOf(report)
  const lines: string[] = []
  for (const [place, rows] of groups) {
    lines.push(paint(place, 'bold'), ...rowLines(rows, paint, options.width), '')
  }
  if (report.problems.length > 0) {
    lines.push(paint('Not looked at', 'bold'))
    for (const problem of report.problems) {
      lines.push(...hung(`  ${paint('error', 'error')}  `, 9, problemLine(problem), options.width))
    }
    lines.push('')
  }
  if (report.difference && report.difference.gone.length > 0) {
    lines.push(paint('Would be no more', 'bold'))
    for (const finding of report.difference.gone) {
      const line = `${placeOf(finding)}: ${lineOf(finding)}`
      lines.push(...hung(`  ${paint('gone', 'move')}  `, 8, line, options.width))
    }
    lines.push('')
  }
  for (const note of report.notes ?? []) lines.push(plain(note))
  const { denied, warned } = report.totals
  const worst = denied > 0 ? 'deny' : warned > 0 ? 'warn' : 'move'
  lines.push(paint(summaryOf(report), worst))
  return `${lines.join('\n')}\n`
}

function groupsOf({ findings, changes }: Report): Map<string, Row[]> {
  const groups = new Map<string, Row[]>()
  const add = (of: ReportFinding | ReportChange, word: Row['word'], line: string): void => {
    const place = placeOf(of)
    const subject = of.location === undefined ? '' : subjectTitle(of.subject)
    const row = { position: positionOf(of.location), word, subject, line }
    const rows = groups.get(place)
    if (rows) rows.push(row)
    else groups.set(place, [row])
  }
  for (const finding of findings) add(finding, finding.level, lineOf(finding))
  for (const change of changes) add(change, 'move', changeLine(change))
  return groups
}

function rowLines(rows: readonly Row[], paint: Paint, width: number | undefined): string[] {
  const widest = (text: (row: Row) => string): number =>
    rows.reduce((most, row) => Math.max(most, text(row).length), 0)
  const positions = widest(({ position }) => position)
  const words = widest(({ word }) => word)
  const subjects = Math.min(
    WIDEST_SUBJECT,
    widest(({ subject }) => subject),
  )
  return rows.flatMap(({ position, word, subject, line }) => {
    const before = positions === 0 ? '  ' : `  ${position.padStart(positions)}  `
    const after = subjects === 0 ? '  ' : `  ${subject.padEnd(subjects)}  `
    const level = `${paint(word, word)}${' '.repeat(words - word.length)}`
    const length = before.length + words + after.length
    return hung(`${before}${level}${after}`, length, line, width)
  })
}

/** The text behind its head, broken at blanks to the width, with what follows hanging below it. */
function hung(head: string, length: number, text: string, width: number | undefined): string[] {
  if (width === undefined || width - length < NARROWEST) return [head + text]
  const room = width - length
  const lines: string[] = []
  let rest = text
  while (rest.length > room) {
    const blank = rest.lastIndexOf(' ', room)
    const end = blank > 0 ? blank : rest.indexOf(' ', room)
    if (end < 0) break
    lines.push(rest.slice(0, end))
    rest = rest.slice(end + 1)
  }
  lines.push(rest)
  return lines.map((line, index) => (index === 0 ? head : ' '.repeat(length)) + line)
}
