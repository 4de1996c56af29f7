import assert from 'node:assert/strict'
import fc from 'fast-check'
import semver from 'semver'
import t from 'tap'
import { compileRule, type TagRule } from '../../src/tags/index.ts'
import { rule } from './arbitraries.ts'

function compile(range: string, parts: Partial<TagRule> = {}, identifier?: string) {
  return compileRule(rule({ semver: { range, identifier } }, parts))
}

function ranked(range: string, tags: readonly string[]): string[] {
  return compile(range)
    .rank(tags)
    .permitted.map(({ tag }) => tag)
}

t.test('versions rank as semver.org says', (t) => {
  const part = fc.oneof(fc.nat(3), fc.constantFrom(10, 99, 1023, 1024, 2097151, 2097152, 2 ** 40))
  const identifier = fc.oneof(
    fc.nat(11).map(String),
    fc.constantFrom('a', 'rc', 'RC', '-', '0a', 'rc-1'),
  )
  const prerelease = fc
    .array(identifier, { maxLength: 3 })
    .map((ids) => (ids.length > 0 ? `-${ids.join('.')}` : ''))
  const version = fc.tuple(part, part, part, prerelease).map(([a, b, c, d]) => `${a}.${b}.${c}${d}`)
  fc.assert(
    fc.property(fc.uniqueArray(version, { maxLength: 20 }), (versions) => {
      assert.deepStrictEqual(ranked('*-0', versions), semver.rsort([...versions]))
    }),
    { numRuns: 500 },
  )
  t.pass('as the semver package')
  t.end()
})

t.test('of equal versions the fuller spelling ranks higher, then the last in byte order', (t) => {
  const tags = ['1.2.3', 'v1.2.3', '1.2.3+b', '1.2.3+a', 'v1.2.3+a', '1.2.4', '1.2.2']
  const order = ['1.2.4', 'v1.2.3+a', '1.2.3+b', '1.2.3+a', 'v1.2.3', '1.2.3', '1.2.2']
  t.strictSame(ranked('*', tags), order)
  t.strictSame(ranked('*', tags.toReversed()), order)
  t.end()
})

t.test('equal extracts keep both tags', (t) => {
  const selector = compile('*', { pattern: '^(?P<v>[0-9.]+)-', extract: '$v' })
  t.strictSame(
    selector.rank(['1.2.3-b', '1.2.3-a', '1.2.3-abc', '1.2.4-x']).permitted.map(({ tag }) => tag),
    ['1.2.4-x', '1.2.3-abc', '1.2.3-b', '1.2.3-a'],
  )
  t.end()
})

t.test('numbers up to 2^64 - 1 are exact', (t) => {
  const tags = [
    '9007199254740992.0.0',
    '9007199254740993.0.0',
    '18446744073709551615.0.0',
    '1.9007199254740993.0',
    '1.9007199254740992.0',
    '1.0.9007199254740993',
    '1.0.9007199254740992',
    '1.0.0-99999999999999999999999',
    '1.0.0-9999999999999999999999',
  ]
  t.strictSame(ranked('*-0', tags), [
    '18446744073709551615.0.0',
    '9007199254740993.0.0',
    '9007199254740992.0.0',
    '1.9007199254740993.0',
    '1.9007199254740992.0',
    '1.0.9007199254740993',
    '1.0.9007199254740992',
    '1.0.0-99999999999999999999999',
    '1.0.0-9999999999999999999999',
  ])
  t.strictSame(ranked('*', ['18446744073709551616.0.0', '1.18446744073709551616.0']), [])
  t.end()
})

t.test('leading zeros are read as Flux reads them', (t) => {
  t.strictSame(ranked('>=2025.1.0', ['2025.02.03', '2025.10.01', '2024.12.31', '2025.2.4']), [
    '2025.10.01',
    '2025.2.4',
    '2025.02.03',
  ])
  t.end()
})

t.test('what is no version has its reason', (t) => {
  const selector = compile('*-0')
  const rows = [
    ...['', '1', '1.2', 'v1', '1.0', 'V1.2.3', 'vv1.2.3', '1.2.3.4', '1.2.3_4'],
    ...['1.2.3-01', '1.2.3-', '1.2.3+', ' 1.2.3', '1.2.3\n', '1.2.3\0', '-1.2.3', '1..3'],
    ...[
      'latest',
      '20240101',
      '1.2.x',
      '１.2.3',
      `1.2.${'3'.repeat(300)}`,
      `1.2.3-${'a'.repeat(260)}`,
    ],
  ]
  for (const tag of rows) {
    t.strictSame(
      selector.judge(tag),
      { permitted: false, tag, reason: 'NotAVersion' },
      tag.slice(0, 40),
    )
  }
  t.end()
})

t.test('an identifier is required and is not part of the version', (t) => {
  const rows: [
    identifier: string | undefined,
    parts: Partial<TagRule>,
    tag: string,
    ok: boolean,
  ][] = [
    [undefined, {}, '1.2.3', true],
    [undefined, {}, 'v1.2.3', true],
    ['', {}, 'v1.2.3', true],
    ['v', {}, 'v1.2.3', true],
    ['v', {}, '1.2.3', false],
    ['v', {}, 'vv1.2.3', false],
    ['release-', {}, 'release-1.2.3', true],
    ['release-', {}, 'release-v1.2.3', false],
    ['release-', {}, 'v1.2.3', false],
    ['release-', {}, 'release-', false],
    ['v1', {}, 'v11.2.3', true],
    ['v', { pattern: '^v(?P<n>.*)$', extract: '$n' }, 'v1.2.3', true],
    ['v', { pattern: '(?P<n>[0-9.]+)$', extract: '$n' }, '1.2.3', false],
    ['v', { pattern: '^(?P<n>v.*)-alpine$', extract: '$n' }, 'v1.2.3-alpine', true],
    ['v', { pattern: '^x', allow: ['^v1'] }, 'v1.2.3', true],
    ['v', { pattern: '^x', allow: ['^1'] }, '1.2.3', false],
  ]
  for (const [identifier, parts, tag, ok] of rows) {
    const verdict = compile('*', parts, identifier).judge(tag)
    const name = `${identifier} ${parts.pattern ?? ''} ${tag}`
    t.match(verdict, ok ? { permitted: true } : { reason: 'NotAVersion' }, name)
  }
  for (const identifier of ['+', '-v', ' ', 'v ', 'v:', '😀', 'x'.repeat(129)]) {
    t.throws(() => compile('*', {}, identifier), {
      code: 'ERR_INVALID_POLICY',
      remedy: /such as v or release-/,
      position: { file: '', field: 'order.semver.identifier' },
    })
  }
  t.end()
})

t.test('prereleases count where the range names one, or allow matches within its bounds', (t) => {
  const allow = ['-rc\\.']
  const rows: [range: string, allow: string[], tag: string, reason: string | undefined][] = [
    ['>=1.2.3 <2.0.0', [], '1.4.0-rc.1', 'Prerelease'],
    ['>=1.2.3 <2.0.0', [], '2.0.0-rc.1', 'Prerelease'],
    ['>=1.2.3 <2.0.0', [], '2.0.1-rc.1', 'OutOfRange'],
    ['>=1.2.3 <2.0.0', [], '1.2.3-rc.1', 'OutOfRange'],
    ['>=1.2.3-0 <2.0.0', [], '1.4.0-rc.1', undefined],
    ['>=1.2.3-0 <2.0.0', [], '2.0.0-rc.1', undefined],
    ['>=1.2.3-0 <2.0.0-0', [], '2.0.0-rc.1', 'OutOfRange'],
    ['>=1 <2 || >=3-0', [], '1.4.0-rc.1', 'Prerelease'],
    ['>=1 <2 || >=3-0', [], '3.4.0-rc.1', undefined],
    ['>=1.2.3 <2.0.0', allow, '1.4.0-rc.1', undefined],
    ['>=1.2.3 <2.0.0', allow, '1.4.0-beta.1', 'Prerelease'],
    ['>=1.2.3 <2.0.0', allow, '2.0.1-rc.1', 'OutOfRange'],
    ['>=1.2.3 <2.0.0-0', allow, '2.0.0-rc.1', 'OutOfRange'],
    ['>=1.2.3 <2.0.0', ['^2'], '2.1.0', 'OutOfRange'],
  ]
  for (const [range, allow, tag, reason] of rows) {
    const verdict = compile(range, { allow }).judge(tag)
    const expected = reason ? { permitted: false, reason } : { permitted: true }
    t.match(verdict, expected, `${range} ${allow} ${tag}`)
  }
  t.end()
})

t.test('a wrong range is named with its field, and the message shows the wrong part', (t) => {
  const rows: [range: string, message: RegExp][] = [
    ['', /"" is not a range of versions$/],
    ['1.0.0p', /"1.0.0p" is not a range of versions$/],
    ['>=1.0.0 || nope', /" nope" is no condition/],
    ['__proto__', /is not a range/],
    ['1'.repeat(513), /513 characters, at most 512/],
    ['1||'.repeat(40), /41 groups between \|\|, at most 32/],
    [`1${' '.repeat(510)}!`, /is not a range/],
  ]
  for (const [range, message] of rows) {
    t.throws(
      () => compile(range),
      {
        code: 'ERR_INVALID_POLICY',
        message,
        remedy: /such as >=1.2.3 <2.0.0/,
        position: { file: '', field: 'order.semver.range' },
      },
      range.slice(0, 40),
    )
  }
  t.ok(compile('1 '.repeat(255)), 'spaces at the end and many conditions are no matter')
  t.end()
})

t.test('the description says the range, and the prefix where it is not v', (t) => {
  t.equal(compile('>=1.2.3 <2.0.0').description, 'semver >=1.2.3 <2.0.0')
  t.equal(compile('^1', {}, 'v').description, 'semver ^1')
  t.equal(compile('^1', {}, 'release-').description, 'semver ^1 after release-')
  t.end()
})
