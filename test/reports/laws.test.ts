import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { FORMS, formatReport } from '../../src/reports/index.ts'
import { anyReport } from './arbitrary.ts'
import { sarifFaults } from './sarif_schema.ts'

const RUNS = { numRuns: 60 }
const options = {
  exitCode: 1,
  colour: false,
  width: 100,
}

t.test('every form takes any report, gives the same twice, and ends with a line break', (t) => {
  fc.assert(
    fc.property(anyReport, (report) => {
      for (const form of FORMS) {
        const text = formatReport(report, form, options)
        if (text !== formatReport(structuredClone(report), form, options)) return false
        if (!text.endsWith('\n') || !text.isWellFormed()) return false
      }
      return true
    }),
    RUNS,
  )
  t.end()
})

t.test('json and sarif can be parsed, and sarif is valid', (t) => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const json = JSON.parse(formatReport(report, 'json'))
      assert.equal(json.findings.length, report.findings.length)
      const log = JSON.parse(formatReport(report, 'sarif', options))
      assert.deepEqual(sarifFaults(log), [])
      assert.equal(log.runs[0].results.length, report.findings.length)
    }),
    RUNS,
  )
  t.end()
})

t.test('what is read by lines has no line, command or escape of a name', (t) => {
  fc.assert(
    fc.property(anyReport, (report) => {
      for (const form of ['text', 'github', 'markdown', 'junit'] as const) {
        const text = formatReport(report, form, options)
        assert.doesNotMatch(
          text,
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/,
          form,
        )
      }
      const { findings, problems } = report
      const commands = formatReport(report, 'github').match(/^\s*::(?!group|endgroup)/gm) ?? []
      assert.ok(commands.length <= findings.length + problems.length)
      assert.doesNotMatch(formatReport(report, 'text'), /^\s*::|##\w*\[/m)
      assert.doesNotMatch(formatReport(report, 'github'), /##\w*\[/)
    }),
    RUNS,
  )
  t.end()
})

t.test('markdown has no markup but our own, and fits into a comment', (t) => {
  fc.assert(
    fc.property(anyReport, (report) => {
      const text = formatReport(report, 'markdown')
      assert.ok(text.length <= 65_536)
      const tags = text.match(/<[^>]*>/g) ?? []
      assert.deepEqual(
        tags.filter(
          (tag) =>
            !/^<(?:\/?(?:code|details|summary)|br|!-- (?:tagwarden-report: \w+ )?--)>$/.test(tag),
        ),
        [],
      )
      for (const line of text.split('\n').filter((each) => each.startsWith('|'))) {
        assert.match(`${line.split('|').length}`, /^(?:3|6|7)$/, line)
      }
    }),
    RUNS,
  )
  t.end()
})
