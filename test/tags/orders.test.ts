import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { compileRule, type TagOrder, type TagRule } from '../../src/tags/index.ts'
import { ASCENDING, DESCENDING, DIGESTS, rule } from './arbitraries.ts'

function ranked(order: TagOrder, tags: readonly string[], parts: Partial<TagRule> = {}): string[] {
  return compileRule(rule(order, parts))
    .rank(tags)
    .permitted.map(({ tag }) => tag)
}

t.test('alphabetical: the last in byte order is the newest when ascending', (t) => {
  const tags = ['b', 'a', 'Z', '10', '9', 'é', 'ab', '😀', '\uffee', '_', '']
  const ascending = ['😀', '\uffee', 'é', 'b', 'ab', 'a', '_', 'Z', '9', '10', '']
  t.strictSame(ranked({ alphabetical: ASCENDING }, tags), ascending)
  t.strictSame(ranked({ alphabetical: DESCENDING }, tags), ascending.toReversed())
  t.end()
})

t.test('alphabetical order is that of UTF-8 bytes', (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 4 })), (tags) => {
      const bytes = tags.toSorted((a, b) => Buffer.compare(Buffer.from(b), Buffer.from(a)))
      assert.deepStrictEqual(ranked({ alphabetical: ASCENDING }, tags), bytes)
    }),
    { numRuns: 500 },
  )
  t.pass('as Buffer.compare')
  t.end()
})

t.test('numerical: decimals are exact, however long', (t) => {
  const tags = [
    '20240102030405123456789',
    '20240102030405123456790',
    '9007199254740992',
    '9007199254740993',
    `1${'0'.repeat(400)}`,
    `-1${'0'.repeat(400)}`,
    `1${'0'.repeat(399)}1`,
    '0.1',
    '0.10000000000000000000001',
    '-0.5',
    '-1',
    '-2',
    '10',
    '9',
  ]
  const ascending = [
    `1${'0'.repeat(399)}1`,
    `1${'0'.repeat(400)}`,
    '20240102030405123456790',
    '20240102030405123456789',
    '9007199254740993',
    '9007199254740992',
    '10',
    '9',
    '0.10000000000000000000001',
    '0.1',
    '-0.5',
    '-1',
    '-2',
    `-1${'0'.repeat(400)}`,
  ]
  t.strictSame(ranked({ numerical: ASCENDING }, tags), ascending)
  t.strictSame(ranked({ numerical: DESCENDING }, tags), ascending.toReversed())
  t.end()
})

t.test('numerical: of equal numbers the fuller spelling ranks higher in both directions', (t) => {
  const tags = ['7', '007', '7.0', '-0', '0', '0.00', '-0.0']
  t.strictSame(ranked({ numerical: ASCENDING }, tags), [
    '7.0',
    '007',
    '7',
    '0.00',
    '-0.0',
    '-0',
    '0',
  ])
  t.strictSame(ranked({ numerical: DESCENDING }, tags), [
    '0.00',
    '-0.0',
    '-0',
    '0',
    '7.0',
    '007',
    '7',
  ])
  t.end()
})

t.test('numerical order is that of exact fractions', (t) => {
  const digits = fc.string({ unit: fc.constantFrom(...'0019'), minLength: 1, maxLength: 25 })
  const decimal = fc
    .tuple(fc.constantFrom('', '-'), digits, fc.option(digits))
    .map(([sign, whole, part]) => `${sign}${whole}${part === null ? '' : `.${part}`}`)
  const exact = (text: string): bigint => {
    const [whole = '', part = ''] = text.split('.')
    return (
      BigInt(`${whole.replace('-', '')}${part.padEnd(25, '0')}`) * (text.startsWith('-') ? -1n : 1n)
    )
  }
  fc.assert(
    fc.property(fc.uniqueArray(decimal, { maxLength: 12 }), (tags) => {
      const values = ranked({ numerical: ASCENDING }, tags).map(exact)
      assert.equal(values.length, tags.length)
      assert.deepStrictEqual(
        values,
        values.toSorted((a, b) => (a < b ? 1 : a > b ? -1 : 0)),
      )
    }),
    { numRuns: 1000 },
  )
  t.pass('as bigints')
  t.end()
})

t.test('numerical: what is no number is skipped with its reason and fails nothing', (t) => {
  const wrong = [
    '',
    '-',
    '.',
    '1.',
    '.5',
    '+1',
    '1e3',
    '0x1',
    '1_000',
    'NaN',
    'Infinity',
    '1 ',
    '1\n',
  ]
  const selector = compileRule(rule({ numerical: ASCENDING }))
  for (const tag of [...wrong, '--1', '1.2.3', '１', 'main', '__proto__']) {
    t.strictSame(selector.judge(tag), { permitted: false, tag, reason: 'NotANumber' }, tag)
  }
  const ranking = selector.rank([...wrong, '1'])
  t.match(ranking.counts, { tags: 14, matched: 14, versions: 1, permitted: 1 })
  t.end()
})

t.test(
  'what a pattern leaves out has a place in the order only where its whole name is one',
  (t) => {
    const above = (extract: string | undefined, other: string) =>
      compileRule(
        rule({ alphabetical: ASCENDING }, { pattern: '^main-(?P<ts>[0-9]+)$', extract }),
      ).outranks('main-2', other)
    t.equal(above(undefined, 'dev-9'), true)
    t.equal(above(undefined, 'next'), false)
    t.equal(above('$ts', 'dev-9'), false, 'of another tag nobody knows which part would count')
    t.equal(above('$ts', 'main-1'), true)
    t.equal(above(undefined, 'dev-9.sig'), false, 'a signature is no version')
    t.end()
  },
)

t.test('numerical: numbers that a computer rounds to the same one are told apart', (t) => {
  const falling = [
    '100000000000000000000',
    '99999999999999999999',
    '9007199254740992.5',
    '9007199254740992',
    '20261126120000.000000002',
    '20261126120000.000000001',
    '-9007199254740992',
    '-9007199254740992.5',
    '-99999999999999999999',
    '-100000000000000000000',
  ]
  const mixed = falling.toSorted()
  t.strictSame(ranked({ numerical: ASCENDING }, mixed), falling)
  t.strictSame(ranked({ numerical: DESCENDING }, mixed), falling.toReversed())
  t.end()
})

t.test('numerical: build numbers and timestamps of branch builds', (t) => {
  const parts = { pattern: '^main-[a-fA-F0-9]+-(?P<ts>.*)', extract: '$ts' }
  const tags = ['main-ab12-9', 'main-ff00-10', 'main-0-x', 'dev-0-99', 'main-ab-10']
  t.strictSame(ranked({ numerical: ASCENDING }, tags, parts), [
    'main-ff00-10',
    'main-ab-10',
    'main-ab12-9',
  ])
  t.end()
})

t.test('digest: only listed digests are permitted, in the order of the list', (t) => {
  const [a, b, c] = DIGESTS as [string, string, string]
  const digests = new Map([
    ['latest', b],
    ['1.2.3', b],
    ['1.2', b],
    ['1.10.0', b],
    ['0.9.0', a],
    ['0.9', a],
    ['other', c],
  ])
  const selector = compileRule(rule({ digest: { allowed: [a, b, a] } }, { ignore: ['^x'] }))
  const digestOf = (tag: string) => digests.get(tag)
  const ranking = selector.rank(['new', 'x1', ...digests.keys()], digestOf)
  t.strictSame(
    ranking.permitted.map(({ tag }) => tag),
    ['0.9.0', '0.9', '1.10.0', '1.2.3', 'latest', '1.2'],
    'of one digest versions come first, then the fuller spelling',
  )
  t.strictSame(ranking.counts, { tags: 9, matched: 8, versions: 8, permitted: 6 })
  t.strictSame(ranking.losers(), [
    { tag: 'other', reason: 'DigestNotAllowed' },
    { tag: 'new', reason: 'DigestUnknown' },
    { tag: 'x1', reason: 'Ignored' },
  ])
  t.strictSame(selector.judge('1.2.3'), { permitted: false, tag: '1.2.3', reason: 'DigestUnknown' })
  t.equal(selector.description, 'one of 3 digests')
  t.equal(compileRule(rule({ digest: { allowed: [a] } })).description, `digest ${a}`)
  digests.set('new', a)
  const again = selector.rerank(ranking, { added: [], removed: ['0.9'] }, digestOf)
  t.equal(again.permitted[1]?.tag, 'new', 'reranking looks at the digests anew')
  t.end()
})

t.test('digest: a followed tag is the only one permitted', (t) => {
  const selector = compileRule(rule({ digest: { follow: 'stable' } }))
  t.equal(selector.description, 'digest behind tag stable')
  t.match(selector.judge('stable'), { permitted: true, version: 'stable' })
  t.match(selector.judge('Stable'), { permitted: false, reason: 'NotFollowed' })
  const ranking = selector.rank(['v1.2.3', 'stable', 'edge'])
  t.strictSame(ranking.losers(), [
    { tag: 'v1.2.3', reason: 'NotFollowed' },
    { tag: 'edge', reason: 'NotFollowed' },
  ])
  t.strictSame(selector.rank(['edge']).permitted, [])
  t.end()
})

t.test('digest: a wrong list or tag is named with its field', (t) => {
  const rows: [order: TagOrder, parts: Partial<TagRule>, field: string, message: RegExp][] = [
    [{ digest: { allowed: [] } }, {}, 'order.digest.allowed', /empty/],
    [
      { digest: { allowed: [DIGESTS[0]!, 'sha256:beef'] } },
      {},
      'order.digest.allowed[1]',
      /"sha256:beef"/,
    ],
    [
      { digest: { allowed: [DIGESTS[0]!.toUpperCase()] } },
      {},
      'order.digest.allowed[0]',
      /not a digest/,
    ],
    [{ digest: { follow: '' } }, {}, 'order.digest.follow', /"" is not a tag/],
    [{ digest: { follow: 'a b' } }, {}, 'order.digest.follow', /"a b" is not a tag/],
    [{ digest: { follow: 'x'.repeat(129) } }, {}, 'order.digest.follow', /not a tag/],
    [{ digest: { follow: 'edge' } }, { pattern: '^v' }, 'order.digest.follow', /NotMatched/],
    [{ digest: { follow: 'edge' } }, { ignore: ['edge'] }, 'order.digest.follow', /Ignored/],
  ]
  for (const [order, parts, field, message] of rows) {
    t.throws(
      () => compileRule(rule(order, parts)),
      { code: 'ERR_INVALID_POLICY', message, remedy: /./, position: { file: '', field } },
      JSON.stringify(order).slice(0, 80),
    )
  }
  t.end()
})
