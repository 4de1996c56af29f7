import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RE2JS } from 're2js'
import t from 'tap'
import { compileRule, type TagRule } from '../../src/tags/index.ts'
import { nativeRegExp } from '../../src/tags/native_pattern.ts'
import { compilePattern } from '../../src/tags/pattern.ts'
import { ASCENDING, HOSTILE, rule, tag } from './arbitraries.ts'

const alphabetical = { alphabetical: ASCENDING }

function compile(parts: Partial<TagRule>) {
  return compileRule(rule(alphabetical, parts))
}

t.test('a wrong pattern is named with its field, and the message says what to do', (t) => {
  const rows: [parts: Partial<TagRule>, field: string, message: RegExp, remedy: RegExp][] = [
    [{ pattern: '(a)\\1' }, 'tags.pattern', /`\\1`/, /no backreferences/],
    [{ pattern: '^v(?=1)' }, 'tags.pattern', /`\(\?=`/, /no lookahead/],
    [{ pattern: '^v(?!1)' }, 'tags.pattern', /`\(\?!`/, /no lookahead/],
    [{ pattern: '(?<=v)1' }, 'tags.pattern', /`\(\?<=/, /lookbehind/],
    [{ pattern: '(?<!v)1' }, 'tags.pattern', /`\(\?<!/, /lookbehind/],
    [{ pattern: 'a{1001}' }, 'tags.pattern', /`\{1001\}`/, /n <= m <= 1000/],
    [{ pattern: '((a{100}){100}){100}' }, 'tags.pattern', /repeat count/, /also when nested/],
    [{ pattern: 'a{3,2}' }, 'tags.pattern', /repeat count/, /n <= m/],
    [{ pattern: 'a**' }, 'tags.pattern', /`\*\*`/, /in a group/],
    [{ pattern: '(a' }, 'tags.pattern', /missing closing/, /backslash/],
    [{ pattern: '[a' }, 'tags.pattern', /missing closing/, /backslash/],
    [{ pattern: 'a)' }, 'tags.pattern', /unexpected/, /backslash/],
    [{ pattern: '*' }, 'tags.pattern', /missing argument/, /backslash/],
    [{ pattern: '(?P<n>a)(?P<n>b' }, 'tags.pattern', /missing closing/, /Escape/],
    [{ pattern: '\\p{Nope}' }, 'tags.pattern', /\\p\{Nope\}/, /RE2/],
    [{ pattern: 'x'.repeat(1025) }, 'tags.pattern', /1025 characters; at most 1024/, /Shorten/],
    [{ pattern: '\\pL{1000}'.repeat(20) }, 'tags.pattern', /too large/, /128 characters/],
    [
      { pattern: '(?:[ab]?){300}', extract: '$0' },
      'tags.pattern',
      /groups are read: .* 450/,
      /leave out tags.extract/,
    ],
    [{ pattern: '(?P<build>(?:[ab]?){300})' }, 'tags.pattern', /groups are read/, /group build/],
    [
      { allow: Array.from({ length: 9 }, (_, i) => `(?:[ab]?){300}${i}`) },
      'tags',
      /large together: they compile to \d+ instructions, at most 5000/,
      /fewer/,
    ],
    [{ allow: ['a', '('] }, 'tags.allow[1]', /missing closing/, /backslash/],
    [{ ignore: ['('] }, 'tags.ignore[0]', /missing closing/, /backslash/],
    [{ extract: '$1' }, 'tags.extract', /no pattern/, /tags\.pattern/],
    [{ extract: '$1', pattern: '' }, 'tags.extract', /no pattern/, /remove tags\.extract/],
  ]
  for (const [parts, field, message, remedy] of rows) {
    t.throws(
      () => compile(parts),
      { code: 'ERR_INVALID_POLICY', message, remedy, position: { file: '', field } },
      JSON.stringify(parts).slice(0, 60),
    )
  }
  t.end()
})

t.test('the worst pattern that is taken needs no more than a moment for the worst tag', (t) => {
  const worst = compile({ pattern: '(?P<v>(?:[ab]?){215}[ab]*)', extract: '$v' })
  const tags = Array.from({ length: 100 }, (_, i) => {
    const bits = i.toString(2).padStart(8, '0').replaceAll('0', 'a').replaceAll('1', 'b')
    return bits + 'ab'.repeat(60)
  })
  const start = process.cpuUsage()
  t.equal(worst.rank(tags).permitted.length, tags.length)
  const { user, system } = process.cpuUsage(start)
  // an engine without the limits needs six seconds here
  t.ok(user + system < 2_000_000, `${user + system} us`)
  t.end()
})

t.test('a pattern that hangs a backtracking engine for years ends here', (t) => {
  const hostile = `${'a'.repeat(127)}!`
  const long = `${'a'.repeat(50_000)}!`
  const rows = [
    '^(a+)+$',
    '^(a|a)*$',
    '^(a|aa)+$',
    '(a*)*b',
    '^(([a-z])+.)+[A-Z]$',
    'a*a*a*a*a*a*a*a*b',
    '^a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?a?aaaaaaaaaaaaaaaa$',
    '(.*)(.*)(.*)(.*)(.*)(.*)(.*)[0-9]$',
    '^(?:a{1,100}){1,10}b',
  ]
  for (const pattern of rows) {
    const compiled = compilePattern(pattern, '')
    t.notOk(compiled.test(hostile), pattern)
    t.notOk(compiled.match(long), `${pattern} in a long text`)
  }
  t.end()
})

t.test('only patterns with few paths run natively', (t) => {
  const rows: [pattern: string, native: boolean][] = [
    ['', true],
    ['^$', true],
    ['^v(?P<version>[0-9.]+)(-build\\.(?P<build>[0-9]+))?$', true],
    ['^v(?P<v>[0-9.]+(-rc\\.[0-9]+)?)(-build\\.(?P<build>[0-9]+))?$', true],
    ['^main-[a-fA-F0-9]+-(?P<ts>.*)', true],
    ['^v?\\d+\\.\\d+\\.\\d+$', true],
    ['^RELEASE\\.(?P<timestamp>.*)Z$', true],
    ['^(?:alpha|beta|rc)\\.\\d{1,3}$', true],
    ['^[^a-z][\\w\\-.]*', true],
    ['-alpine$', true],
    // open repetitions: too many paths
    ['.*-rc.*', false],
    ['^.*-.*-rc', false],
    ['^[a-z]*[a-z0-9]*x', false],
    // what JavaScript does otherwise
    ['^(?:(a)|b)*$', false],
    ['^(a*)*$', false],
    ['^(a?)?$', false],
    // more than the simple syntax
    ['(?i)rc', false],
    ['^a|b$', false],
    ['a*?', false],
    ['\\bv1', false],
    ['[[:alpha:]]', false],
    ['^é', false],
    ['[]a]', false],
    ['a{,2}', false],
  ]
  for (const [pattern, native] of rows) {
    t.equal(nativeRegExp(pattern) !== undefined, native, pattern)
  }
  t.end()
})

/** What re2js finds, as RegExp.exec gives it. */
function withRe2(pattern: string, text: string): (string | undefined)[] | undefined {
  const re2 = RE2JS.compile(pattern)
  const matcher = re2.matcher(text)
  if (!matcher.find()) return undefined
  return Array.from({ length: re2.groupCount() + 1 }, (_, i) => matcher.group(i) ?? undefined)
}

t.test('a native pattern finds what re2js finds, groups too', (t) => {
  const atom = fc.constantFrom(
    ...[
      'a',
      'b',
      '1',
      '-',
      '\\.',
      '_',
      '.',
      '[ab]',
      '[^a]',
      '[a-c1]',
      '[^\\d.]',
      '\\d',
      '\\w',
      '\\W',
      '\\s',
    ],
  )
  const quantifier = fc.constantFrom('', '', '', '+', '*', '?', '{2}', '{1,2}', '{2,}', '{0,3}')
  const { pattern } = fc.letrec<{ pattern: string; part: string }>((tie) => ({
    part: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.tuple(atom, quantifier).map((pair) => pair.join('')),
      fc
        .tuple(
          fc.constantFrom('(', '(?:', '(?P<n>'),
          tie('pattern'),
          fc.constantFrom(')', ')?', ')+', ')*'),
        )
        .map((parts) => parts.join('')),
      fc.tuple(tie('part'), tie('part')).map((pair) => `(?:${pair.join('|')})`),
    ),
    pattern: fc.array(tie('part'), { maxLength: 4, minLength: 1 }).map((parts) => parts.join('')),
  }))
  const bound = fc.tuple(fc.constantFrom('', '^'), pattern, fc.constantFrom('', '$'))
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', 'c', '1', '.', '-', '_'), maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom('a', '\n', ' ', 'é', '😀', '\ud800', '\udc00', 'K', 'ſ'),
      maxLength: 5,
    }),
    tag,
  )
  let native = 0
  fc.assert(
    fc.property(bound, fc.array(text, { minLength: 5, maxLength: 10 }), (parts, texts) => {
      const source = parts.join('')
      const named = source.match(/\(\?P<n>/g)?.length ?? 0
      fc.pre(named < 2)
      const regExp = nativeRegExp(source)
      fc.pre(regExp !== undefined)
      native++
      for (const text of texts) {
        const found = regExp?.exec(text)
        assert.deepStrictEqual(found ? [...found] : undefined, withRe2(source, text), `${regExp}`)
      }
    }),
    { numRuns: 1500 },
  )
  t.ok(native >= 1500, 'enough patterns were native')
  t.end()
})

t.test('any text that is a pattern for re2js never fails later', (t) => {
  const source = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: fc.constantFrom(...'ab1.*+?()[]{}|^$\\-,:<>Pd'), maxLength: 12 }),
  )
  fc.assert(
    fc.property(source, fc.array(tag), (pattern, tags) => {
      try {
        compile({ pattern, allow: [pattern], ignore: [`x${pattern}`], extract: pattern && '$0' })
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_INVALID_POLICY', `${error}`)
        return
      }
      const selector = compile({ pattern, extract: pattern && '$0-$1' })
      for (const tag of [...tags, ...HOSTILE]) selector.judge(tag)
    }),
    { numRuns: 1000 },
  )
  t.pass('no other error')
  t.end()
})
