import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { compileRule, type Ranking, type TagReason } from '../../src/tags/index.ts'
import { ASCENDING, digestOf, rule, selector, tag, tags } from './arbitraries.ts'

/** All that a ranking says. */
function contents(ranking: Ranking) {
  const { counts, permitted } = ranking
  return { counts, permitted, losers: ranking.losers() }
}

t.test('the order and number of times that tags arrive in do not matter', (t) => {
  fc.assert(
    fc.property(selector, tags, fc.infiniteStream(fc.nat()), (selector, tags, numbers) => {
      const shuffled = [...tags, ...tags.slice(0, 3)]
        .map((tag) => ({ tag, at: numbers.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ tag }) => tag)
      assert.deepStrictEqual(
        contents(selector.rank(shuffled, digestOf)),
        contents(selector.rank(tags, digestOf)),
      )
    }),
    { numRuns: 500 },
  )
  t.pass('holds')
  t.end()
})

t.test('every tag is either permitted or has the reason that judge gives', (t) => {
  fc.assert(
    fc.property(selector, tags, (selector, tags) => {
      const { counts, permitted, losers } = contents(selector.rank(tags, digestOf))
      const distinct = new Set(tags)
      assert.equal(counts.tags, distinct.size)
      assert.equal(counts.permitted, permitted.length)
      assert.equal(permitted.length + losers.length, distinct.size)
      const lost = (...reasons: TagReason[]) =>
        losers.filter(({ reason }) => reasons.includes(reason)).length
      assert.equal(counts.matched, counts.tags - lost('Artifact', 'Ignored', 'NotMatched'))
      assert.equal(counts.versions, counts.matched - lost('NotAVersion', 'NotANumber'))
      for (const candidate of permitted) {
        assert.deepStrictEqual(selector.judge(candidate.tag, digestOf), {
          permitted: true,
          ...candidate,
        })
      }
      for (const loser of losers) {
        assert.deepStrictEqual(selector.judge(loser.tag, digestOf), { permitted: false, ...loser })
      }
      assert.deepStrictEqual(new Set([...permitted, ...losers].map(({ tag }) => tag)), distinct)
    }),
    { numRuns: 300 },
  )
  t.pass('holds')
  t.end()
})

t.test('which of two tags outranks the other is told although the rule permits neither', (t) => {
  fc.assert(
    fc.property(selector, tag, tag, (selector, a, b) => {
      const [best, other] = selector.rank([a, b]).permitted
      if (other && !('digest' in selector.rule.order)) {
        assert.equal(selector.outranks(a, b), best?.tag === a && a !== b)
      }
      assert.ok(!(selector.outranks(a, b) && selector.outranks(b, a)))
    }),
    { numRuns: 500 },
  )
  const ignore = ['^v1\\.4\\.2$']
  const semver = compileRule(rule({ semver: { range: '^1.2' } }, { ignore }))
  const extracting = {
    pattern: '^build-(?P<number>[0-9]+)$',
    extract: '$number',
    ignore: ['^build-9$'],
  }
  const numerical = compileRule(rule({ numerical: ASCENDING }, extracting))
  const alphabetical = compileRule(rule({ alphabetical: ASCENDING }, extracting))
  const followed = compileRule(rule({ digest: { follow: 'v2.0.0' } }))
  const rows = [
    [semver, 'v1.4.3', 'v1.4.2', true],
    [semver, 'v1.4.2', 'v1.4.1', true],
    [semver, 'v1.4.1', 'v1.4.2', false],
    [semver, 'v1.4.2', 'v1.4.2', false],
    [semver, 'v2.0.0', 'v1.4.2', true],
    [semver, 'v1.5.0', 'v1.5.0-rc.1', true],
    [semver, 'v1.5.0', 'stable', false],
    [semver, 'stable', 'v1.5.0', false],
    [semver, 'v1.5.0', `sha256-${'a'.repeat(64)}`, false],
    [numerical, 'build-10', 'build-9', true],
    [numerical, 'build-10', '9', true],
    [numerical, 'build-10', 'other-9', false],
    [alphabetical, 'build-9', 'build-10', true],
    [alphabetical, 'build-9', '1', false],
    [followed, 'v2.0.0', 'v1.0.0', false],
  ] as const
  for (const [selector, a, b, expected] of rows) {
    t.equal(selector.outranks(a, b), expected, `${selector.description}: ${a}, ${b}`)
  }
  t.end()
})

t.test('the best of many is the best of each pair', (t) => {
  fc.assert(
    fc.property(selector, tags, tag, (selector, tags, other) => {
      const order = selector.rank(tags, digestOf).permitted.map(({ tag }) => tag)
      const more = selector.rank([...tags, other], digestOf).permitted.map(({ tag }) => tag)
      assert.deepStrictEqual(
        more.filter((tag) => tags.includes(tag)),
        order,
        'one more tag leaves the order of the others',
      )
    }),
    { numRuns: 500 },
  )
  t.pass('holds')
  t.end()
})

t.test('reranking after a change gives what ranking the changed list gives', (t) => {
  const change = fc.record({
    added: fc.array(tag, { maxLength: 4 }),
    removed: fc.array(tag, { maxLength: 4 }),
  })
  const some = fc.array(fc.nat(), { maxLength: 3 })
  fc.assert(
    fc.property(
      selector,
      fc.array(tag, { maxLength: 120 }),
      fc.array(fc.tuple(change, some), { minLength: 1, maxLength: 4 }),
      (selector, tags, changes) => {
        let ranking = selector.rank(tags, digestOf)
        const present = new Set(tags)
        for (const [{ added, removed }, indexes] of changes) {
          const there = [...present]
          const gone = [...removed, ...indexes.flatMap((i) => there[i % there.length] ?? [])]
          ranking = selector.rerank(ranking, { added, removed: gone }, digestOf)
          for (const tag of gone) present.delete(tag)
          for (const tag of added) present.add(tag)
          assert.deepStrictEqual(contents(ranking), contents(selector.rank([...present], digestOf)))
        }
      },
    ),
    { numRuns: 400 },
  )
  t.pass('holds')
  t.end()
})

t.test('reranking thousands of tags, tag by tag and at once, keeps them all', (t) => {
  const selector = compileRule(rule({ semver: { range: '*-0' } }))
  const name = (i: number) => (i % 3 === 0 ? `main-${i}` : `v1.${i % 50}.${i}`)
  const names = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => name(from + i))
  const before = selector.rank(names(0, 3000))
  const whole = contents(before)
  let ranking = before
  for (const tag of names(3000, 4200))
    ranking = selector.rerank(ranking, { added: [tag], removed: [] })
  t.strictSame(contents(ranking), contents(selector.rank(names(0, 4200))), '1,200 tags were added')
  for (const tag of names(0, 1200))
    ranking = selector.rerank(ranking, { added: [], removed: [tag] })
  t.strictSame(contents(ranking), contents(selector.rank(names(1200, 4200))), 'and others removed')
  ranking = selector.rerank(ranking, { added: names(0, 1200), removed: names(3000, 4200) })
  t.strictSame(contents(ranking), whole, 'and all of it taken back at once')
  t.strictSame(contents(before), whole, 'the first ranking is as it was')
  t.end()
})

t.test('a change that changes nothing, and one that says a tag comes and goes', (t) => {
  const selector = compileRule(rule({ alphabetical: ASCENDING }))
  const ranking = selector.rank(['c', 'a', 'b'])
  const rows: [added: string[], removed: string[], tags: string[]][] = [
    [[], [], ['a', 'b', 'c']],
    [['a'], ['x'], ['a', 'b', 'c']],
    [['b'], ['b'], ['a', 'b', 'c']],
    [['x'], ['x'], ['a', 'b', 'c', 'x']],
    [
      ['x', 'x'],
      ['c', 'c'],
      ['a', 'b', 'x'],
    ],
    [[], ['a', 'b', 'c'], []],
  ]
  for (const [added, removed, tags] of rows) {
    const next = selector.rerank(ranking, { added, removed })
    t.strictSame(contents(next), contents(selector.rank(tags)), `+${added} -${removed}`)
  }
  t.end()
})

t.test('a ranking of another selector cannot be reranked', (t) => {
  const one = compileRule(rule({ alphabetical: ASCENDING }))
  const other = compileRule(rule({ alphabetical: ASCENDING }))
  const change = { added: ['b'], removed: [] }
  t.throws(() => other.rerank(one.rank(['a']), change), TypeError)
  t.throws(() => one.rerank({ ...one.rank(['a']) }, change), TypeError)
  t.end()
})

t.test('losers come with the versions first, best first, then the rest in byte order', (t) => {
  const selector = compileRule(
    rule({ semver: { range: '>=1.2.3 <2.0.0' } }, { pattern: '^v|^main', ignore: ['beta'] }),
  )
  const ranking = selector.rank([
    'main-2',
    'v1.2',
    'v1.3.0-beta.1',
    'v0.9.0',
    'v1.4.0-rc.1',
    'v2.1.0',
    'v1.4.0',
    'v1.2.3',
    'nightly',
    'main-1',
    `sha256-${'0'.repeat(64)}`,
  ])
  t.strictSame(contents(ranking), {
    counts: { tags: 11, matched: 8, versions: 5, permitted: 2 },
    permitted: [
      { tag: 'v1.4.0', version: 'v1.4.0', build: undefined },
      { tag: 'v1.2.3', version: 'v1.2.3', build: undefined },
    ],
    losers: [
      { tag: 'v2.1.0', reason: 'OutOfRange' },
      { tag: 'v1.4.0-rc.1', reason: 'Prerelease' },
      { tag: 'v0.9.0', reason: 'OutOfRange' },
      { tag: 'main-1', reason: 'NotAVersion' },
      { tag: 'main-2', reason: 'NotAVersion' },
      { tag: 'nightly', reason: 'NotMatched' },
      { tag: `sha256-${'0'.repeat(64)}`, reason: 'Artifact' },
      { tag: 'v1.2', reason: 'NotAVersion' },
      { tag: 'v1.3.0-beta.1', reason: 'Ignored' },
    ],
  })
  t.end()
})
