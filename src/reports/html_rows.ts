import { displayImage } from '../images/index.ts'
import type { Report, ReportChange, ReportFinding } from './types.ts'
import { placeInObject, subjectTitle, worstFirst } from './words.ts'

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

/** All that the page lists, the worst first. */
export function rowsOf(report: Report): Row[] {
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

function findingRow(finding: ReportFinding, level: Row['level']): Row {
  const { reason, message, image, use, policy, fingerprint, funnel } = finding
  return {
    ...placeRow(finding),
    ...{ level, reason, message, image: displayImage(image), fingerprint, funnel },
    use: use ?? '',
    policy: policy ?? 'the configured defaults',
  }
}

function changeRow(change: ReportChange): Row {
  const { from, to, policy } = change
  const message = 'The image is permitted, and the webhook writes the newest permitted one.'
  return {
    ...placeRow(change),
    ...{ level: 'move', reason: '', message, image: displayImage(from), use: to, policy },
    ...{ fingerprint: '', funnel: undefined },
  }
}

function placeRow(of: ReportFinding | ReportChange) {
  const { subject, location, pointer } = of
  const { field, name } = placeInObject(of)
  return {
    subject: subjectTitle(subject),
    group: location === undefined ? (subject.namespace ?? 'no namespace') : location.file,
    container: name === undefined ? field : `${field} ${name}`,
    location,
    pointer,
  }
}
