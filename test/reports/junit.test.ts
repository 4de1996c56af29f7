import t from 'tap'
import { formatReport } from '../../src/reports/index.ts'
import { finding, fullReport, report } from './report.ts'

t.test('a suite for each file or namespace, a case for each image', (t) => {
  t.matchOnly(formatReport(fullReport(), 'junit').split('\n'), [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="tagwarden review" tests="6" failures="1" errors="1" skipped="1" time="0.412">',
    '<testsuite name="deploy/web.yaml" tests="2" failures="1" errors="0" skipped="1" timestamp="2026-11-12T08:30:00" time="0">',
    ' <testcase name="containers[0] app: ghcr.io/acme/web:latest in deploy/web.yaml" classname="Deployment shop/web" file="deploy/web.yaml" line="12" time="0">',
    /^ {2}<failure message="\[LatestTag\] ImagePolicy shop\/web permits semver &gt;=1\.2\.3 &lt;2\.0\.0; .*" type="LatestTag">containers\[0\] &quot;app&quot;: .* Use ghcr\.io\/acme\/web:v1\.4\.2<\/failure>$/,
    ' </testcase>',
    /^ <testcase name="initContainers\[1\] proxy: ghcr\.io\/acme\/proxy:v1\.3\.0 in deploy\/web\.yaml" /,
    '  <skipped message="[Downgrade] v1.4.3 runs and is kept, since allowDowngrade is not set."/>',
    /^ {2}<system-out>initContainers/,
    ' </testcase>',
    '</testsuite>',
    /^<testsuite name="no namespace" tests="1" failures="0" errors="0" skipped="0"/,
    / classname="Pod tool-\*" time="0">$/,
    /^ {2}<system-out>.*\[Unmatched\]/,
    ' </testcase>',
    '</testsuite>',
    /^<testsuite name="deploy\/api\.yaml" tests="1" failures="0"/,
    /^ <testcase name="containers\[0\] api: ghcr\.io\/acme\/api:v1\.3\.0 in deploy\/api\.yaml"/,
    /^ {2}<system-out>.* becomes ghcr\.io\/acme\/api:v1\.4\.2@sha256:2+ /,
    ' </testcase>',
    '</testsuite>',
    /^<testsuite name="deploy\/broken\.yaml" tests="1" failures="0" errors="1"/,
    ' <testcase name="can be looked at" classname="deploy/broken.yaml" file="deploy/broken.yaml" line="3" time="0">',
    /^ {2}<error message="a tab may not stand here\. Indent with spaces" type="ERR_INVALID_POLICY">ERR_INVALID_POLICY deploy\/broken\.yaml:3:7: /,
    ' </testcase>',
    '</testsuite>',
    /^<testsuite name="tagwarden review" tests="1"/,
    ' <testcase name="every other image is permitted" classname="tagwarden review" time="0"/>',
    /^ <system-out>12 images in 9 objects in 3 files: 1 denied/,
    '</testsuite>',
    '</testsuites>',
    '',
  ])
  t.end()
})

t.test('two findings of one image are one case, as bad as the worse', (t) => {
  const findings = [finding({ level: 'warn', reason: 'TagMoved' }), finding()]
  const text = formatReport(report({ findings }), 'junit')
  t.match(text, /<testsuite name="deploy\/web\.yaml" tests="1" failures="1" errors="0" skipped="0"/)
  t.match(text, /<failure [^>]*type="LatestTag">[^<]*<\/failure>\n {2}<system-out>[^<]*TagMoved/)
  t.equal(text.match(/<testcase name="containers/g)?.length, 1)
  t.end()
})

t.test('GitLab, which takes equal class and name for one case, sees every file', (t) => {
  const at = (file: string) => ({ file, line: 1, column: 1, endLine: 1, endColumn: 2 })
  const findings = ['base/web.yaml', 'prod/web.yaml'].map((file) =>
    finding({ location: at(file), image: 'x'.repeat(5_000) }),
  )
  const text = formatReport(report({ findings }), 'junit')
  const keys = text.match(/ name="containers[^"]*" classname="[^"]*"/g) ?? []
  t.equal(new Set(keys).size, 2)
  t.end()
})

t.test('a report without findings has a case that passes', (t) => {
  const text = formatReport(report(), 'junit')
  t.match(text, /<testsuites name="tagwarden review" tests="1" failures="0" errors="0" skipped="0"/)
  t.end()
})
