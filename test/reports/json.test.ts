import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { REASON_CODES } from '../../src/decisions/index.ts'
import { ERROR_TABLE } from '../../src/errors.ts'
import { DRIFT_CODES, formatReport } from '../../src/reports/index.ts'
import { differenceReport, fullReport, report } from './report.ts'

const SCHEMA = JSON.parse(
  readFileSync(new URL('../../docs/schemas/report.schema.json', import.meta.url), 'utf8'),
)
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const ajv = new Ajv2020({ allErrors: true, formats: { 'date-time': TIME } })
const valid = ajv.compile(SCHEMA)

t.test('the output is what its schema says', (t) => {
  for (const each of [
    fullReport(),
    differenceReport(),
    report(),
    report({ door: 'audit', interrupted: true }),
  ]) {
    t.ok(valid(JSON.parse(formatReport(each, 'json'))), JSON.stringify(valid.errors))
  }
  t.notOk(valid({ ...JSON.parse(formatReport(report(), 'json')), more: 1 }), 'no other fields')
  t.end()
})

t.test('fields stand in the order of the schema, and none is left out', (t) => {
  const full = JSON.parse(formatReport(differenceReport(), 'json'))
  const check = (value: unknown, schema: typeof SCHEMA, path: string): void => {
    const { $ref, oneOf } = schema
    if ($ref) {
      check(value, SCHEMA.$defs[$ref.slice('#/$defs/'.length)], path)
    } else if (oneOf) {
      if (value !== null) check(value, oneOf[1], path)
    } else if (Array.isArray(value)) {
      for (const each of value) check(each, schema.items, `${path}[]`)
    } else if (schema.properties) {
      t.strictSame(Object.keys(value as object), Object.keys(schema.properties), path)
      t.strictSame(schema.required, Object.keys(schema.properties), path)
      for (const [key, each] of Object.entries(value as object)) {
        check(each, schema.properties[key], `${path}.${key}`)
      }
    }
  }
  check(full, SCHEMA, '')
  t.equal(full.version, '1.0')
  t.end()
})

t.test('the schema knows every reason and error code', (t) => {
  t.strictSame(SCHEMA.$defs.finding.properties.reason.enum, [...REASON_CODES, ...DRIFT_CODES])
  t.strictSame(SCHEMA.$defs.problem.properties.code.enum, Object.keys(ERROR_TABLE))
  t.end()
})
