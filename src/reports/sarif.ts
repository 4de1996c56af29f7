import { ERROR_TABLE } from '../errors.ts'
import { worstFirst } from './levels.ts'
import { located } from './located.ts'
import { isoTime } from './moment.ts'
import type { FormatOptions } from './options.ts'
import { cropped } from './plain.ts'
import { FINDING_CODES } from './reason_help.ts'
import { sarifRules } from './sarif_rules.ts'
import type { Level, Location, Report, ReportFinding, ReportProblem } from './types.ts'
import { countOf, lineOf, problemFile, subjectTitle } from './words.ts'

/** GitHub refuses a run with more results. */
const MAX_RESULTS = 25_000
/** GitHub refuses more than 10 MB when compressed, which makes a tenth of such a text. */
const MAX_LENGTH = 48 * 1024 * 1024
const MAX_NOTIFICATIONS = 1000
const LONGEST_MESSAGE = 2000
/** Where the results go, which have been written one by one to measure them. */
const MARK = 'results'
const ROOT = '%SRCROOT%'
const LEVELS: Readonly<Record<Level, string>> = { deny: 'error', warn: 'warning', audit: 'note' }
const RULE_INDEX = new Map<string, number>(FINDING_CODES.map((code, index) => [code, index]))
const ERROR_CODES = Object.keys(ERROR_TABLE)
const TRUNCATED = 'ResultsLeftOut'
const INTERRUPTED = 'Interrupted'
const NOTE = 'Note'

/**
 * SARIF 2.1.0 (OASIS), within the limits of GitHub code scanning. What was accepted is left out:
 * GitHub would open an alert for each, suppressed or not.
 */
export function formatSarif(given: Report, options: FormatOptions): string {
  const report = located(given, options.folder)
  const results = resultTexts(report)
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: driver(report) },
        invocations: [invocation(report, options, report.findings.length - results.length)],
        originalUriBaseIds: {
          [ROOT]: { description: { text: rootText(options) } },
        },
        columnKind: 'utf16CodeUnits',
        results: MARK,
      },
    ],
  }
  const text = JSON.stringify(log, null, 1)
  const mark = JSON.stringify(MARK)
  const at = text.lastIndexOf(mark)
  const list = results.length === 0 ? '[]' : `[\n${results.join(',\n')}\n]`
  return `${text.slice(0, at)}${list}${text.slice(at + mark.length)}\n`
}

function rootText({ folder }: FormatOptions): string {
  return folder === undefined ? 'The folder that Tagwarden was started in' : 'The repository'
}

/** As many as may be, the worst first, each as JSON on a line. */
function resultTexts({ findings }: Report): string[] {
  const texts: string[] = []
  let room = MAX_LENGTH
  for (const finding of worstFirst(findings)) {
    const text = JSON.stringify(resultOf(finding))
    room -= text.length
    if (room <= 0 || texts.length >= MAX_RESULTS) break
    texts.push(text)
  }
  return texts
}

function resultOf(finding: ReportFinding) {
  const { reason, level, location, subject, pointer, image, use, fingerprint } = finding
  const title = subjectTitle(subject)
  const name = `${subject.namespace ?? ''}/${subject.kind}/${subject.name}${pointer}`.toWellFormed()
  return {
    ruleId: reason,
    ruleIndex: RULE_INDEX.get(reason),
    level: LEVELS[level],
    message: { text: cropped(`${title} ${lineOf(finding)}`, LONGEST_MESSAGE) },
    locations: [
      {
        ...(location && { physicalLocation: physical(location) }),
        logicalLocations: [
          { name: title, fullyQualifiedName: cropped(name, LONGEST_MESSAGE), kind: 'resource' },
        ],
      },
    ],
    partialFingerprints: { 'tagwarden/v1': fingerprint.toWellFormed() },
    ...(location && use !== undefined && coversImage(location, image)
      ? { fixes: [fixOf(location, use)] }
      : {}),
  }
}

/** Only what is exactly the image may be replaced by another one. */
function coversImage({ line, column, endLine, endColumn }: Location, image: string): boolean {
  return line === endLine && endColumn - column === image.length
}

function fixOf(location: Location, use: string) {
  return {
    description: { text: cropped(`Write ${use}`, LONGEST_MESSAGE).toWellFormed() },
    artifactChanges: [
      {
        artifactLocation: artifact(location.file),
        replacements: [
          { deletedRegion: regionOf(location), insertedContent: { text: use.toWellFormed() } },
        ],
      },
    ],
  }
}

function physical(location: Location) {
  return { artifactLocation: artifact(location.file), region: regionOf(location) }
}

function regionOf({ line, column, endLine, endColumn }: Location) {
  return { startLine: line, startColumn: column, endLine, endColumn }
}

function artifact(file: string) {
  const uri = file.toWellFormed().split('/').map(encodeURIComponent).join('/')
  return file.startsWith('/') ? { uri: `file://${uri}` } : { uri, uriBaseId: ROOT }
}

function driver({ version }: Report) {
  return {
    name: 'Tagwarden',
    version: version.toWellFormed(),
    ...(/^\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/.test(version) ? { semanticVersion: version } : {}),
    rules: sarifRules(),
    notifications: [
      ...Object.entries(ERROR_TABLE).map(([id, [, , meaning]]) => ({
        id,
        shortDescription: { text: `${meaning}.` },
      })),
      { id: TRUNCATED, shortDescription: { text: 'There are more findings than can be told.' } },
      { id: INTERRUPTED, shortDescription: { text: 'Tagwarden was stopped before its end.' } },
      { id: NOTE, shortDescription: { text: 'What the figures do not say.' } },
    ],
  }
}

function invocation(report: Report, { exitCode }: FormatOptions, leftOut: number) {
  const { startedAt, finishedAt, interrupted, problems } = report
  const rest = problems.length - MAX_NOTIFICATIONS
  return {
    executionSuccessful: !interrupted && problems.length === 0,
    ...(exitCode === undefined ? {} : { exitCode }),
    startTimeUtc: isoTime(startedAt),
    endTimeUtc: isoTime(finishedAt),
    toolExecutionNotifications: [
      ...problems.slice(0, MAX_NOTIFICATIONS).map((each) => problemNotification(each, report.door)),
      ...(rest > 0 ? [notification(TRUNCATED, 'error', `and ${rest} more problems`)] : []),
      ...(leftOut > 0 ? [notification(TRUNCATED, 'warning', leftOutText(leftOut))] : []),
      ...(report.notes ?? []).map((text) => notification(NOTE, 'note', text)),
      ...(interrupted
        ? [notification(INTERRUPTED, 'error', 'Tagwarden was stopped before its end.')]
        : []),
    ],
  }
}

function leftOutText(count: number): string {
  return `${countOf(count, 'finding')} left out: a run may hold ${MAX_RESULTS.toLocaleString('en')} results. The worst are here; the other forms of the report hold them all.`
}

function problemNotification(problem: ReportProblem, door: Report['door']) {
  const { code, place, line, column, message } = problem
  const file = problemFile(problem, door)
  const region =
    line === undefined
      ? {}
      : { region: { startLine: line, ...(column && { startColumn: column }) } }
  return {
    ...notification(code, 'error', `${place}: ${message}`),
    ...(file === undefined
      ? {}
      : { locations: [{ physicalLocation: { artifactLocation: artifact(file), ...region } }] }),
  }
}

function notification(id: string, level: 'error' | 'warning' | 'note', text: string) {
  const position = [...ERROR_CODES, TRUNCATED, INTERRUPTED, NOTE].indexOf(id)
  return {
    descriptor: { id, ...(position < 0 ? {} : { index: position }) },
    level,
    message: { text: cropped(text, LONGEST_MESSAGE).toWellFormed() },
  }
}
