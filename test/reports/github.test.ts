import t from 'tap'
import { formatReport } from '../../src/reports/index.ts'
import { finding, fullReport, report } from './report.ts'

t.test('findings become annotations at their line, the worst first, the summary last', (t) => {
  t.strictSame(formatReport(fullReport(), 'github').split('\n'), [
    '::error file=deploy/broken.yaml,line=3,col=7,title=Tagwarden%3A ERR_INVALID_POLICY::deploy/broken.yaml: a tab may not stand here. Indent with spaces',
    '::error file=deploy/web.yaml,line=12,endLine=12,col=16,endColumn=39,title=Tagwarden%3A LatestTag::Deployment shop/web containers[0] "app": ghcr.io/acme/web:latest [LatestTag] ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago). Use ghcr.io/acme/web:v1.4.2',
    '::warning file=deploy/web.yaml,line=21,endLine=21,col=18,endColumn=43,title=Tagwarden%3A Downgrade::Deployment shop/web initContainers[1] "proxy": ghcr.io/acme/proxy:v1.3.0 [Downgrade] v1.4.3 runs and is kept, since allowDowngrade is not set.',
    '::notice title=Tagwarden%3A Unmatched::Pod tool-* containers[0]: ghcr.io/other/tool:v1.0.0 [Unmatched] No policy covers ghcr.io/other/tool, and the defaults deny such images.',
    '12 images in 9 objects in 3 files: 1 denied, 1 with warnings, 1 noted, 1 would change; 1 place not looked at',
    '',
  ])
  t.end()
})

t.test('a problem has the file that it is of, whatever that is called', (t) => {
  const rows: [change: object, door: 'review' | 'audit', file: string | undefined][] = [
    [{ place: 'my charts/a.yaml' }, 'review', 'my charts/a.yaml'],
    [{ place: 'my charts/a.yaml', line: 3 }, 'audit', 'my charts/a.yaml'],
    [{ place: 'a.yaml' }, 'audit', 'a.yaml'],
    [{ place: 'Secret shop/web' }, 'audit', undefined],
    [{ place: 'cluster', code: 'ERR_CLUSTER' }, 'review', undefined],
    [{ place: '-' }, 'review', undefined],
    [{ place: '' }, 'review', undefined],
  ]
  for (const [change, door, file] of rows) {
    const about = { code: 'ERR_INVALID_MANIFEST' as const, message: 'x', place: '' }
    const problem = { ...about, line: undefined, column: undefined, ...change }
    const all = report({ door, problems: [problem] })
    const shown = /^::error (?:file=([^,]*),)?/.exec(formatReport(all, 'github'))?.[1]
    t.equal(shown, file, JSON.stringify(change))
    const [notice] = JSON.parse(formatReport(all, 'sarif')).runs[0].invocations[0]
      .toolExecutionNotifications
    const uri = notice.locations?.[0].physicalLocation.artifactLocation.uri
    t.equal(uri, file?.replace(' ', '%20'), JSON.stringify(change))
  }
  t.end()
})

t.test('files are told from the top of the repository, wherever it was started', (t) => {
  const at = (file: string) => ({ file, line: 1, column: 1, endLine: 1, endColumn: 2 })
  const names = [
    'web.yaml',
    '../base/web.yaml',
    '../../top.yaml',
    '../../../out.yaml',
    '/a.yaml',
    '-',
  ]
  const findings = names.map((name) => finding({ location: at(name) }))
  const nowhere = { line: undefined, column: undefined }
  const problems = [
    { code: 'ERR_INVALID_MANIFEST' as const, place: 'x.yaml', ...nowhere, message: 'no' },
    { code: 'ERR_CLUSTER' as const, place: 'cluster', ...nowhere, message: 'no' },
  ]
  const given = report({ findings, problems })
  const options = { folder: 'infra/prod' }
  const files = formatReport(given, 'github', options).match(/(?<=file=)[^,]*/g)
  const wanted = ['infra/base/web.yaml', 'top.yaml', '../out.yaml', '/a.yaml', '-']
  t.strictSame(files, ['infra/prod/x.yaml', 'infra/prod/web.yaml', ...wanted])
  const [run] = JSON.parse(formatReport(given, 'sarif', options)).runs
  const uris = run.results.map(
    ({
      locations: [{ physicalLocation }],
    }: {
      locations: [{ physicalLocation: { artifactLocation: { uri: string } } }]
    }) => physicalLocation.artifactLocation.uri,
  )
  t.strictSame(uris.slice(0, 2), ['infra/prod/web.yaml', 'infra/base/web.yaml'])
  t.match(formatReport(given, 'text', options), /^web\.yaml$/m, 'people see what they have named')
  t.equal(formatReport(given, 'github', { folder: '' }), formatReport(given, 'github'))
  t.end()
})

t.test('what GitHub would drop stands in the log', (t) => {
  const findings = [
    ...Array.from({ length: 12 }, () => finding({ level: 'warn' })),
    ...Array.from({ length: 11 }, () => finding()),
  ]
  const lines = formatReport(report({ findings }), 'github').split('\n')
  const starting = (text: string) => lines.filter((line) => line.startsWith(text)).length
  t.equal(starting('::error '), 10)
  t.equal(starting('::warning '), 10)
  t.match(lines[20], '::group::3 more findings')
  t.match(lines[21], /^deny deploy\/web\.yaml:12:16 Deployment shop\/web containers/)
  t.match(lines[24], '::endgroup::')
  t.end()
})

t.test('a name can neither end a command nor begin one', (t) => {
  const evil = 'a,b:c%0A\r\n::error::x\n##[add-mask]y'
  const location = { file: evil, line: 1, column: 1, endLine: 2, endColumn: 1 }
  const subject = { apiVersion: 'v1', kind: '::error::', namespace: evil, name: evil }
  const each = finding({ location, subject, message: evil, image: evil })
  const findings = Array.from({ length: 12 }, () => each)
  const text = formatReport(report({ findings }), 'github')
  const lines = text.trimEnd().split('\n')
  t.equal(lines.filter((line) => /^\s*::error /.test(line)).length, 10)
  t.equal(lines.filter((line) => /^\s*::/.test(line)).length, 12)
  t.notMatch(text, /##\[/)
  t.match(
    lines[0],
    /^::error file=a%2Cb%3Ac%250A%0A\\u003a%3Aerror%3A%3Ax%0A\\u0023#\[add-mask\]y,line=1/,
  )
  t.notMatch(lines[0], / col=/)
  t.end()
})
