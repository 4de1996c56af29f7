import fc from 'fast-check'
import { compileRule, type TagOrder, type TagRule } from '../../src/tags/index.ts'

/** A rule with nothing but an order, and what is given. */
export function rule(order: TagOrder, parts: Partial<TagRule> = {}): TagRule {
  return { allow: [], ignore: [], ...parts, order }
}

export const ASCENDING = { order: 'Ascending' } as const
export const DESCENDING = { order: 'Descending' } as const

/** Texts that no rule may stumble over. */
export const HOSTILE: readonly string[] = [
  '',
  ' ',
  '\0',
  '\n',
  '__proto__',
  'constructor',
  'x'.repeat(300),
  '1'.repeat(300),
  `1.2.${'3'.repeat(300)}`,
  'v1',
  '1.0',
  'V1.2.3',
  'v1.2.3\n',
  '１.２.３',
  '😀',
  '\ud800',
  '\udc00',
  '\uffff',
  '$1',
  'latest',
  'deadbeef',
  `sha256-${'a'.repeat(64)}.sig`,
]

const number = fc.constantFrom('0', '1', '2', '10', '007', '9007199254740993')
const version = fc
  .tuple(
    fc.constantFrom('', 'v', 'release-'),
    number,
    number,
    number,
    fc.constantFrom('', '-rc.1', '-rc.10', '-a', '-0'),
  )
  .map(([prefix, a, b, c, suffix]) => `${prefix}${a}.${b}.${c}${suffix}`)
const branch = fc
  .tuple(fc.constantFrom('main', 'dev'), fc.nat(3), fc.nat(20))
  .map(([name, commit, build]) => `${name}-abc${commit}-${build}`)

/** Tags as repositories have them, close enough to each other to collide, and hostile ones. */
export const tag = fc.oneof(
  { weight: 5, arbitrary: version },
  { weight: 3, arbitrary: branch },
  { weight: 1, arbitrary: fc.nat(30).map(String) },
  { weight: 1, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
)
export const tags = fc.array(tag, { maxLength: 40 })

export const DIGESTS = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`)

/** A digest that depends on the tag alone; unknown for some. */
export function digestOf(name: string): string | undefined {
  return DIGESTS[name.length % 4]
}

const orders: readonly TagOrder[] = [
  { semver: { range: '*-0' } },
  { semver: { range: '>=1 <10.0.0' } },
  { semver: { range: '^1 || >=2.0.0-0 !=2.1.x', identifier: 'v' } },
  { semver: { range: '*', identifier: 'release-' } },
  { alphabetical: ASCENDING },
  { alphabetical: DESCENDING },
  { numerical: ASCENDING },
  { numerical: DESCENDING },
  { digest: { allowed: [DIGESTS[1]!, DIGESTS[0]!] } },
  { digest: { follow: 'latest' } },
]

const filters: readonly Partial<TagRule>[] = [
  {},
  { pattern: '(\\d+)$', extract: '$1', allow: ['^latest$'] },
  { pattern: '^v?(?P<v>[0-9.]+)(-rc\\.(?P<build>[0-9]+))?', extract: '$v', allow: ['latest'] },
  { allow: ['-rc\\.10$'], ignore: ['^v0', '\\.10\\.'] },
  { pattern: '.*-(?P<build>.*)', extract: '${build}', allow: ['^latest$', '1'] },
]

/** Compiled rules of every order and several filters. */
export const selector = fc
  .tuple(fc.constantFrom(...orders), fc.constantFrom(...filters))
  .map(([order, parts]) => compileRule(rule(order, parts)))
