import { headlineOf } from './headline.ts'
import { worstFirst } from './levels.ts'
import { cropped, plain } from './plain.ts'
import type { Report, ReportChange, ReportFinding } from './types.ts'
import {
  countOf,
  placeInObject,
  placeOf,
  positionOf,
  problemLine,
  subjectTitle,
  summaryOf,
} from './words.ts'

/** What GitHub takes as the body of a comment; GitLab takes more. */
const LONGEST = 65_536
/** Left for what ends the comment. */
const RESERVE = 400
/** A longer table is folded up. */
const MAX_OPEN_ROWS = 10
const LONGEST_CELL = 600
const MAX_NOTES = 5
const WORDS = { deny: '⛔ deny', warn: '⚠️ warn', audit: 'ℹ️ audit' } as const

const MARKS = { deny: '⛔', warn: '⚠️', fine: '✅' } as const

/**
 * GitHub Flavored Markdown for a comment on a pull request. The first line is a comment that is not
 * shown, by which the last report can be found and replaced.
 */
export function formatMarkdown(report: Report): string {
  const { findings, changes, problems, difference } = report
  const headline = headlineOf(report)
  const out = [
    `<!-- tagwarden-report: ${report.door} -->`,
    `### Tagwarden: ${MARKS[headline.level]} ${headline.words}`,
    '',
    `${escapeMarkdown(summaryOf(report))}.`,
    '',
    ...(report.notes ?? []).slice(0, MAX_NOTES).flatMap((note) => [escapeMarkdown(note), '']),
  ]
  let room = LONGEST - RESERVE - out.join('\n').length
  const sections = [
    section('Findings', FINDING_HEAD, worstFirst(findings).map(findingRow), 'finding'),
    section('Not looked at', PROBLEM_HEAD, problems.map(problemRow), 'problem'),
    section('Would be no more', FINDING_HEAD, (difference?.gone ?? []).map(findingRow), 'finding'),
    section('Would change', CHANGE_HEAD, changes.map(changeRow), 'change'),
  ]
  for (const { rows, write } of sections) {
    if (rows === 0) continue
    const text = write(room)
    room -= text.length + 1
    out.push(text)
  }
  return `${out.join('\n').trimEnd()}\n`
}

const FINDING_HEAD = ['', 'Where', 'Image', 'Why', 'Use']
const PROBLEM_HEAD = ['What']
const CHANGE_HEAD = ['Where', 'Image', 'Becomes', 'Policy']

interface Section {
  readonly rows: number
  /** in at most so many characters; rows that do not fit are counted */
  write(room: number): string
}

function section(
  title: string,
  head: readonly string[],
  rows: readonly string[],
  noun: string,
): Section {
  const write = (room: number): string => {
    const folded = rows.length > MAX_OPEN_ROWS
    const before = folded
      ? `<details><summary>${title}: ${countOf(rows.length, noun)}</summary>\n`
      : `#### ${title}\n`
    const table = [`| ${head.join(' | ')} |`, `|${head.map(() => ' --- |').join('')}`]
    const after = folded ? '\n</details>\n' : ''
    let left = room - before.length - table.join('\n').length - after.length - 100
    let shown = 0
    for (const row of rows) {
      left -= row.length + 1
      if (left < 0) break
      table.push(row)
      shown += 1
    }
    const rest = rows.length - shown
    const more =
      rest > 0 ? `\nand ${countOf(rest, `more ${noun}`)}, for which there is no room here\n` : ''
    const parts = [before, shown > 0 ? table.join('\n') : '', more, after]
    // what stands right below a table may be taken for a row of it
    return parts.filter(Boolean).join('\n') + (folded ? '' : '\n')
  }
  return { rows: rows.length, write }
}

function findingRow(finding: ReportFinding): string {
  const { level, reason, image, message, use } = finding
  return row([
    WORDS[level],
    whereOf(finding),
    code(image),
    `**${reason}** ${escapeMarkdown(message)}`,
    use === undefined ? '' : code(use),
  ])
}

function changeRow(change: ReportChange): string {
  return row([whereOf(change), code(change.from), code(change.to), escapeMarkdown(change.policy)])
}

function problemRow(problem: Report['problems'][number]): string {
  return row([escapeMarkdown(problemLine(problem))])
}

/** File with line, object and container. */
function whereOf(of: ReportFinding | ReportChange): string {
  const { location, subject } = of
  const { field, name } = placeInObject(of)
  const object = subjectTitle(subject)
  const container = name === undefined ? field : `${field} ${name}`
  const file = location === undefined ? [] : [code(`${placeOf(of)}:${positionOf(location)}`)]
  return [...file, escapeMarkdown(object), escapeMarkdown(container)].join('<br>')
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function code(text: string): string {
  return `<code>${entities(plain(text, LONGEST_CELL))}</code>`
}

/**
 * Text that is shown as it is: no markup, no link, no mention. An entity keeps Markdown from seeing
 * a mark; the empty comment keeps GitHub from finding names and numbers in what is shown.
 */
export function escapeMarkdown(text: string): string {
  return entities(plain(cropped(text, LONGEST_CELL)))
    .replace(/&#(?:64|35);/g, '$&<!-- -->')
    .replace(/\bgh(?=-)/gi, '$&<!-- -->')
}

function entities(text: string): string {
  return text
    .replace(/[^\w\s.,/()=;?!+\u0080-\uffff-]/g, (mark) => `&#${mark.charCodeAt(0)};`)
    .replaceAll('_', '&#95;')
    .replace(/(?<=www)\./gi, '&#46;')
}
