import { TagwardenError } from '../errors.ts'
import { compareTexts } from '../pieces/index.ts'
import { type Level, type Report, type ReportFinding, worstFirst } from '../reports/types.ts'

/** Findings that were there before, and are accepted. */
export interface Baseline {
  readonly fingerprints: ReadonlySet<string>
}

const FORM = 'tagwarden.io/baseline/v1'
const FINGERPRINT = /^[0-9a-f]{32}$/

/**
 * Reads what writeBaseline() wrote.
 *
 * @throws TagwardenError ERR_USAGE
 */
export function readBaseline(text: string, file: string): Baseline {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw wrong(file, 'is not JSON', cause)
  }
  const { form, findings } = (value ?? {}) as { form?: unknown; findings?: unknown }
  if (form !== FORM || !Array.isArray(findings)) throw wrong(file, 'is not a baseline')
  const fingerprints = findings.map((each) => (each as { fingerprint?: unknown })?.fingerprint)
  if (!fingerprints.every((each) => typeof each === 'string' && FINGERPRINT.test(each))) {
    throw wrong(file, 'holds a finding without a fingerprint')
  }
  return { fingerprints: new Set(fingerprints as string[]) }
}

/** The findings as a baseline: sorted, and the same text for the same findings. */
export function writeBaseline(findings: readonly ReportFinding[]): string {
  const entries = findings.map(({ fingerprint, location, subject, container, image, reason }) => ({
    fingerprint,
    file: location?.file ?? null,
    object: [subject.kind, subject.namespace, subject.name].filter(Boolean).join(' '),
    container: container ?? null,
    image,
    reason,
  }))
  const order = entries
    .map((entry) => ({ entry, key: `${entry.file ?? ''}\0${entry.object}\0${entry.fingerprint}` }))
    .sort((a, b) => compareTexts(a.key, b.key))
  const lines = order.map(({ entry }) => `    ${JSON.stringify(entry)}`)
  const list = lines.length === 0 ? '[]' : `[\n${lines.join(',\n')}\n  ]`
  return `{\n  "form": "${FORM}",\n  "findings": ${list}\n}\n`
}

/**
 * Takes accepted findings out of a report, and counts anew.
 *
 * @param name of the baseline, for people
 */
export function accepting(report: Report, { fingerprints }: Baseline, name: string): Report {
  const known = ({ fingerprint }: ReportFinding) => fingerprints.has(fingerprint)
  const kept = report.findings.filter((finding) => !known(finding))
  if (kept.length === report.findings.length) return report
  const taken = report.findings
    .filter(known)
    .map((finding) => ({ finding, by: 'baseline' as const, justification: name }))
  const accepted = [...(report.accepted ?? []), ...taken]
  const totals = { ...report.totals, ...levelCounts(kept), accepted: accepted.length }
  return { ...report, findings: kept, totals, accepted }
}

/** How many images have findings, by the worst of each. */
function levelCounts(findings: readonly ReportFinding[]) {
  const worst = new Map<string, Level>()
  for (const { level, location, subject, pointer } of worstFirst(findings)) {
    const { kind, namespace, name } = subject
    const image = JSON.stringify([location, kind, namespace, name, pointer])
    if (!worst.has(image)) worst.set(image, level)
  }
  const count = (level: Level) => [...worst.values()].filter((each) => each === level).length
  return { denied: count('deny'), warned: count('warn'), audited: count('audit') }
}

function wrong(file: string, message: string, cause?: unknown): TagwardenError {
  const remedy = 'Write one with --write-baseline'
  return new TagwardenError('ERR_USAGE', message, { position: { file }, remedy, cause })
}
