import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'
import { formatPath, parseDuration, parsePath, quote, validate } from '../../src/policies/index.ts'
import * as schemas from '../../src/policies/schemas.ts'
import { nearestName } from '../../src/policies/spelling.ts'

const GOOD_SPEC = {
  images: ['ghcr.io/acme/*'],
  exclude: [],
  match: {
    kinds: ['Deployment'],
    selector: {
      matchLabels: { a: 'b' },
      matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }],
    },
    containers: ['app'],
  },
  tags: { pattern: '^v', extract: '$1', allow: ['a'], ignore: ['b'] },
  order: {
    semver: { range: '1.x', identifier: 'v' },
    alphabetical: { order: 'Ascending' },
    digest: { allowed: [`sha256:${'0'.repeat(64)}`], follow: 'stable' },
  },
  action: 'Track',
  minimumAge: '7d',
  allowDowngrade: false,
  platforms: ['linux/arm64'],
}

const HOSTILE = [null, '', 'x', 0, true, [], {}, [''], 'x'.repeat(2000), '😀', '7d', 'Ascending']

/** The places of a value, each as a way to change it. */
function paths(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [at]
  return [at, ...Object.entries(value).flatMap(([key, part]) => paths(part, [...at, key]))]
}

function replaced(path: readonly (string | number)[], by: unknown): unknown {
  const copy = structuredClone({ root: GOOD_SPEC }) as Record<string, unknown>
  const whole = ['root', ...path]
  const parent = whole.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy)
  parent[whole.at(-1)!] = by
  return copy['root']
}

t.test('law: a value has flaws exactly when ajv refuses it', (t) => {
  const ajv = new Ajv({ strict: false, useDefaults: true, allErrors: true })
  const accepts = ajv.compile(schemas.ImagePolicySpec)
  const changes = fc.record({
    path: fc.constantFrom(...paths(GOOD_SPEC)),
    by: fc.oneof(fc.constantFrom(...HOSTILE), fc.jsonValue()),
  })
  const clean = (value: unknown) =>
    JSON.parse(JSON.stringify(value, (_, part) => (part === null ? undefined : part)) ?? 'null')
  fc.assert(
    fc.property(changes, ({ path, by }) => {
      // a null field counts as left out; a null in a list does not, so ajv sees neither
      const value = clean(replaced(path, by))
      const mine = structuredClone(value)
      const theirs = structuredClone(value)
      const agreed = accepts(theirs) === (validate(schemas.ImagePolicySpec, mine).length === 0)
      if (agreed && accepts.errors === null) t.strictSame(mine, theirs, 'the same defaults')
      return agreed
    }),
    { numRuns: 2000 },
  )
  t.end()
})

t.test('law: no value makes it throw', (t) => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      for (const schema of Object.values(schemas)) validate(schema, structuredCloneOr(value))
    }),
    { numRuns: 500 },
  )
  t.end()
})

function structuredCloneOr(value: unknown): unknown {
  try {
    return structuredClone(value)
  } catch {
    return undefined
  }
}

t.test('a null in a list is a flaw, a null field is not', (t) => {
  const spec = { images: ['a', null], exclude: null, order: { numerical: {} } }
  t.match(validate(schemas.ImagePolicySpec, spec), [
    { path: ['images', 1], message: 'must be a string, not empty' },
  ])
  t.strictSame(spec.exclude, [])
  t.end()
})

t.test('defaults are fresh each time', (t) => {
  const first = { images: ['a'], order: { numerical: {} } } as Record<string, unknown>
  const second = structuredClone(first)
  validate(schemas.ImagePolicySpec, first)
  validate(schemas.ImagePolicySpec, second)
  t.strictSame(first['exclude'], second['exclude'])
  t.not(first['exclude'], second['exclude'])
  t.not(first['tags'], second['tags'])
  t.end()
})

t.test('durations are read as Go writes them, and in days', (t) => {
  const rows: [text: string, ms: number | undefined][] = [
    ['0s', 0],
    ['72h', 259_200_000],
    ['7d', 604_800_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['250ms', 250],
    ['1d12h', 129_600_000],
    ['0.0001ms', 0],
    ['', undefined],
    ['5', undefined],
    ['-1s', undefined],
    ['1 h', undefined],
    ['1w', undefined],
    ['h', undefined],
    ['1h30', undefined],
    ['1..5s', undefined],
    ['٣s', undefined],
    [`${'9'.repeat(30)}d`, undefined],
    ['1s'.repeat(1000), undefined],
    ['__proto__', undefined],
  ]
  for (const [text, ms] of rows) t.equal(parseDuration(text), ms, JSON.stringify(text.slice(0, 20)))
  t.end()
})

t.test('the nearest name is the one that was meant, and none where nothing is near', (t) => {
  const names = ['images', 'exclude', 'match', 'order', 'minimumAge']
  const rows: [written: string, meant: string | undefined][] = [
    ['image', 'images'],
    ['IMAGES', 'images'],
    ['exlude', 'exclude'],
    ['odrer', undefined],
    ['ordre', undefined],
    ['minimum_age', 'minimumAge'],
    ['foo', undefined],
    ['', undefined],
    ['x'.repeat(1000), undefined],
    ['😀', undefined],
  ]
  for (const [written, meant] of rows)
    t.equal(nearestName(written, names), meant, written.slice(0, 20))
  t.equal(nearestName('track', ['Verify', 'Pin', 'Track']), 'Track')
  t.equal(nearestName('a', []), undefined)
  t.end()
})

t.test('law: a path is read back as it was written', (t) => {
  const segment = fc.oneof(
    fc.nat(99),
    fc.string({ minLength: 1 }),
    fc.constantFrom('a.b', 'x"y', '__proto__'),
  )
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 5 }), (path) => {
      const written = formatPath(path)
      const isPlain = path.every((part) => typeof part === 'number' || /^[a-z_]+$/i.test(part))
      return !isPlain || JSON.stringify(parsePath(written)) === JSON.stringify(path)
    }),
  )
  t.strictSame(parsePath('tags.allow[1]'), ['tags', 'allow', 1])
  t.strictSame(parsePath('tags.allow.1'), ['tags', 'allow', 1])
  t.strictSame(parsePath('oci["policy.tags.regex"]'), ['oci', 'policy.tags.regex'])
  t.strictSame(parsePath(''), [])
  t.end()
})

t.test('a quoted value is short and holds nothing that a terminal would act on', (t) => {
  const rows = [
    ['a', '"a"'],
    ['a"b', '"a\\"b"'],
    ['\u001b[2J', '"\\u001b[2J"'],
    ['\u009b2J', '"\\u009b2J"'],
    ['\u202egpj', '"\\u202egpj"'],
    ['\u2028', '"\\u2028"'],
    ['x'.repeat(100), `"${'x'.repeat(77)}…"`],
  ] as const
  for (const [text, shown] of rows) t.equal(quote(text), shown)
  t.end()
})
