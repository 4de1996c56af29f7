import { worstFirst } from './levels.ts'
import { located } from './located.ts'
import type { FormatOptions } from './options.ts'
import { cropped, plain } from './plain.ts'
import type { Level, Report, ReportFinding, ReportProblem } from './types.ts'
import {
  countOf,
  lineOf,
  placeOf,
  positionOf,
  problemFile,
  subjectTitle,
  summaryOf,
} from './words.ts'

/** GitHub shows this many annotations of a kind for a step, and drops the others. */
const MAX_ANNOTATIONS = 10
const LONGEST_MESSAGE = 3000
const COMMANDS: Readonly<Record<Level, string>> = {
  deny: 'error',
  warn: 'warning',
  audit: 'notice',
}

interface Annotation {
  readonly command: string
  readonly properties: Readonly<Record<string, string | number | undefined>>
  readonly message: string
  /** where there is no room for an annotation */
  readonly line: string
}

/** Workflow commands of GitHub Actions: the worst as annotations, the rest as lines in a group. */
export function formatGithub(given: Report, { folder }: FormatOptions = {}): string {
  const report = located(given, folder)
  const annotations = [
    ...report.problems.map((problem) => problemAnnotation(problem, report.door)),
    ...worstFirst(report.findings).map(findingAnnotation),
  ]
  const used = new Map<string, number>()
  const shown: string[] = []
  const others: string[] = []
  for (const annotation of annotations) {
    const count = (used.get(annotation.command) ?? 0) + 1
    used.set(annotation.command, count)
    if (count <= MAX_ANNOTATIONS) shown.push(commandText(annotation))
    else others.push(annotation.line)
  }
  const more =
    others.length === 0
      ? []
      : [`::group::${countOf(others.length, 'more finding')}`, ...others, '::endgroup::']
  const notes = (report.notes ?? []).map((note) => plain(note, LONGEST_MESSAGE))
  return `${[...shown, ...more, ...notes, summaryOf(report)].join('\n')}\n`
}

function findingAnnotation(finding: ReportFinding): Annotation {
  const { level, location, reason, subject } = finding
  const line = `${subjectTitle(subject)} ${lineOf(finding)}`
  const oneLine = location !== undefined && location.line === location.endLine
  const position = positionOf(location)
  return {
    command: COMMANDS[level],
    properties: {
      file: location?.file,
      line: location?.line,
      endLine: location?.endLine,
      col: oneLine ? location.column : undefined,
      endColumn: oneLine ? location.endColumn : undefined,
      title: `Tagwarden: ${reason}`,
    },
    message: line,
    line:
      location === undefined
        ? `${level} ${line}`
        : `${level} ${placeOf(finding)}:${position} ${line}`,
  }
}

function problemAnnotation(problem: ReportProblem, door: Report['door']): Annotation {
  const { code, place, line, column, message } = problem
  return {
    command: 'error',
    properties: {
      file: problemFile(problem, door),
      line,
      col: line === undefined ? undefined : column,
      title: `Tagwarden: ${code}`,
    },
    message: `${place}: ${message}`,
    line: plain(`error ${place}: ${message}`, LONGEST_MESSAGE),
  }
}

function commandText({ command, properties, message }: Annotation): string {
  const pairs = Object.entries(properties).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${escapeProperty(cropped(String(value), 1000))}`],
  )
  return `::${command} ${pairs.join(',')}::${escapeData(cropped(message, LONGEST_MESSAGE))}`
}

/** As the runner undoes it; other characters that break a line are written out. */
function escapeData(text: string): string {
  const lines = text.split(/\r\n|\n|\r/).map((line) => plain(line))
  return lines.map((line) => line.replaceAll('%', '%25')).join('%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
