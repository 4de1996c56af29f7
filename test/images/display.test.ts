import fc from 'fast-check'
import t from 'tap'
import { displayImage } from '../../src/images/index.ts'

t.test('any value can be shown in a message', (t) => {
  const rows: [value: unknown, shown: string][] = [
    ['ghcr.io/acme/web:v1.4.2', 'ghcr.io/acme/web:v1.4.2'],
    [`web@sha256:${'0'.repeat(64)}`, `web@sha256:${'0'.repeat(64)}`],
    ['[::1]:5000/web', '[::1]:5000/web'],
    ['', '""'],
    ['web ok', '"web ok"'],
    ['say "hi"\\', '"say \\"hi\\"\\\\"'],
    ['a\nb\tc\r', '"a\\nb\\tc\\r"'],
    ['\0', '"\\u0000"'],
    ['\u001b[2J\u009b1m\u007f', '"\\u001b[2J\\u009b1m\\u007f"'],
    ['\u202egpj', '"\\u202egpj"'],
    ['аcme', '"\\u0430cme"'],
    ['😀', '"\\ud83d\\ude00"'],
    ['\ud800', '"\\ud800"'],
    ['x'.repeat(200), 'x'.repeat(200)],
    ['x'.repeat(201), `"${'x'.repeat(197)}…"`],
    [' '.repeat(198), `"${' '.repeat(198)}"`],
    [' '.repeat(199), `"${' '.repeat(197)}…"`],
    ['x'.repeat(3_000_000), `"${'x'.repeat(197)}…"`],
    [undefined, 'nothing'],
    [null, 'null'],
    [true, 'true'],
    [-1.5, '-1.5'],
    [Number.NaN, 'NaN'],
    [[], 'a list'],
    [{ toString: null }, 'an object'],
    [Object.create(null), 'an object'],
    [() => 1, 'a function'],
    [Symbol('\u001b'), 'a symbol'],
    [1n, 'a bigint'],
  ]
  for (const [value, shown] of rows) t.equal(displayImage(value), shown, shown.slice(0, 60))
  t.end()
})

t.test('whatever is shown is one short line of printable text', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.anything()), (value) =>
      /^[\x20-\x7e…]{1,200}$/.test(displayImage(value)),
    ),
    { numRuns: 1000 },
  )
  t.pass('no control character, no terminal escape, at most 200 characters')
  t.end()
})
