import t from 'tap'
import { formatReport } from '../../src/reports/index.ts'
import { escapeMarkdown } from '../../src/reports/markdown.ts'
import { HOSTILE } from './arbitrary.ts'
import { differenceReport, finding, fullReport, report } from './report.ts'

t.test('a comment has a marker, a headline, a summary and a table', (t) => {
  const lines = formatReport(fullReport(), 'markdown').split('\n')
  t.matchOnly(lines, [
    '<!-- tagwarden-report: review -->',
    '### Tagwarden: ⛔ 1 image not permitted',
    '',
    /^12 images in 9 objects in 3 files&#58; 1 denied/,
    '',
    '#### Findings',
    '',
    '|  | Where | Image | Why | Use |',
    '| --- | --- | --- | --- | --- |',
    /^\| ⛔ deny \| <code>deploy\/web.yaml&#58;12&#58;16<\/code><br>Deployment shop\/web<br>containers&#91;0&#93; app \| <code>ghcr.io\/acme\/web&#58;latest<\/code> \| \*\*LatestTag\*\* ImagePolicy shop\/web permits semver &#62;=1.2.3 &#60;2.0.0; .* \| <code>ghcr.io\/acme\/web&#58;v1.4.2<\/code> \|$/,
    /^\| ⚠️ warn \| /,
    /^\| ℹ️ audit \| Pod tool-&#42;<br>containers&#91;0&#93; \| /,
    '',
    '#### Not looked at',
    '',
    '| What |',
    '| --- |',
    /^\| ERR&#95;INVALID&#95;POLICY deploy\/broken\.yaml&#58;3&#58;7/,
    '',
    '#### Would change',
    '',
    '| Where | Image | Becomes | Policy |',
    '| --- | --- | --- | --- |',
    /^\| <code>deploy\/api.yaml/,
    '',
  ])
  t.end()
})

t.test('the headline says the worst that there is', (t) => {
  const { problems } = fullReport()
  const head = (change: object) => formatReport(report(change), 'markdown').split('\n')[1]
  t.equal(head({}), '### Tagwarden: ✅ Every image is permitted')
  t.match(head({ findings: [finding({ level: 'warn' })] }), '⚠️ 1 image with warnings')
  t.match(head({ problems }), '⚠️ 1 place not looked at')
  const { difference } = differenceReport()
  t.match(head({ difference }), '⛔ 1 image would be newly denied')
  const none = { ...{ newlyDenied: 0, newlyWarned: 0, noLongerDenied: 3 }, gone: [] }
  const fewer = { ...none, noLongerWarned: 0, moved: 0 }
  t.match(head({ findings: [finding()], difference: fewer }), '✅ Nothing would be newly denied')
  t.match(head({ interrupted: true, door: 'audit' }), '⚠️ Stopped before its end')
  t.end()
})

t.test('a long table is folded, and a longer one is cut where GitHub would refuse it', (t) => {
  const findings = Array.from({ length: 11 }, () => finding())
  const folded = formatReport(report({ findings }), 'markdown')
  t.match(folded, '<details><summary>Findings: 11 findings</summary>\n\n|  | Where |')
  t.match(folded, ' |\n\n</details>\n')
  for (const count of [1000, 20_000]) {
    const many = Array.from({ length: count }, () => finding())
    const { changes } = fullReport()
    const text = formatReport(report({ findings: many, changes }), 'markdown')
    t.ok(text.length <= 65_536, `${text.length}`)
    t.ok(text.length > 60_000)
    t.match(text, /\nand [\d,]+ more findings, for which there is no room here\n/)
    t.match(text, '</details>')
    t.match(text, 'Would change')
  }
  t.end()
})

t.test('text from outside is shown as it is', (t) => {
  for (const hostile of HOSTILE) {
    const safe = escapeMarkdown(hostile).replaceAll('<!-- -->', '')
    t.notMatch(safe, /[<>|`*_[\]\\@~\r\n:]|#(?!\d+;)|&(?!#\d+;)/, hostile.slice(0, 40))
    t.ok(safe.isWellFormed())
  }
  t.equal(escapeMarkdown('@team #1 WWW.a'), '&#64;<!-- -->team &#35;<!-- -->1 WWW&#46;a')
  const text = formatReport(
    report({ findings: [finding({ use: 'www.evil.example' })] }),
    'markdown',
  )
  t.match(text, '<code>www&#46;evil.example</code>')
  t.end()
})
