import { createHash } from 'node:crypto'
import type { KubernetesObject } from '../cluster/index.ts'
import type { Level, ReportFinding } from '../reports/types.ts'
import type { Audited, SpaceFigures } from './types.ts'

/** One result, as Report of openreports.io and PolicyReport of wgpolicyk8s.io both have it. */
export interface PolicyResult {
  readonly source: 'tagwarden'
  readonly policy: string
  readonly rule: string
  readonly category: 'Images'
  readonly severity: 'high' | 'medium' | 'info'
  readonly result: 'fail' | 'warn'
  readonly scored: boolean
  readonly message: string
  readonly resources: readonly {
    readonly apiVersion: string
    readonly kind: string
    readonly namespace?: string
    readonly name: string
  }[]
  readonly properties: Readonly<Record<string, string>>
  readonly timestamp?: { readonly seconds: number; readonly nanos: number }
}

/** A report before it is known which group it is written to. */
export interface PolicyReport extends KubernetesObject {
  readonly source: 'tagwarden'
  readonly scope?: { readonly apiVersion: 'v1'; readonly kind: 'Namespace'; readonly name: string }
  readonly summary: Readonly<Record<'pass' | 'fail' | 'warn' | 'error' | 'skip', number>>
  readonly results: readonly PolicyResult[]
}

/** Changes whenever a report says something else, but for the time. */
export const HASH_ANNOTATION = 'tagwarden.io/report-hash'
export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const INSTANCE = 'app.kubernetes.io/instance'

const MOST_RESULTS = 1_000
/** An object may have 1.5 MiB in etcd; metadata and summary want some room too. */
const MOST_BYTES = 880 * 1024
const LONGEST_MESSAGE = 2_000
const LONGEST_TEXT = 500

const RESULT_OF: Readonly<Record<Level, Pick<PolicyResult, 'result' | 'severity' | 'scored'>>> = {
  deny: { result: 'fail', severity: 'high', scored: true },
  warn: { result: 'warn', severity: 'medium', scored: true },
  audit: { result: 'warn', severity: 'info', scored: false },
}

/** A span as messages have it, such as the one since a repository was scanned. */
const SPAN = /\b\d+(?:ms|[smhdwy])\b/g
const SEEN = / \((?:seen|asked) \d+[a-z]+ ago\)/g

/**
 * The reports of an audit: one for each namespace with images, and one for what has none; split
 * where it would be too large. Ages that would be wrong a minute later are left out.
 *
 * @param name of the installation: `tagwarden`, `tagwarden-2`, …
 */
export function policyReportsOf({ report, spaces }: Audited, name: string): PolicyReport[] {
  const findings = new Map<string, ReportFinding[]>()
  for (const finding of report.findings) {
    const namespace = finding.subject.namespace ?? ''
    const known = findings.get(namespace)
    if (known) known.push(finding)
    else findings.set(namespace, [finding])
  }
  const at = { seconds: Math.floor(report.finishedAt / 1000), nanos: 0 }
  return Array.from(spaces, ([namespace, figures]) => {
    const parts = split((findings.get(namespace) ?? []).map(resultOf))
    return parts.map((results, index) => {
      const own = index === 0 ? name : `${name}-${index + 1}`
      return reportOf(own, name, namespace, index === 0 ? figures : undefined, results, at)
    })
  }).flat()
}

function reportOf(
  name: string,
  instance: string,
  namespace: string,
  figures: Readonly<SpaceFigures> | undefined,
  results: readonly PolicyResult[],
  timestamp: NonNullable<PolicyResult['timestamp']>,
): PolicyReport {
  const count = (wanted: PolicyResult['result']) =>
    results.filter(({ result }) => result === wanted).length
  const { images = 0, denied = 0, warned = 0, audited = 0 } = figures ?? {}
  const summary = {
    pass: images - denied - warned - audited,
    fail: count('fail'),
    warn: count('warn'),
    error: 0,
    skip: 0,
  }
  return {
    metadata: {
      name,
      ...(namespace !== '' && { namespace }),
      labels: { [MANAGED_BY]: 'tagwarden', [INSTANCE]: instance },
      annotations: { [HASH_ANNOTATION]: hashOf(summary, results) },
    },
    source: 'tagwarden',
    ...(namespace !== '' && { scope: { apiVersion: 'v1', kind: 'Namespace', name: namespace } }),
    summary,
    results: results.map((result) => ({ ...result, timestamp })),
  }
}

function resultOf(finding: ReportFinding): PolicyResult {
  const { level, reason, policy, subject, container, image, message, use, fingerprint } = finding
  const { apiVersion, kind, namespace, name } = subject
  const said = message.replace(SEEN, '')
  return {
    source: 'tagwarden',
    policy: policy ?? (isDrift(reason) ? 'drift' : 'defaults'),
    rule: reason,
    category: 'Images',
    ...RESULT_OF[level],
    message: cut(use === undefined ? said : `${said} Use ${use}`, LONGEST_MESSAGE),
    resources: [{ apiVersion, kind, ...(namespace !== undefined && { namespace }), name }],
    properties: {
      image: cut(image, LONGEST_TEXT),
      ...(container !== undefined && { container: cut(container, LONGEST_TEXT) }),
      ...(use !== undefined && { use: cut(use, LONGEST_TEXT) }),
      fingerprint,
    },
  }
}

function isDrift(reason: ReportFinding['reason']): boolean {
  return reason === 'NotAsWritten' || reason === 'TagElsewhere' || reason === 'MixedDigests'
}

function cut(text: string, longest: number): string {
  const whole = text.toWellFormed()
  return whole.length > longest ? `${whole.slice(0, longest - 1).toWellFormed()}…` : whole
}

/** At least one part, though it may be empty. */
function split(results: readonly PolicyResult[]): PolicyResult[][] {
  const parts: PolicyResult[][] = [[]]
  let bytes = 0
  for (const result of results) {
    // with the timestamp that it gets
    const size = Buffer.byteLength(JSON.stringify(result)) + 60
    const last = parts.at(-1)!
    if (last.length > 0 && (last.length >= MOST_RESULTS || bytes + size > MOST_BYTES)) {
      parts.push([result])
      bytes = size
    } else {
      last.push(result)
      bytes += size
    }
  }
  return parts
}

function hashOf(summary: PolicyReport['summary'], results: readonly PolicyResult[]): string {
  const text = JSON.stringify([summary, results]).replace(SPAN, '~')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
