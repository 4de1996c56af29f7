import { displayImage } from '../images/index.ts'
import { worstFirst } from './levels.ts'
import type { Report, ReportChange, ReportFinding } from './types.ts'
import { placeInObject, subjectTitle } from './words.ts'

/** How a row of the page counts; the order is that of LEVELS in page/entries.ts. */
export const ROW_LEVELS = ['deny', 'warn', 'audit', 'move', 'gone', 'accepted'] as const

/** One row of the page's table, with texts as they came. */
export interface Row {
  readonly level: (typeof ROW_LEVELS)[number]
  /** empty for a change */
  readonly reason: string
  readonly message: string
  readonly subject: string
  /** what the row is counted under: a file or a namespace */
  readonly group: string
  readonly container: string
  readonly image: string
  readonly use: string
  readonly location: ReportFinding['location']
  readonly policy: string
  readonly pointer: string
  readonly fingerprint: string
  readonly funnel: string | undefined
}

/** Whether rows are counted by their files: where there is but one, their namespaces say more. */
export function isByFile({ door, findings, changes, accepted = [] }: Report): boolean {
  if (door !== 'review') return false
  const files = new Set<string>()
  for (const { location } of findings) if (location) files.add(location.file)
  for (const { location } of changes) if (location) files.add(location.file)
  for (const { finding } of accepted) if (finding.location) files.add(finding.location.file)
  return files.size > 1
}

/** All that the page lists, the worst first. */
export function rowsOf(report: Report): Row[] {
  const rows = allRows(report)
  if (isByFile(report)) return rows
  return rows.map((row) => ({ ...row, group: row.namespace }))
}

function allRows(report: Report): (Row & { readonly namespace: string })[] {
  const { findings, changes, difference, accepted = [] } = report
  return [
    ...worstFirst(findings).map((finding) => findingRow(finding, finding.level)),
    ...changes.map(changeRow),
    ...(difference?.gone ?? []).map((finding) => findingRow(finding, 'gone')),
    ...accepted.map(({ finding, justification }) => {
      const row = findingRow(finding, 'accepted')
      return { ...row, message: `${row.message} Accepted: ${justification}` }
    }),
  ]
}

function findingRow(finding: ReportFinding, level: Row['level']) {
  const { reason, message, image, use, policy, fingerprint, funnel } = finding
  return {
    ...placeRow(finding),
    ...{ level, reason, message, image: displayImage(image), fingerprint, funnel },
    use: use ?? '',
    policy: policy ?? 'the configured defaults',
  }
}

function changeRow(change: ReportChange) {
  const { from, to, policy } = change
  const message = 'The image is permitted, and the webhook writes the newest permitted one.'
  return {
    ...placeRow(change),
    ...{ level: 'move' as const, reason: '', message, image: displayImage(from), use: to, policy },
    ...{ fingerprint: '', funnel: undefined },
  }
}

function placeRow(of: ReportFinding | ReportChange) {
  const { subject, location, pointer } = of
  const { field, name } = placeInObject(of)
  const namespace = subject.namespace ?? 'no namespace'
  return {
    subject: subjectTitle(subject),
    ...{ namespace, group: location?.file ?? namespace },
    container: name === undefined ? field : `${field} ${name}`,
    location,
    pointer,
  }
}
