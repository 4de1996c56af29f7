import t from 'tap'
import { parseTraceparent } from '../../src/admission/index.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

t.test('a traceparent header gives the ids of trace and span', (t) => {
  const expected = { traceId: TRACE, spanId: SPAN }
  t.strictSame(parseTraceparent(`00-${TRACE}-${SPAN}-01`), expected)
  t.strictSame(parseTraceparent(`00-${TRACE}-${SPAN}-00`), expected, 'not sampled')
  t.strictSame(parseTraceparent(`cc-${TRACE}-${SPAN}-01`), expected, 'a later version')
  t.strictSame(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-comes`), expected, 'that goes on')
  t.end()
})

t.test('a header that is wrong counts as not sent', (t) => {
  const rows: (string | undefined)[] = [
    undefined,
    '',
    '-',
    '__proto__',
    'a'.repeat(300),
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01 `,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}\0-01`,
    `cc-${TRACE}-${SPAN}-01-${'x'.repeat(10_000)}`,
    `cc-${TRACE}-${SPAN}-01${'0'.repeat(10)}`,
  ]
  for (const header of rows) t.equal(parseTraceparent(header), undefined, String(header))
  t.end()
})
