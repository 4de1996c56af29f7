import t from 'tap'
import { LARGEST_FILE, parsePolicies, readDocuments } from '../../src/policies/index.ts'
import { nativePolicy, read } from './reading.ts'

const HEAD = 'apiVersion: tagwarden.io/v1alpha1\nkind: ImagePolicy\nmetadata: { name: web }\n'
const GOOD = `${HEAD}spec:\n  images: [a]\n  order: { numerical: {} }\n`

t.test('texts that hold no object hold no policy and no problem', (t) => {
  for (const text of ['', ' \n\n', '# only a comment\n', '---\n---\n', 'null', '~', '\ufeff']) {
    const { set, lines } = read(text)
    t.strictSame([set.policies, lines], [[], []], JSON.stringify(text))
  }
  t.end()
})

t.test('a policy is read however its text is written', (t) => {
  const rows: [title: string, text: string][] = [
    ['YAML', GOOD],
    ['JSON', nativePolicy({})],
    ['byte order mark', `\ufeff${GOOD}`],
    ['Windows line ends', GOOD.replaceAll('\n', '\r\n')],
    ['document marks', `---\n${GOOD}...\n---\n# nothing\n`],
    ['anchors', `${HEAD}spec:\n  images: &a [web]\n  exclude: *a\n  order: { numerical: {} }\n`],
    ['merge keys', `${HEAD}spec:\n  <<: { images: [a] }\n  order: { numerical: {} }\n`],
    [
      'block text',
      `${HEAD}spec:\n  images:\n    - >-\n      ghcr.io/acme/web\n  order: { numerical: {} }\n`,
    ],
  ]
  for (const [title, text] of rows) {
    const { set, lines } = read(text)
    t.strictSame([lines, set.policies.length], [[], 1], title)
  }
  t.end()
})

const SAYS: [title: string, text: string, says: RegExp][] = [
  ['a word', 'hello', /^f\.yaml:1:1: is not an object\. Begin with apiVersion/],
  ['a list', '- a', /is not an object/],
  ['a number', '1', /is not an object/],
  ['a date', '2020-01-01', /is not an object/],
  ['a custom tag', '!!js/function "x"', /is not an object/],
  ['NUL', 'a: \0', /^f\.yaml: holds a NUL character/],
  ['a tab', 'a:\n\tb: 1', /^f\.yaml:2:1: is not YAML: .*Indent with spaces, not with tabs/],
  ['an open brace', '{"a": 1', /is not YAML: .*Close what was opened/],
  ['a brace cut off below', 'spec:\n  order: { a: {', /is not YAML/],
  ['an open quote', 'a: "b', /is not YAML: .*Close what was opened/],
  ['two values', 'a: b: c', /is not YAML/],
  [
    'a key twice',
    `${GOOD}kind: ImagePolicy\n`,
    /^f\.yaml:7:1: kind: is given twice, first in line 2\. Keep one/,
  ],
  ['a key twice, deep', 'a: [{ b: 1, b: 2 }]', /^f\.yaml:1:13: a\[0\]\.b: is given twice/],
  ['a list as a key', '? [a]\n: b', /is not YAML: .*Put the key in quotes/],
  ['an unknown alias', 'a: *nobody', /names \*nobody, but no &nobody stands before it/],
  ['a terminal escape', 'a: *\u009b2J', /^[^\u009b]*$/],
  ['deep brackets', '['.repeat(20_000), /is nested too deeply/],
  ['deep lists', '- '.repeat(20_000), /is nested too deeply/],
  ['too large', ' '.repeat(LARGEST_FILE + 1), /is larger than 4 MiB\. Split it/],
]

t.test('a text that is wrong is one clear problem', (t) => {
  for (const [title, text, says] of SAYS) {
    const { set, lines } = read(text)
    t.equal(set.policies.length, 0, title)
    t.equal(lines.length, 1, `${title}: ${lines.join(' | ')}`)
    t.match(lines[0], says, title)
    t.ok((lines[0]?.length ?? 0) < 500, `${title}: is short`)
  }
  t.end()
})

t.test('aliases that multiply are refused, not followed', (t) => {
  const letters = 'abcdefghij'
  const bomb = [...letters]
    .map(
      (letter, i) =>
        `${letter}: &${letter} [${Array(10).fill(i === 0 ? 'x' : `*${letters[i - 1]}`)}]`,
    )
    .join('\n')
  t.match(read(bomb).lines, [/repeats itself too often by its aliases\. Write the values out/])
  t.end()
})

t.test('a text with ten thousand faults tells a hundred', (t) => {
  for (const text of ['"" '.repeat(10_000), '*a '.repeat(10_000), 'a: 1\n'.repeat(10_000)]) {
    const { problems } = parsePolicies(text, 'f.yaml')
    t.ok(problems.length > 0 && problems.length <= 100, `${problems.length}`)
  }
  t.end()
})

t.test('an object with very many keys takes time by their number, not its square', (t) => {
  const text = Array.from({ length: 20_000 }, (_, i) => `key${i}: 1`).join('\n')
  t.match(read(text).lines, [/apiVersion: is missing/])
  t.end()
})

t.test('one wrong document does not hide the others', (t) => {
  const { set, lines } = read(
    `a: 1\n\tb: 2\n---\n${GOOD}---\n${HEAD}---\n${GOOD.replace('web', 'api')}`,
  )
  t.strictSame(
    set.policies.map(({ name }) => name),
    ['web', 'api'],
  )
  t.match(lines, [/^f\.yaml:2:1: /, /^f\.yaml:11:1: spec: is missing/])
  t.end()
})

t.test('own keys named __proto__ and constructor are data', (t) => {
  const { documents } = readDocuments('__proto__: { a: 1 }\nconstructor: 2', 'f.yaml')
  const value = documents[0]?.value as object
  t.strictSame(Object.keys(value), ['__proto__', 'constructor'])
  t.equal(({} as { a?: number }).a, undefined)
  t.match(
    read(`${HEAD}spec: { images: [a], order: { numerical: {} }, __proto__: { x: 1 } }`).lines,
    [/^f\.yaml:4:\d+: spec\.__proto__: is not a field/],
  )
  t.end()
})

t.test('places are those of the value, or of the nearest field there is', (t) => {
  const { documents } = readDocuments(
    'a:\n  - b: 1\n    "c.d":\n      e: [x, y]\nf: *z\n'.replace('f: *z\n', ''),
    'f',
  )
  const locate = (...path: (string | number)[]) => {
    const { line, column, field } = documents[0]!.locate(path)
    return [line, column, field]
  }
  t.strictSame(locate(), [1, 1, undefined])
  t.strictSame(locate('a'), [1, 1, 'a'])
  t.strictSame(locate('a', 0, 'b'), [2, 8, 'a[0].b'])
  t.strictSame(locate('a', 0, 'c.d', 'e', 1), [4, 14, 'a[0]["c.d"].e[1]'])
  t.strictSame(locate('a', 0, 'nothing', 'here'), [2, 5, 'a[0].nothing.here'])
  t.strictSame(locate('a', 9), [1, 1, 'a[9]'])
  t.strictSame(locate('__proto__'), [1, 1, '__proto__'])
  t.end()
})
