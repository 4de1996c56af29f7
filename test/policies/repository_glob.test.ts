import fc from 'fast-check'
import t from 'tap'
import { parseReference } from '../../src/images/index.ts'
import { matchPath, matchText } from '../../src/policies/glob.ts'
import { repositoryNames } from '../../src/policies/host_alias.ts'
import { type RepositoryGlob, readGlob } from '../../src/policies/repository_glob.ts'

function glob(written: string): RepositoryGlob {
  const read = readGlob(written)
  if ('message' in read) throw new Error(read.message)
  return read
}

t.test('a pattern is normalised as a reference is', (t) => {
  const rows = [
    ['nginx', 'docker.io/library/nginx'],
    ['acme/web', 'docker.io/acme/web'],
    ['acme/*', 'docker.io/acme/*'],
    ['ngin*', 'docker.io/library/ngin*'],
    ['docker.io/nginx', 'docker.io/library/nginx'],
    ['docker.io/*', 'docker.io/library/*'],
    ['index.docker.io/acme/*', 'docker.io/acme/*'],
    ['docker.io/**', 'docker.io/**'],
    ['GHCR.io/acme/web', 'ghcr.io/acme/web'],
    ['GHCR.io/acme/*', 'ghcr.io/acme/*'],
    ['localhost/a', 'localhost/a'],
    ['localhost:5000/*', 'localhost:5000/*'],
    ['[::1]:5000/a/*', '[::1]:5000/a/*'],
    ['*.example.com/**', '*.example.com/**'],
    ['registry:*/a', 'registry:*/a'],
    ['**', '**'],
    ['**/web', '**/web'],
    ['*/web', 'docker.io/*/web'],
  ] as const
  for (const [written, pattern] of rows) t.equal(glob(written).pattern, pattern, written)
  t.end()
})

t.test('* stays within a segment, ** crosses them, nothing is a bare prefix', (t) => {
  const rows: [pattern: string, covered: string[], not: string[]][] = [
    [
      'ghcr.io/acme/web',
      ['ghcr.io/acme/web'],
      ['ghcr.io/acme/web2', 'ghcr.io/acme/web/x', 'ghcr.io/acme'],
    ],
    [
      'ghcr.io/acme/*',
      ['ghcr.io/acme/web'],
      ['ghcr.io/acme/a/b', 'ghcr.io/acme', 'ghcr.io/acme2/web'],
    ],
    [
      'ghcr.io/acme/**',
      ['ghcr.io/acme/web', 'ghcr.io/acme/a/b'],
      ['ghcr.io/acme', 'ghcr.io/acmex/a'],
    ],
    ['ghcr.io/**/web', ['ghcr.io/web', 'ghcr.io/a/web', 'ghcr.io/a/b/web'], ['ghcr.io/a/web/b']],
    ['ghcr.io/*/web', ['ghcr.io/a/web'], ['ghcr.io/web', 'ghcr.io/a/b/web']],
    [
      'ghcr.io/a*c/w*b*',
      ['ghcr.io/abc/web', 'ghcr.io/ac/wb-1'],
      ['ghcr.io/abd/web', 'ghcr.io/abc/we'],
    ],
    ['*.example.com/**', ['a.example.com/x'], ['example.com/x', 'a.example.com.evil.org/x']],
    ['**', ['docker.io/library/nginx', 'a.b/c'], []],
    ['**/**', ['a.b/c', 'a.b/c/d'], []],
  ]
  for (const [pattern, covered, not] of rows) {
    for (const name of covered)
      t.equal(glob(pattern).covers(name), true, `${pattern} covers ${name}`)
    for (const name of not) t.equal(glob(pattern).covers(name), false, `${pattern} not ${name}`)
  }
  t.end()
})

t.test('a dot in a pattern is a dot', (t) => {
  t.equal(glob('ghcr.io/acme/*.b').covers('ghcr.io/acme/axb'), false)
  t.equal(glob('ghcr.io/acme/web').covers('ghcrxio/acme/web'), false)
  t.end()
})

t.test('many stars against a long name take no time to speak of', (t) => {
  const name = `ghcr.io/${'a'.repeat(240)}`
  t.equal(glob(`ghcr.io/${'*a'.repeat(100)}*b`).covers(name), false)
  const deep = `ghcr.io/${'a/'.repeat(120)}a`
  t.equal(glob(`ghcr.io/${'**/a/'.repeat(50)}b`).covers(deep), false)
  t.end()
})

const component = fc.stringMatching(/^[a-z0-9]{1,4}([._-][a-z0-9]{1,3})?$/)
const name = fc
  .tuple(
    fc.constantFrom('', 'ghcr.io/', 'docker.io/', 'localhost:5000/', 'index.docker.io/'),
    fc.array(component, { minLength: 1, maxLength: 3 }),
  )
  .map(([host, path]) => host + path.join('/'))
  .filter((text) => text.includes('/') || !text.includes('.'))

t.test('law: a pattern without stars covers what a reference of the same text names', (t) => {
  fc.assert(
    fc.property(name, (text) => {
      const expected = repositoryNames(parseReference(text).name).at(-1) ?? ''
      const { pattern, covers, exact, literal, prefix } = glob(text)
      return (
        exact &&
        covers(expected) &&
        pattern === expected &&
        prefix === expected &&
        literal === expected.length
      )
    }),
    // a host of numbers is an address: 0.0.0.0
    { examples: [['0.0/a']] },
  )
  t.end()
})

const regexOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/\*/g, '.*')}$`)

t.test('law: text patterns agree with the regular expression they stand for', (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 12 })
  fc.assert(
    fc.property(text, text, (pattern, given) => {
      const sample = given.replaceAll('*', 'c')
      return matchText(pattern, sample) === regexOf(pattern).test(sample)
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('law: path patterns agree with trying every split', (t) => {
  const naive = ([first, ...rest]: readonly string[], path: readonly string[]): boolean => {
    if (first === undefined) return path.length === 0
    if (first === '**') return path.concat('').some((_, i) => naive(rest, path.slice(i)))
    return path.length > 0 && matchText(first, path[0]!) && naive(rest, path.slice(1))
  }
  const parts = fc.array(fc.constantFrom('**', '*', 'a*', 'a', 'b'), { maxLength: 6 })
  const path = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 6 })
  fc.assert(
    fc.property(
      parts,
      path,
      (pattern, given) => matchPath(pattern, given) === naive(pattern, given),
    ),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('law: no text makes the reader throw, and a fault says what to write', (t) => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a*/.:@A[]') })),
      (text) => {
        const read = readGlob(text)
        return 'message' in read ? read.message !== '' && read.remedy !== '' : read.pattern !== ''
      },
    ),
    { numRuns: 2000 },
  )
  t.end()
})
