import fc from 'fast-check'
import { REASON_CODES } from '../../src/decisions/index.ts'
import { ERROR_TABLE, type ErrorCode } from '../../src/errors.ts'
import {
  DRIFT_CODES,
  type Location,
  type Report,
  type ReportFinding,
} from '../../src/reports/index.ts'

/** Names that try to be something else. */
export const HOSTILE: readonly string[] = [
  '',
  '__proto__',
  'constructor',
  '<img src=x onerror=document.title="owned">',
  '</script><script>document.title="owned"</script>',
  '<!--<script>',
  ']]>',
  '"><svg onload=alert(1)>',
  "' onfocus='alert(1)",
  '&lt;b&gt; &amp; &#60;',
  '| a | `b` **c** [d](https://evil.example) ![e](x) <details>',
  '@everyone #1 GH-1 https://evil.example www.evil.example a@evil.example',
  '\r\n::error file=a.yaml,line=1::owned\r\n##[set-output name=a]b ##vso[task.setvariable]c',
  '%0A%0D::stop-commands::x',
  '\u001b[2J\u001b]0;owned\u0007\u0000\u0008\u007f\u009b',
  '\u202egnp.exe\u2066\u2069\u200b\ufeff\u2028\u2029',
  '\ud800',
  'a\udc00b',
  '\uffff\ufffe\ufdd0',
  'ünïcödé 漢字 🚢',
  'x'.repeat(10_000),
  '<b>'.repeat(3000),
  '../../etc/passwd',
  '/etc/passwd',
  'C:\\windows\\system32',
  'a b/c#d?e%20f:g.yaml',
  'javascript:alert(1)',
  '\\u003cb\\u003e',
  '${{ secrets.TOKEN }} {{ 7*7 }} $(id) `id`',
]

/** Any text, most often a hostile one. */
const text: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...HOSTILE), fc.string()).map(([a, b]) => a + b),
  },
)

const optional = fc.option(text, { nil: undefined })
const place = fc.integer({ min: 1, max: 100_000 })

const location: fc.Arbitrary<Location | undefined> = fc.option(
  fc
    .record({ file: text, line: place, column: place, length: fc.nat(300) })
    .map(({ file, line, column, length }) => {
      return { file, line, column, endLine: line, endColumn: column + length }
    }),
  { nil: undefined },
)

const subject = fc.record({ apiVersion: text, kind: text, namespace: optional, name: text })

const finding: fc.Arbitrary<ReportFinding> = fc.record({
  level: fc.constantFrom('deny', 'warn', 'audit'),
  reason: fc.constantFrom(...REASON_CODES, ...DRIFT_CODES),
  policy: optional,
  subject,
  container: optional,
  pointer: text,
  image: text,
  message: text,
  use: optional,
  location,
  funnel: optional,
  fingerprint: text,
})

const change = fc.record({
  ...{ subject, container: optional, pointer: text, from: text, to: text, policy: text },
  location,
})

const problem = fc.record({
  code: fc.constantFrom(...(Object.keys(ERROR_TABLE) as ErrorCode[])),
  place: text,
  line: fc.option(place, { nil: undefined }),
  column: fc.option(place, { nil: undefined }),
  message: text,
})

const funnel = fc.record({
  repository: text,
  policy: text,
  steps: fc.array(fc.record({ label: text, count: fc.nat() }), { maxLength: 5 }),
  chosen: fc.option(fc.record({ tag: text, digest: optional }), { nil: undefined }),
  losers: fc.array(fc.record({ tag: text, reason: text }), { maxLength: 10 }),
  scannedAt: fc.option(fc.double(), { nil: undefined }),
})

/** A report that fits the types, whatever it says. */
export const anyReport: fc.Arbitrary<Report> = fc.record({
  door: fc.constantFrom('review', 'audit'),
  version: text,
  startedAt: fc.double(),
  finishedAt: fc.double(),
  interrupted: fc.boolean(),
  totals: fc.record({
    files: fc.nat(),
    objects: fc.nat(),
    images: fc.nat(),
    denied: fc.nat(),
    warned: fc.nat(),
    audited: fc.nat(),
    changed: fc.nat(),
    accepted: fc.nat(),
  }),
  findings: fc.array(finding, { maxLength: 14 }),
  accepted: fc.option(
    fc.array(
      fc.record({ finding, by: fc.constantFrom('baseline', 'exception'), justification: text }),
      { maxLength: 2 },
    ),
    { nil: undefined },
  ),
  changes: fc.array(change, { maxLength: 12 }),
  problems: fc.array(problem, { maxLength: 12 }),
  funnels: fc.dictionary(text, funnel, { maxKeys: 3 }),
  notes: fc.option(fc.array(text, { maxLength: 7 }), { nil: undefined }),
  difference: fc.option(
    fc.record({
      newlyDenied: fc.nat(),
      newlyWarned: fc.nat(),
      noLongerDenied: fc.nat(),
      noLongerWarned: fc.nat(),
      moved: fc.nat(),
      gone: fc.array(finding, { maxLength: 3 }),
    }),
    { nil: undefined },
  ),
})
