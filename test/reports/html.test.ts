import { createHash } from 'node:crypto'
import t from 'tap'
import { ROW_LEVELS } from '../../src/reports/html_rows.ts'
import { formatReport, type Report } from '../../src/reports/index.ts'
import { LEVELS } from '../../src/reports/page/entries.ts'
import { HOSTILE } from './arbitrary.ts'
import { differenceReport, finding, fullReport, report } from './report.ts'

function hostileReport(text: string): Report {
  const subject = { apiVersion: text, kind: text, namespace: text, name: text }
  const location = { file: text, line: 1, column: 1, endLine: 1, endColumn: 1 }
  const each = { subject, container: text, pointer: text, policy: text, location }
  return fullReport({
    version: text,
    findings: [
      finding({ ...each, image: text, message: text, use: text, funnel: text, fingerprint: text }),
    ],
    changes: [{ ...each, from: text, to: text }],
    problems: [
      { code: 'ERR_CATALOG', place: text, line: undefined, column: undefined, message: text },
    ],
    notes: [text],
    funnels: {
      [text]: {
        repository: text,
        policy: text,
        steps: [{ label: text, count: 1 }],
        chosen: { tag: text, digest: text },
        losers: [{ tag: text, reason: text }],
        scannedAt: undefined,
      },
    },
  })
}

t.test('the page may run its own script and style, and nothing else', (t) => {
  const text = formatReport(fullReport(), 'html')
  const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(text) ?? []
  const hash = (part: string | undefined) =>
    `'sha256-${createHash('sha256')
      .update(part ?? '')
      .digest('base64')}'`
  const style = hash(/<style>([\s\S]*?)<\/style>/.exec(text)?.[1])
  const script = hash(/<script>([\s\S]*?)<\/script>/.exec(text)?.[1])
  t.strictSame(policy.split('; '), [
    "default-src 'none'",
    `script-src ${script}`,
    `style-src ${style}`,
    "base-uri 'none'",
    "form-action 'none'",
  ])
  t.notMatch(text, / style="| on[a-z]+="|<(?:link|img|iframe|base)\b| src="/)
  t.end()
})

t.test('no name of a report ends an element, or begins one', (t) => {
  const tags = (text: string) =>
    (text.replace(/<script>[\s\S]*?<\/script>/, '').match(/<[^>]*>/g) ?? [])
      .map((tag) => /^<\/?!?[a-z0-9]+/.exec(tag)?.[0] ?? tag)
      .filter((tag) => !/^<\/?(?:rect|text)$/.test(tag))
  const plain = tags(formatReport(hostileReport('web'), 'html')).join(' ')
  for (const text of HOSTILE.filter((each) => each !== '')) {
    const page = formatReport(hostileReport(text), 'html')
    t.equal(tags(page).join(' '), plain, text.slice(0, 40))
    t.notMatch(page, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e\ufffe\uffff]/)
    t.ok(page.isWellFormed())
    t.ok(page.length < 200_000)
  }
  t.end()
})

t.test('where no script may run, the worst findings are there all the same', (t) => {
  const findings = Array.from({ length: 120 }, (_, index) =>
    finding({ level: index < 60 ? 'warn' : 'deny' }),
  )
  const text = formatReport(report({ findings }), 'html')
  const [, rows = ''] = /<tbody id="rows"[^>]*>([\s\S]*?)<\/tbody>/.exec(text) ?? []
  t.equal(rows.match(/<tr /g)?.length, 100)
  t.match(rows, /^\n<tr role="row"><td role="cell"><span class="level deny">Denied<\/span>/)
  t.match(rows, 'newest is v1.4.2 (seen 3m ago).')
  t.match(text, 'The first 100 are shown; 20 others need it too.')
  t.end()
})

t.test('the headline says the worst that there is', (t) => {
  const { problems } = fullReport()
  const verdict = (change: Partial<Report>) =>
    /<p class="verdict (.*?)<\/p>/.exec(formatReport(report(change), 'html'))?.[1]
  t.equal(verdict({}), 'fine">Every image is permitted')
  t.equal(verdict({ findings: [finding()] }), 'deny">1 image not permitted')
  t.equal(verdict({ findings: [finding({ level: 'warn' })] }), 'warn">1 image with warnings')
  t.equal(verdict({ problems }), 'warn">1 place not looked at')
  t.equal(verdict({ interrupted: true }), 'warn">Stopped before its end')
  t.match(formatReport(report({ interrupted: true }), 'html'), 'what had been found by then')
  t.match(formatReport(report(), 'html'), 'There is nothing to say.')
  t.end()
})

t.test('an audit counts by namespace, a review by file, if there are several', (t) => {
  t.match(formatReport(fullReport(), 'html'), 'Findings by file')
  t.match(formatReport(differenceReport(), 'html'), 'Findings by namespace')
  const full = fullReport()
  const one = full.findings.map((each) => ({
    ...each,
    location: each.location && { ...each.location, file: '-' },
  }))
  const page = formatReport({ ...full, findings: one, changes: [], accepted: [] }, 'html')
  t.match(page, 'Findings by namespace')
  const text = formatReport(report({ findings: [finding({ location: undefined })] }), 'html')
  t.match(text, 'Findings by namespace')
  t.match(text, '<desc id="places-desc">shop: 1 denied</desc>')
  t.end()
})

t.test('the page knows the levels in the order in which they are told to it', (t) => {
  t.strictSame(
    LEVELS.map(([level]) => level),
    ROW_LEVELS,
  )
  t.end()
})
