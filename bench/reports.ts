import { FORMS, formatReport, type Report, type ReportFinding } from '../src/reports/index.ts'
import { finding, fullReport } from '../test/reports/report.ts'
import type { Figure } from './admission.ts'

const FINDINGS = 20_000
const LIMIT = 2000
const RUNS = 3

/** CPU time of writing a large report in each form, the best of a few runs. */
export function benchReports(): Figure[] {
  const report = largeReport()
  return FORMS.map((form) => {
    const times = Array.from({ length: RUNS }, () => {
      const before = process.cpuUsage()
      formatReport(report, form, { width: 120, colour: true })
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    })
    const name = `${FINDINGS.toLocaleString('en')} findings as ${form}`
    return { name, value: Math.min(...times), unit: 'ms', limit: LIMIT }
  })
}

function largeReport(): Report {
  const reasons = ['LatestTag', 'OutOfRange', 'TagMoved', 'Unmatched'] as const
  const findings = Array.from({ length: FINDINGS }, (_, index): ReportFinding => {
    const namespace = `team-${index % 200}`
    const line = 10 + (index % 300)
    return finding({
      level: index % 5 === 0 ? 'warn' : 'deny',
      reason: reasons[index % 4] ?? 'LatestTag',
      policy: `ImagePolicy ${namespace}/web`,
      subject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: `web-${index}` },
      image: `ghcr.io/acme/web-${index}:latest`,
      message: `ImagePolicy ${namespace}/web permits semver >=1.2.3 <2.0.0; newest is v1.4.${index} (seen 3m ago).`,
      use: `ghcr.io/acme/web-${index}:v1.4.${index}`,
      location: {
        ...{ file: `deploy/${namespace}/web.yaml`, line, column: 16, endLine: line },
        endColumn: 40,
      },
      fingerprint: index.toString(16).padStart(16, '0'),
    })
  })
  return fullReport({ findings })
}
