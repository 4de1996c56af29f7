import t from 'tap'
import { formatReport } from '../../src/reports/index.ts'
import { differenceReport, finding, fullReport, report } from './report.ts'

t.test('findings stand by file or object, as the webhook says them, the summary last', (t) => {
  t.equal(
    formatReport(fullReport(), 'text'),
    [
      'deploy/web.yaml',
      '  12:16  deny  Deployment shop/web  containers[0] "app": ghcr.io/acme/web:latest [LatestTag] ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago). Use ghcr.io/acme/web:v1.4.2',
      '  21:18  warn  Deployment shop/web  initContainers[1] "proxy": ghcr.io/acme/proxy:v1.3.0 [Downgrade] v1.4.3 runs and is kept, since allowDowngrade is not set.',
      '',
      'Pod tool-*',
      '  audit  containers[0]: ghcr.io/other/tool:v1.0.0 [Unmatched] No policy covers ghcr.io/other/tool, and the defaults deny such images.',
      '',
      'deploy/api.yaml',
      `  9:16  move  Deployment shop/api  containers[0] "api": ghcr.io/acme/api:v1.3.0 becomes ghcr.io/acme/api:v1.4.2@sha256:${'2'.repeat(64)} (ImagePolicy shop/api)`,
      '',
      'Not looked at',
      '  error  ERR_INVALID_POLICY deploy/broken.yaml:3:7: a tab may not stand here. Indent with spaces',
      '',
      '12 images in 9 objects in 3 files: 1 denied, 1 with warnings, 1 noted, 1 would change; 1 place not looked at',
      '',
    ].join('\n'),
  )
  t.end()
})

t.test('a report without findings is one line', (t) => {
  t.equal(
    formatReport(report(), 'text', { colour: true, width: 80 }),
    '\u001b[32m12 images in 9 objects in 3 files: 0 denied, 0 with warnings\u001b[0m\n',
  )
  const audit = report({ door: 'audit', interrupted: true })
  const totals = { ...audit.totals, objects: 1200, images: 1, accepted: 4 }
  t.equal(
    formatReport({ ...audit, totals }, 'text'),
    '1 image in 1,200 objects: 0 denied, 0 with warnings, 4 accepted; stopped before the end\n',
  )
  t.end()
})

t.test('long lines are broken at blanks, and hang below where they began', (t) => {
  const findings = [finding()]
  const lines = formatReport(report({ findings }), 'text', { width: 80 }).split('\n')
  t.strictSame(lines.slice(0, 7), [
    'deploy/web.yaml',
    '  12:16  deny  Deployment shop/web  containers[0] "app": ghcr.io/acme/web:latest',
    '                                    [LatestTag] ImagePolicy shop/web permits',
    '                                    semver >=1.2.3 <2.0.0; newest is v1.4.2',
    '                                    (seen 3m ago). Use ghcr.io/acme/web:v1.4.2',
    '',
    '12 images in 9 objects in 3 files: 1 denied, 0 with warnings',
  ])
  const long = finding({ message: 'x'.repeat(300) })
  t.match(formatReport(report({ findings: [long] }), 'text', { width: 80 }), /x{300}/)
  t.match(formatReport(report({ findings }), 'text', { width: 30 }), /deny {2}Deployment .* Use/)
  t.end()
})

t.test('colour is only asked for by the caller, and covers words only', (t) => {
  t.notMatch(formatReport(fullReport(), 'text'), /\u001b/)
  const coloured = formatReport(fullReport(), 'text', { colour: true })
  t.equal(coloured.replace(/\u001b\[[0-9;]+m/g, ''), formatReport(fullReport(), 'text'))
  for (const word of ['1;31mdeny', '33mwarn', '36maudit', '32mmove', '1;31merror', '1mdeploy/']) {
    t.ok(coloured.includes(`\u001b[${word}`), word)
  }
  t.end()
})

t.test('a name cannot write to the terminal or add a line', (t) => {
  const hostile = '\u001b[2J\u0007\r\nweb\u202e\u2028\ud800\u009b0m'
  const text = formatReport(
    fullReport({
      findings: [
        finding({
          subject: { apiVersion: hostile, kind: hostile, namespace: hostile, name: hostile },
          container: hostile,
          image: hostile,
          message: hostile,
          use: hostile,
          location: { file: hostile, line: 1, column: 1, endLine: 1, endColumn: 1 },
        }),
        finding({ location: undefined, container: 'x'.repeat(10_000) }),
      ],
      problems: [
        { code: 'ERR_CATALOG', place: hostile, line: undefined, column: 3, message: hostile },
      ],
    }),
    'text',
  )
  t.notMatch(text.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
  t.ok(text.isWellFormed())
  t.equal(text.split('\n').length, 14)
  t.ok(text.split('\n').every((line) => line.length < 5000))
  t.end()
})

t.test('a form that there is not is refused', (t) => {
  for (const form of ['', 'yaml', '__proto__', 'toString']) {
    t.throws(() => formatReport(report(), form as 'text'), TypeError)
  }
  t.end()
})

t.test('what other policies would change is told apart from what is', (t) => {
  const text = formatReport(differenceReport(), 'text')
  t.match(text, /Would be no more\n {2}gone {2}Deployment shop\/web: containers\[0\] "app"/)
  t.match(text, /\n20 more findings of level warn are not shown\n/)
  t.match(text, /1 newly denied, 1 newly with warnings, 1 no longer denied, 0 no longer with/)
  t.end()
})
