import t from 'tap'
import { policyReportsOf } from '../../src/audit/index.ts'
import { HASH_ANNOTATION } from '../../src/audit/policy_reports.ts'
import type { ReportFinding, Subject } from '../../src/reports/index.ts'
import { finding, report, STARTED } from '../reports/report.ts'

function audited(
  findings: readonly ReportFinding[],
  spaces: Record<string, [images: number, denied?: number, warned?: number]>,
) {
  const entries = Object.entries(spaces).map(
    ([name, [images, denied = 0, warned = 0]]) =>
      [name, { images, denied, warned, audited: 0 }] as const,
  )
  const { findings: kept, ...rest } = report({ findings, door: 'audit' })
  return {
    ...{ report: { ...rest, findings: kept }, spaces: new Map(entries) },
    ...{ series: new Map<string, number>(), isWhole: true },
  }
}

const at = (namespace: string | undefined, name = 'web'): Subject => ({
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name },
})

t.test('a namespace has one report, in the shape that tools read', (t) => {
  const findings = [
    finding({ subject: at('shop') }),
    finding({
      subject: at('shop'),
      level: 'audit',
      reason: 'TagElsewhere',
      policy: undefined,
      use: undefined,
    }),
    finding({
      subject: at(undefined, 'node-agent'),
      level: 'warn',
      reason: 'Unmatched',
      policy: undefined,
    }),
  ]
  const reports = policyReportsOf(
    audited(findings, { shop: [4, 1], calm: [2], '': [1, 0, 1] }),
    'tagwarden',
  )
  t.strictSame(
    reports.map(({ metadata: { namespace, name }, summary }) => [namespace, name, summary]),
    [
      ['shop', 'tagwarden', { pass: 3, fail: 1, warn: 1, error: 0, skip: 0 }],
      ['calm', 'tagwarden', { pass: 2, fail: 0, warn: 0, error: 0, skip: 0 }],
      [undefined, 'tagwarden', { pass: 0, fail: 0, warn: 1, error: 0, skip: 0 }],
    ],
  )
  t.match(reports[0], {
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'tagwarden' } },
    source: 'tagwarden',
    scope: { apiVersion: 'v1', kind: 'Namespace', name: 'shop' },
    results: [
      {
        ...{ source: 'tagwarden', policy: 'ImagePolicy shop/web', rule: 'LatestTag' },
        ...{ category: 'Images', severity: 'high', result: 'fail', scored: true },
        message:
          'ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2. Use ghcr.io/acme/web:v1.4.2',
        resources: [{ apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }],
        properties: { image: 'ghcr.io/acme/web:latest', container: 'app' },
        timestamp: { seconds: Math.floor((STARTED + 412) / 1000), nanos: 0 },
      },
      { policy: 'drift', severity: 'info', result: 'warn', scored: false },
    ],
  })
  t.match(reports[2]?.results, [{ policy: 'defaults', severity: 'medium' }])
  t.end()
})

t.test('what changes with time alone is no change', (t) => {
  const hash = (message: string, level: ReportFinding['level'] = 'deny') =>
    policyReportsOf(
      audited([finding({ message, level, subject: at('shop') })], { shop: [1, 1] }),
      'tagwarden',
    )[0]?.metadata.annotations?.[HASH_ANNOTATION]
  t.equal(hash('newest is v1.4.2 (seen 3m ago).'), hash('newest is v1.4.2 (seen 2h ago).'))
  t.equal(hash('first seen 59m ago, permitted in 1h'), hash('first seen 1h ago, permitted in 59m'))
  t.not(hash('newest is v1.4.2'), hash('newest is v1.4.3'))
  t.not(hash('same'), hash('same', 'warn'))
  t.end()
})

t.test('a report never exceeds 1,000 results or the size of an object', (t) => {
  const many = Array.from({ length: 2_500 }, (_, index) =>
    finding({ subject: at('shop', `web-${index}`), fingerprint: String(index) }),
  )
  const parts = policyReportsOf(audited(many, { shop: [3_000, 2_500] }), 'tagwarden')
  t.strictSame(
    parts.map(({ metadata: { name }, results, summary: { pass, fail } }) => [
      name,
      results.length,
      pass,
      fail,
    ]),
    [
      ['tagwarden', 1_000, 500, 1_000],
      ['tagwarden-2', 1_000, 0, 1_000],
      ['tagwarden-3', 500, 0, 500],
    ],
  )
  const long = many.map((each) => ({
    ...each,
    message: '€\ud800'.repeat(5_000),
    image: 'x'.repeat(5_000),
  }))
  const large = policyReportsOf(audited(long, { shop: [3_000, 2_500] }), 'tagwarden')
  t.ok(large.length > 3)
  for (const each of large) {
    const text = JSON.stringify(each)
    t.ok(Buffer.byteLength(text) < 900 * 1024, `${Buffer.byteLength(text)} bytes`)
    t.ok(text.isWellFormed() && !text.includes('\\ud800'))
  }
  t.equal(
    large.reduce((sum, { results }) => sum + results.length, 0),
    2_500,
    'none is lost',
  )
  t.end()
})
