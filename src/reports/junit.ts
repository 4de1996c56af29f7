import { type Level, worstLevel } from './levels.ts'
import { isoTime } from './moment.ts'
import { cropped, plain } from './plain.ts'
import type { Report, ReportChange, ReportFinding, ReportProblem } from './types.ts'
import {
  changeLine,
  lineOf,
  placeInObject,
  placeOf,
  positionOf,
  problemFile,
  problemLine,
  subjectTitle,
  summaryOf,
} from './words.ts'

const LONGEST_ATTRIBUTE = 1000
const LONGEST_IMAGE = 400

interface Case {
  readonly name: string
  readonly className: string
  readonly file: string | undefined
  readonly line: number | undefined
  readonly findings: ReportFinding[]
  readonly change: ReportChange | undefined
  readonly problem: ReportProblem | undefined
}

/**
 * JUnit XML: a suite for each file or namespace, a case for each image that there is something to
 * say of. Denied is a failure, a warning is skipped, a note passes; what could not be looked at is
 * an error.
 */
export function formatJunit(report: Report): string {
  const seconds = Math.max(0, report.finishedAt - report.startedAt) / 1000
  const suites = [...suitesOf(report)]
  const texts = suites.map(([name, cases]) => suiteXml(name, [...cases.values()], report))
  const all = suites.flatMap(([, cases]) => [...cases.values()])
  const title = `tagwarden ${report.door}`
  const rest = `<testcase${attributes({ name: 'every other image is permitted', classname: title, time: 0 })}/>`
  const last = [
    `<testsuite${attributes({ name: title, ...countsOf([]), tests: 1, timestamp: stamp(report), time: seconds.toFixed(3) })}>`,
    ` ${rest}`,
    ` <system-out>${escapeXml([...(report.notes ?? []), summaryOf(report)].join('\n'))}</system-out>`,
    '</testsuite>',
  ]
  const counts = countsOf(all)
  const total = { ...counts, tests: counts.tests + 1 }
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: title, ...total, time: seconds.toFixed(3) })}>`,
    ...texts,
    ...last,
    '</testsuites>',
    '',
  ].join('\n')
}

type Suites = Map<string, Map<string, Case>>

function suitesOf({ door, findings, changes, problems }: Report): Suites {
  const suites: Suites = new Map()
  const place = (suite: string, key: string, make: () => Case): Case => {
    const cases = suites.get(suite) ?? new Map<string, Case>()
    suites.set(suite, cases)
    const known = cases.get(key) ?? make()
    cases.set(key, known)
    return known
  }
  const caseFor = (of: ReportFinding | ReportChange, change?: ReportChange): Case => {
    const { subject, pointer, location } = of
    const title = subjectTitle(subject)
    const { field, name } = placeInObject(of)
    const suite = location === undefined ? (subject.namespace ?? 'no namespace') : placeOf(of)
    const image = 'image' in of ? of.image : of.from
    // GitLab takes cases of the same class and name for one, and overlays have the same objects
    const where = location === undefined ? '' : ` in ${placeOf(of)}`
    return place(suite, JSON.stringify([title, pointer, positionOf(location)]), () => ({
      name: `${field}${name === undefined ? '' : ` ${name}`}: ${cropped(image, LONGEST_IMAGE)}${where}`,
      className: title,
      file: location && placeOf(of),
      line: location?.line,
      findings: [],
      change,
      problem: undefined,
    }))
  }
  for (const finding of findings) caseFor(finding).findings.push(finding)
  for (const change of changes) caseFor(change, change)
  for (const problem of problems) {
    const key = JSON.stringify(['problem', problem.line, problem.column, problem.message])
    place(problem.place, key, () => ({
      name: 'can be looked at',
      className: problem.place,
      file: problemFile(problem, door),
      line: problem.line,
      findings: [],
      change: undefined,
      problem,
    }))
  }
  return suites
}

function suiteXml(name: string, cases: readonly Case[], report: Report): string {
  const head = attributes({ name, ...countsOf(cases), timestamp: stamp(report), time: 0 })
  return [`<testsuite${head}>`, ...cases.map(caseXml), '</testsuite>'].join('\n')
}

function caseXml(each: Case): string {
  const { name, className, file, line, findings, change, problem } = each
  const head = ` <testcase${attributes({ name, classname: className, file, line, time: 0 })}`
  const body: string[] = []
  const verdict = verdictOf(each)
  const worst = findings.filter(({ level }) => level === verdict)
  const rest = findings.filter(({ level }) => level !== verdict)
  if (problem) {
    const type = { message: problem.message, type: problem.code }
    body.push(`<error${attributes(type)}>${escapeXml(problemLine(problem))}</error>`)
  }
  const [first] = worst
  if (first && verdict !== 'audit') {
    const type = { message: `[${first.reason}] ${first.message}`, type: first.reason }
    body.push(
      verdict === 'deny'
        ? `<failure${attributes(type)}>${linesXml(worst)}</failure>`
        : `<skipped${attributes({ message: type.message })}/>`,
    )
  }
  const said = verdict === 'deny' ? rest : findings
  const notes = [...said.map(lineOf), ...(change ? [changeLine(change)] : [])]
  if (notes.length > 0) body.push(`<system-out>${escapeXml(notes.join('\n'))}</system-out>`)
  if (body.length === 0) return `${head}/>`
  return [`${head}>`, ...body.map((each) => `  ${each}`), ' </testcase>'].join('\n')
}

function linesXml(findings: readonly ReportFinding[]): string {
  return escapeXml(findings.map(lineOf).join('\n'))
}

function verdictOf({ findings }: Case): Level | undefined {
  return worstLevel(findings.map(({ level }) => level))
}

function countsOf(cases: readonly Case[]) {
  const count = (verdict: string) => cases.filter((each) => verdictOf(each) === verdict).length
  return {
    tests: cases.length,
    failures: count('deny'),
    errors: cases.filter(({ problem }) => problem).length,
    skipped: count('warn'),
  }
}

/** ISO 8601 without a zone, as the JUnit schema of Jenkins has it. */
function stamp({ startedAt }: Report): string {
  return isoTime(startedAt).replace(/\.\d+Z$/, '')
}

function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeXml(plain(String(value), LONGEST_ATTRIBUTE))}"`)
    .join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** What stands in an attribute or between tags; of control characters only line feeds are left. */
function escapeXml(text: string): string {
  return cropped(text, 20_000)
    .split('\n')
    .map((line) => plain(line).replace(/[&<>"']/g, (mark) => ENTITIES[mark] ?? ''))
    .join('\n')
}
