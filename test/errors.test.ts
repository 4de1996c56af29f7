import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  describeError,
  ERROR_TABLE,
  type ErrorCode,
  formatPosition,
  type Position,
  TagwardenError,
} from '../src/errors.ts'

const CODES = Object.keys(ERROR_TABLE) as ErrorCode[]

t.test('the codes of failures are a closed list', (t) => {
  t.equal(CODES.length, 24, 'a new code is added here and in docs/errors.md')
  for (const code of CODES) {
    const [status, exit, meaning] = ERROR_TABLE[code]
    t.match(code, /^ERR(?:_[A-Z]+)+$/)
    t.ok(Number.isInteger(status) && status >= 400 && status <= 599, `${code}: HTTP ${status}`)
    t.equal(exit, 2, `${code}: could not do it`)
    t.match(meaning, /^[A-Z][^.]{10,}[^. ]$/, `${code}: ${meaning}`)
  }
  t.equal(new Set(CODES.map((code) => ERROR_TABLE[code][2])).size, CODES.length, 'no two are alike')
  t.end()
})

t.test('every code is explained in docs/errors.md, with its status, causes and a remedy', (t) => {
  const page = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8')
  const sections = page.split(/^## /m).slice(1)
  const headings = sections.map((section) => section.split('\n', 1)[0])
  t.strictSame(headings, CODES, 'one heading for each, in the order of the table')
  for (const [index, code] of CODES.entries()) {
    const [status, exit, meaning] = ERROR_TABLE[code]
    const section = sections[index] ?? ''
    t.ok(section.includes(`\n${meaning}. HTTP ${status}, exit ${exit}.\n`), `${code}: the facts`)
    t.match(section, /^- \*\*Causes\*\*: .{20,}\.$/m, `${code}: causes`)
    t.match(section, /^- \*\*Remedy\*\*: .{20,}\.$/m, `${code}: a remedy`)
  }
  t.end()
})

t.test('a failure carries its code, status, exit code, remedy, place and cause', (t) => {
  const cause = new Error('EACCES')
  const position = { file: 'web.yaml', line: 3 }
  const error = new TagwardenError('ERR_INVALID_POLICY', 'no order', {
    cause,
    position,
    remedy: 'Add one',
  })
  t.ok(error instanceof Error)
  t.match(error, { name: 'TagwardenError', code: 'ERR_INVALID_POLICY', message: 'no order' })
  t.match(error, { status: 422, exitCode: 2, remedy: 'Add one', position, cause })
  t.match(error.stack, /errors\.test\.ts/)

  const bare = new TagwardenError('ERR_LISTEN', 'port 1 is taken')
  t.match(bare, { status: 500, exitCode: 2, remedy: '', position: undefined })
  t.notOk(Object.hasOwn(bare, 'cause'), 'no cause is no property')
  t.end()
})

t.test('a place in a file is written as editors read it', (t) => {
  const rows: [position: Position, text: string][] = [
    [{ file: 'a.yaml' }, 'a.yaml'],
    [{ file: 'a.yaml', line: 3 }, 'a.yaml:3'],
    [{ file: 'a.yaml', line: 3, column: 7 }, 'a.yaml:3:7'],
    [{ file: 'a.yaml', column: 7 }, 'a.yaml'],
    [{ file: 'a.yaml', line: 0, column: 7 }, 'a.yaml'],
    [{ file: 'a.yaml', line: 3, column: 0 }, 'a.yaml:3'],
    [{ file: 'a.yaml', line: undefined, column: undefined, field: 'spec' }, 'a.yaml'],
  ]
  for (const [position, text] of rows) t.equal(formatPosition(position), text)
  t.end()
})

t.test('a failure is told in one line: where, what, what to do', (t) => {
  const told = (position?: Position, remedy?: string) =>
    describeError(new TagwardenError('ERR_INVALID_POLICY', 'no range', { position, remedy }))
  t.equal(told(), 'no range')
  t.equal(told(undefined, 'Add one'), 'no range. Add one')
  t.equal(told({ file: 'a.yaml', line: 3, column: 7 }), 'a.yaml:3:7: no range')
  t.equal(
    told({ file: 'a.yaml', line: 3, field: 'spec.order' }, 'Add one'),
    'a.yaml:3: spec.order: no range. Add one',
  )
  t.equal(describeError(new Error('boom')), 'boom', 'any other error by its message')
  t.equal(describeError('boom'), 'boom', 'anything else as a text')
  t.equal(describeError(undefined), 'undefined')
  t.end()
})
