import type { Location, Report, ReportFinding } from './types.ts'
import { problemFile } from './words.ts'

/**
 * The report with its files as they are called from another folder: GitHub knows them by their paths
 * in the repository, wherever Tagwarden was started.
 *
 * @param folder of the working directory there, such as `infra/prod`; empty or undefined: the same
 */
export function located(report: Report, folder: string | undefined): Report {
  if (folder === undefined || folder === '') return report
  const at = (location: Location | undefined) =>
    location && { ...location, file: within(folder, location.file) }
  const finding = (each: ReportFinding) => ({ ...each, location: at(each.location) })
  return {
    ...report,
    findings: report.findings.map(finding),
    problems: report.problems.map((problem) => {
      const file = problemFile(problem, report.door)
      return file === undefined ? problem : { ...problem, place: within(folder, file) }
    }),
    accepted: report.accepted?.map((each) => ({ ...each, finding: finding(each.finding) })),
  }
}

/** `infra` and `../deploy/web.yaml`: `deploy/web.yaml`. */
function within(folder: string, file: string): string {
  if (file.startsWith('/') || file === '-') return file
  const parts = folder.split('/')
  const rest = file.split('/')
  while (rest[0] === '..' && parts.length > 0) {
    rest.shift()
    parts.pop()
  }
  return [...parts, ...rest].join('/')
}
