import { gzipSync } from 'node:zlib'
import t from 'tap'
import { REASON_CODES } from '../../src/decisions/index.ts'
import { DRIFT_CODES, formatReport, type Report } from '../../src/reports/index.ts'
import { REASON_HELP } from '../../src/reports/reason_help.ts'
import { readPage, section } from '../docs/pages.ts'
import { differenceReport, finding, fullReport, report } from './report.ts'
import { sarifFaults } from './sarif_schema.ts'

function runOf(report: Report, options = {}) {
  const log = JSON.parse(formatReport(report, 'sarif', options))
  return { log, run: log.runs[0], results: log.runs[0].results }
}

t.test('the log is valid by the official schema', (t) => {
  const accepted = [
    { finding: finding(), by: 'baseline' as const, justification: 'accepted by baseline.json' },
  ]
  for (const [each, options] of [
    [fullReport({ accepted }), { exitCode: 1 }],
    [differenceReport(), {}],
    [fullReport({ interrupted: true, door: 'audit' }), {}],
    [report(), {}],
  ] as const) {
    t.strictSame(sarifFaults(runOf(each, options).log), [])
  }
  t.not(sarifFaults({ version: '2.1.0', runs: [{ tool: {} }] }).length, 0, 'the schema is read')
  t.end()
})

t.test('a result says where, what and what to write instead', (t) => {
  const { results, run } = runOf(fullReport(), { exitCode: 1 })
  t.strictSame(results[0], {
    ruleId: 'LatestTag',
    ruleIndex: 1,
    level: 'error',
    message: {
      text: 'Deployment shop/web containers[0] "app": ghcr.io/acme/web:latest [LatestTag] ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago). Use ghcr.io/acme/web:v1.4.2',
    },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: 'deploy/web.yaml', uriBaseId: '%SRCROOT%' },
          region: { startLine: 12, startColumn: 16, endLine: 12, endColumn: 39 },
        },
        logicalLocations: [
          {
            name: 'Deployment shop/web',
            fullyQualifiedName: 'shop/Deployment/web/spec/template/spec/containers/0/image',
            kind: 'resource',
          },
        ],
      },
    ],
    partialFingerprints: { 'tagwarden/v1': '4f1d2c3b4a596877' },
    fixes: [
      {
        description: { text: 'Write ghcr.io/acme/web:v1.4.2' },
        artifactChanges: [
          {
            artifactLocation: { uri: 'deploy/web.yaml', uriBaseId: '%SRCROOT%' },
            replacements: [
              {
                deletedRegion: { startLine: 12, startColumn: 16, endLine: 12, endColumn: 39 },
                insertedContent: { text: 'ghcr.io/acme/web:v1.4.2' },
              },
            ],
          },
        ],
      },
    ],
  })
  t.strictSame(
    results.map(({ level }: { level: string }) => level),
    ['error', 'warning', 'note'],
  )
  t.notOk(results[2].locations[0].physicalLocation, 'what lives in a cluster has no file')
  t.equal(run.columnKind, 'utf16CodeUnits')
  t.match(run.invocations[0], {
    executionSuccessful: false,
    exitCode: 1,
    startTimeUtc: '2026-11-12T08:30:00.000Z',
    endTimeUtc: '2026-11-12T08:30:00.412Z',
    toolExecutionNotifications: [
      {
        descriptor: { id: 'ERR_INVALID_POLICY' },
        level: 'error',
        message: { text: /a tab may not stand here/ },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'deploy/broken.yaml' },
              region: { startLine: 3, startColumn: 7 },
            },
          },
        ],
      },
    ],
  })
  const { descriptor } = run.invocations[0].toolExecutionNotifications[0]
  t.equal(run.tool.driver.notifications[descriptor.index].id, descriptor.id)
  t.end()
})

t.test('rules explain every reason, in the words of docs/reasons.md', (t) => {
  const { run } = runOf(report())
  const { rules } = run.tool.driver
  t.strictSame(
    rules.map(({ id }: { id: string }) => id),
    [...REASON_CODES, ...DRIFT_CODES],
  )
  const page = readPage('docs/reasons.md')
  const unlinked = (text: string) => text.trim().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  for (const [index, code] of REASON_CODES.entries()) {
    const { short, meaning, remedy } = REASON_HELP[code]
    const text = section(page, `## ${code}`)
    t.equal(meaning, unlinked(text.replace(/^## .*/, '').split('```')[0] ?? ''), code)
    t.equal(remedy, unlinked(/\*\*What to do:\*\* (.*)/.exec(text)?.[1] ?? ''), code)
    const rule = rules[index]
    t.equal(rule.shortDescription.text, `${short}.`)
    t.match(rule.help.markdown, /\*\*What to do:\*\* /)
    t.ok(rule.fullDescription.text.length <= 1024 && rule.shortDescription.text.length < 100, code)
  }
  t.end()
})

t.test('a fingerprint does not change with the line', (t) => {
  const location = { file: 'deploy/web.yaml', line: 99, column: 16, endLine: 99, endColumn: 39 }
  const findings = [finding(), finding({ location })]
  const [a, b] = runOf(report({ findings })).results
  t.strictSame(a.partialFingerprints, b.partialFingerprints)
  t.end()
})

t.test('only text that is exactly the image is replaced', (t) => {
  const at = { file: 'a.yaml', line: 1, column: 5, endLine: 1, endColumn: 28 }
  const fixes = (change: object) => runOf(report({ findings: [finding(change)] })).results[0].fixes
  t.ok(fixes({ location: at }))
  t.notOk(fixes({ location: { ...at, endColumn: 30 } }), 'quoted')
  t.notOk(fixes({ location: { ...at, endLine: 2 } }), 'over several lines')
  t.notOk(fixes({ use: undefined }))
  t.notOk(fixes({ location: undefined }))
  t.end()
})

t.test('paths become references, whatever stands in them', (t) => {
  for (const [file, uri] of [
    ['a b/c#d?e%20f.yaml', 'a%20b/c%23d%3Fe%2520f.yaml'],
    ['x:y.yaml', 'x%3Ay.yaml'],
    ['C:\\a.yaml', 'C%3A%5Ca.yaml'],
    ['ü/🚢.yaml', '%C3%BC/%F0%9F%9A%A2.yaml'],
    ['\ud800.yaml', '%EF%BF%BD.yaml'],
    ['../x.yaml', '../x.yaml'],
  ] as const) {
    const location = { file, line: 1, column: 1, endLine: 1, endColumn: 2 }
    const { results, log } = runOf(report({ findings: [finding({ location })] }))
    t.strictSame(sarifFaults(log), [], file)
    const { artifactLocation } = results[0].locations[0].physicalLocation
    t.strictSame(artifactLocation, { uri, uriBaseId: '%SRCROOT%' })
  }
  const location = { file: '/tmp/a.yaml', line: 1, column: 1, endLine: 1, endColumn: 2 }
  const { results } = runOf(report({ findings: [finding({ location })] }))
  t.strictSame(results[0].locations[0].physicalLocation.artifactLocation, {
    uri: 'file:///tmp/a.yaml',
  })
  t.end()
})

t.test('more than GitHub takes are left out, the mildest first, and that is said', (t) => {
  const findings = Array.from({ length: 26_000 }, (_, index) =>
    finding({
      level: index < 1000 ? 'audit' : 'deny',
      fingerprint: index.toString(16).padStart(16, '0'),
      subject: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'n', name: `web-${index}` },
    }),
  )
  const { log, results, run } = runOf(report({ findings }))
  t.equal(results.length, 25_000)
  t.ok(results.every(({ level }: { level: string }) => level === 'error'))
  t.match(run.invocations[0].toolExecutionNotifications, [
    { descriptor: { id: 'ResultsLeftOut' }, message: { text: /^1,000 findings left out/ } },
  ])
  t.ok(run.invocations[0].executionSuccessful)
  t.strictSame(sarifFaults({ ...log, runs: [{ ...run, results: results.slice(0, 10) }] }), [])
  const bytes = gzipSync(formatReport(report({ findings }), 'sarif')).length
  t.ok(bytes < 10e6, `${bytes} bytes compressed`)
  t.end()
})

t.test('a log stays small enough to be taken, however long the messages are', (t) => {
  const message = 'long '.repeat(2000)
  const findings = Array.from({ length: 25_000 }, () => finding({ message, use: message }))
  const text = formatReport(report({ findings }), 'sarif')
  t.ok(text.length < 50 * 1024 * 1024)
  t.ok(text.includes('findings left out'))
  t.end()
})

t.test('what was accepted is left out', (t) => {
  const accepted = [
    { finding: finding(), by: 'baseline' as const, justification: 'accepted by b.json' },
  ]
  t.strictSame(runOf(report({ accepted })).results, [], 'GitHub would open an alert')
  t.end()
})
