import { problemLine, type Report } from '../reports/index.ts'
import { changedLines } from './audit_table.ts'

/** What there is to say of one look after the other. */
export interface AuditChanges {
  /** `+` and `-` with a finding each, for standard output */
  readonly lines: readonly string[]
  /** what was not looked at, and was the time before, for standard error */
  readonly problems: readonly string[]
}

/**
 * Compares each look with the one before. A look that saw less than that is passed over once, since
 * what was only not seen is not gone.
 */
export function createAuditChanges(): (report: Report) => AuditChanges {
  let compared: Report | undefined
  let unseen: ReadonlySet<string> = new Set()
  return (report) => {
    const fresh = report.problems.filter(({ place }) => !unseen.has(place))
    unseen = new Set(report.problems.map(({ place }) => place))
    const problems = fresh.map(problemLine)
    if (compared && fresh.length > 0) return { lines: [], problems }
    const lines = changedLines(compared, report)
    compared = report
    return { lines, problems }
  }
}
