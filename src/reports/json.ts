import { isoTime } from './moment.ts'
import type {
  Location,
  Report,
  ReportChange,
  ReportDifference,
  ReportFinding,
  ReportFunnel,
  Subject,
} from './types.ts'

/** Of the JSON form: the first number changes when a program that reads it would break. */
const JSON_VERSION = '1.0'

/** For programs: docs/schemas/report.schema.json says what there is. */
export function formatJson(report: Report): string {
  return `${JSON.stringify(reportJson(report), null, 2)}\n`
}

/** The documented form as data; fields that have no value are null. */
function reportJson(report: Report): unknown {
  const { totals } = report
  return {
    version: JSON_VERSION,
    tagwarden: report.version,
    door: report.door,
    startedAt: isoTime(report.startedAt),
    finishedAt: isoTime(report.finishedAt),
    interrupted: report.interrupted,
    totals: {
      files: totals.files,
      objects: totals.objects,
      images: totals.images,
      denied: totals.denied,
      warned: totals.warned,
      audited: totals.audited,
      changed: totals.changed,
      accepted: totals.accepted,
    },
    findings: report.findings.map(findingJson),
    changes: report.changes.map(changeJson),
    problems: report.problems.map(({ code, place, line, column, message }) => ({
      code,
      place,
      line: line ?? null,
      column: column ?? null,
      message,
    })),
    funnels: Object.fromEntries(
      Object.entries(report.funnels).map(([key, funnel]) => [key, funnelJson(funnel)]),
    ),
    notes: report.notes ?? [],
    difference: differenceJson(report.difference),
  }
}

function differenceJson(difference: ReportDifference | undefined): unknown {
  if (difference === undefined) return null
  const { newlyDenied, newlyWarned, noLongerDenied, noLongerWarned, moved, gone } = difference
  const counts = { newlyDenied, newlyWarned, noLongerDenied, noLongerWarned, moved }
  return { ...counts, gone: gone.map(findingJson) }
}

function findingJson(finding: ReportFinding): unknown {
  return {
    level: finding.level,
    reason: finding.reason,
    policy: finding.policy ?? null,
    subject: subjectJson(finding.subject),
    container: finding.container ?? null,
    pointer: finding.pointer,
    image: finding.image,
    message: finding.message,
    use: finding.use ?? null,
    location: locationJson(finding.location),
    funnel: finding.funnel ?? null,
    fingerprint: finding.fingerprint,
  }
}

function changeJson(change: ReportChange): unknown {
  return {
    subject: subjectJson(change.subject),
    container: change.container ?? null,
    pointer: change.pointer,
    from: change.from,
    to: change.to,
    policy: change.policy,
    location: locationJson(change.location),
  }
}

function subjectJson({ apiVersion, kind, namespace, name }: Subject): unknown {
  return { apiVersion, kind, namespace: namespace ?? null, name }
}

function locationJson(location: Location | undefined): unknown {
  if (location === undefined) return null
  const { file, line, column, endLine, endColumn } = location
  return { file, line, column, endLine, endColumn }
}

function funnelJson({
  repository,
  policy,
  steps,
  chosen,
  losers,
  scannedAt,
}: ReportFunnel): unknown {
  return {
    repository,
    policy,
    steps: steps.map(({ label, count }) => ({ label, count })),
    chosen: chosen === undefined ? null : { tag: chosen.tag, digest: chosen.digest ?? null },
    losers: losers.map(({ tag, reason }) => ({ tag, reason })),
    scannedAt: scannedAt === undefined ? null : isoTime(scannedAt),
  }
}
