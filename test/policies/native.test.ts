import t from 'tap'
import { parsePolicies } from '../../src/policies/index.ts'
import { file, nativePolicy, read } from './reading.ts'

t.test('a policy with images and order gets the defaults of the design', (t) => {
  const { set, lines } = read(nativePolicy({}))
  t.strictSame(lines, [])
  const [policy] = set.policies
  t.match(policy, {
    kind: 'ImagePolicy',
    namespace: 'default',
    name: 'web',
    title: 'ImagePolicy default/web',
    images: ['ghcr.io/acme/web'],
    action: 'Track',
    reference: 'TagAndDigest',
    latest: 'Deny',
    enforcement: 'Enforce',
    whenRegistryFails: 'UseCached',
    movedTags: 'Warn',
    minimumAge: 0,
    allowDowngrade: false,
    platforms: [],
    position: { file: 'f.yaml', line: 1, column: 1 },
  })
  t.strictSame(policy?.selector.rule, {
    allow: [],
    ignore: [],
    order: { semver: { range: '1.x' } },
  })
  t.ok(Object.isFrozen(policy))
  t.end()
})

t.test('every field reaches the compiled policy', (t) => {
  const spec = {
    exclude: ['ghcr.io/acme/old'],
    tags: { pattern: '^v(?P<n>[0-9.]+)$', extract: '$n', allow: ['^x'], ignore: ['^y'] },
    order: { semver: { range: '>=1.2.3 <2.0.0', identifier: 'v' } },
    action: 'Pin',
    reference: 'Digest',
    latest: 'Resolve',
    enforcement: 'Warn',
    whenRegistryFails: 'Deny',
    movedTags: 'Deny',
    minimumAge: '1h30m',
    allowDowngrade: true,
    platforms: ['linux/amd64', 'linux/arm/v7'],
  }
  const { set, lines } = read(nativePolicy(spec, { namespace: 'shop' }))
  t.strictSame(lines, [])
  const { tags, order, exclude: _, minimumAge: __, ...same } = spec
  t.match(set.policies[0], { ...same, namespace: 'shop', minimumAge: 5_400_000 })
  t.strictSame(set.policies[0]?.selector.rule, { ...tags, order })
  t.end()
})

t.test('a platform may be written as any tool writes it', (t) => {
  const platforms = ['linux/arm64/v8', 'linux/arm', 'linux/amd64']
  const [policy] = read(nativePolicy({ platforms })).set.policies
  t.strictSame(policy?.platforms, ['linux/arm64', 'linux/arm/v7', 'linux/amd64'])
  t.end()
})

t.test('the enforcement of a policy that names none comes from the configuration', (t) => {
  const enforcement = (spec: object) =>
    read(nativePolicy({ ...spec }), { enforcement: 'Audit' }).set.policies[0]?.enforcement
  t.equal(enforcement({}), 'Audit')
  t.equal(enforcement({ enforcement: 'Enforce' }), 'Enforce')
  t.end()
})

t.test('a ClusterImagePolicy has no namespace', (t) => {
  const { set } = read(nativePolicy({}, { kind: 'ClusterImagePolicy' }))
  t.match(set.policies[0], { kind: 'ClusterImagePolicy', title: 'ClusterImagePolicy web' })
  t.equal(set.policies[0]?.namespace, undefined)
  t.end()
})

t.test('an empty field counts as left out, as the API server has it', (t) => {
  const text = nativePolicy({
    exclude: null,
    match: null,
    tags: { pattern: null },
    action: null,
    order: { semver: null, numerical: {} },
  })
  const { set, lines } = read(text)
  t.strictSame(lines, [])
  t.strictSame(set.policies[0]?.selector.rule.order, { numerical: { order: 'Ascending' } })
  t.equal(set.policies[0]?.action, 'Track')
  t.end()
})

t.test('what kubectl prints can be read: lists, status, server-side metadata', (t) => {
  const item = JSON.parse(nativePolicy({}, { namespace: 'shop' }))
  item.metadata = { ...item.metadata, uid: 'x', managedFields: [], labels: { a: 'b' } }
  item.status = { conditions: [] }
  const second = JSON.parse(nativePolicy({ imags: [] }, { name: 'api' }))
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [item, second] })
  const { set, lines } = read(list)
  t.strictSame(
    set.policies.map(({ title }) => title),
    ['ImagePolicy shop/web'],
  )
  t.match(lines, [
    /^f\.yaml:1:\d+: items\[1\]\.spec\.imags: is not a field\. Write images instead$/,
  ])
  t.end()
})

const digest = `sha256:${'a'.repeat(64)}`

const WRONG: [title: string, spec: Record<string, unknown>, says: RegExp][] = [
  ['an unknown field', { actoin: 'Pin' }, /spec\.actoin: is not a field\. Write action instead/],
  ['a field of nobody', { zzz: 1 }, /spec\.zzz: is not a field\. The fields are images, exclude/],
  ['__proto__', { ['__proto__']: 1, constructor: {} }, /spec\.constructor: is not a field/],
  ['no images', { images: null }, /spec\.images: is missing\. Add it, such as images: \["ghcr/],
  ['empty images', { images: [] }, /spec\.images: is empty\. Give at least one/],
  ['an empty image', { images: [''] }, /spec\.images\[0\]: is empty/],
  [
    'one image, no list',
    { images: 'web' },
    /images: must be a list, not a string\. Write a list: \["web"\]/,
  ],
  [
    'an image that is no text',
    { images: [1] },
    /images\[0\]: must be a string, not a number\. Put it in quotes: "1"/,
  ],
  ['a list in a list', { images: [['a']] }, /images\[0\]: must be a string, not a list/],
  ['257 images', { images: Array(257).fill('a') }, /has 257 entries, more than the 256/],
  ['a very long image', { images: ['a'.repeat(600)] }, /has 600 characters, more than the 512/],
  ['a tag in images', { images: ['web:v1'] }, /"web:v1" has a tag or digest\. Write "web"/],
  ['a digest in images', { images: [`web@${digest}`] }, /has a tag or digest\. Write "web"/],
  ['a scheme', { images: ['https://ghcr.io/a'] }, /has a scheme\. Write "ghcr\.io\/a"/],
  [
    'a bare prefix',
    { images: ['ghcr.io/acme/'] },
    /is only a prefix\. Write "ghcr\.io\/acme\/\*\*"/,
  ],
  ['a registry only', { images: ['ghcr.io'] }, /names a registry only\. Write "ghcr\.io\/\*\*"/],
  ['a lone star', { images: ['*'] }, /Write "\*\*" for every image/],
  ['** in a segment', { images: ['ghcr.io/acme**'] }, /has \*\* inside a segment\. Write "acme\*"/],
  ['upper case', { images: ['ghcr.io/Acme/web'] }, /is not an image repository/],
  ['upper case in a pattern', { images: ['ghcr.io/Acme/*'] }, /is not a pattern of repositories/],
  ['an emoji', { images: ['ghcr.io/😀'] }, /is not an image repository/],
  ['NUL', { images: ['a\0b*'] }, /is not a pattern of repositories: "a\\u0000b\*"/],
  ['a wrong exclude', { exclude: ['web:1'] }, /spec\.exclude\[0\]: "web:1" has a tag/],
  ['no order', { order: null }, /spec\.order: is missing\. Write one under order, such as semver/],
  [
    'an empty order',
    { order: {} },
    /spec\.order: must have exactly one of semver, alphabetical, .*\. Write one of them, such as semver/,
  ],
  ['two orders', { order: { numerical: {}, alphabetical: {} } }, /order: must have exactly one of/],
  [
    'an unknown order',
    { order: { semvar: {} } },
    /order\.semvar: is not a field of order\. Write semver/,
  ],
  ['no range', { order: { semver: {} } }, /order\.semver\.range: is missing/],
  [
    'a numeric range',
    { order: { semver: { range: 1.2 } } },
    /range: must be a string, not a number\. Write it in quotes/,
  ],
  [
    'a wrong range',
    { order: { semver: { range: '>=x.y' } } },
    /^f\.yaml:1:\d+: spec\.order\.semver\.range: /,
  ],
  [
    'a wrong direction',
    { order: { numerical: { order: 'asc' } } },
    /"asc" is not one of Ascending, Descending/,
  ],
  [
    'a short digest',
    { order: { digest: { allowed: ['sha256:ab'] } } },
    /allowed\[0\]: "sha256:ab" is not valid\. A digest is/,
  ],
  ['no digest', { order: { digest: { allowed: [] } } }, /digest\.allowed: is empty/],
  [
    'digest without either',
    { order: { digest: {} } },
    /order\.digest: must have exactly one of allowed, follow/,
  ],
  [
    'digest with both',
    { order: { digest: { allowed: [digest], follow: 'x' } } },
    /exactly one of allowed, follow/,
  ],
  [
    'following no tag',
    { order: { digest: { follow: 'a b' } } },
    /follow: "a b" is not valid\. A tag is/,
  ],
  ['a wrong pattern', { tags: { pattern: '(' } }, /^f\.yaml:1:\d+: spec\.tags\.pattern: /],
  ['a look-behind', { tags: { pattern: '(?<=a)b' } }, /spec\.tags\.pattern: /],
  ['a wrong allow', { tags: { allow: ['a', '['] } }, /spec\.tags\.allow\[1\]: /],
  ['a wrong ignore', { tags: { ignore: ['*'] } }, /spec\.tags\.ignore\[0\]: /],
  ['extract without pattern', { tags: { extract: '$1' } }, /spec\.tags\.extract: needs a pattern/],
  [
    'an unknown action',
    { action: 'track' },
    /"track" is not one of Verify, Pin, Track\. Write Track instead/,
  ],
  [
    'an unknown enforcement',
    { enforcement: 'Dryrun' },
    /is not one of Enforce, Warn, Audit\. Use one of these/,
  ],
  [
    'Verify that resolves',
    { action: 'Verify', latest: 'Resolve' },
    /spec\.latest: cannot be Resolve with action Verify/,
  ],
  [
    'Pin to a tag',
    { action: 'Pin', reference: 'Tag' },
    /spec\.reference: cannot be Tag with action Pin/,
  ],
  [
    'a digest that is not written',
    { order: { digest: { follow: 'stable' } }, reference: 'Tag' },
    /spec\.reference: cannot be Tag with order digest/,
  ],
  ['a duration in words', { minimumAge: '5 days' }, /"5 days" is not valid\. Write it like "0s"/],
  ['a duration without unit', { minimumAge: 5 }, /minimumAge: must be a string, not a number/],
  ['an endless duration', { minimumAge: `${'9'.repeat(30)}d` }, /minimumAge: is too long/],
  ['a flag in quotes', { allowDowngrade: 'true' }, /must be true or false, not a string/],
  [
    'an architecture only',
    { platforms: ['amd64'] },
    /platforms\[0\]: "amd64" is not valid\. Write os\/arch/,
  ],
  [
    'a selector in a word',
    { match: { selector: 'app=web' } },
    /selector: must be an object, not a string/,
  ],
  [
    'In without values',
    { match: { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } },
    /matchExpressions\[0\]\.values: is needed by operator In/,
  ],
  [
    'Exists with values',
    {
      match: { selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
    },
    /values: has no meaning with Exists/,
  ],
  [
    'a label that cannot be',
    { match: { selector: { matchLabels: { team: 'shop-*' } } } },
    /matchLabels\.team: "shop-\*" is no value that a label can have/,
  ],
  [
    'a key that cannot be',
    { match: { selector: { matchLabels: { 'my team': 'a' } } } },
    /"my team" is no key of a label/,
  ],
  [
    'a value of an expression that cannot be',
    { match: { selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b c'] }] } } },
    /matchExpressions\[0\]\.values\[0\]: "b c" is no value/,
  ],
  [
    'a key of an expression that cannot be',
    { match: { selector: { matchExpressions: [{ key: 'A.b/c', operator: 'Exists' }] } } },
    /matchExpressions\[0\]\.key: "A.b\/c" is no key/,
  ],
  [
    'a numeric label',
    { match: { selector: { matchLabels: { a: 1 } } } },
    /matchLabels\.a: must be a string/,
  ],
  [
    'namespaceSelector in a namespace',
    { namespaceSelector: {} },
    /namespaceSelector: is not a field/,
  ],
]

t.test('what is wrong is named with its place, field and remedy', (t) => {
  for (const [title, spec, says] of WRONG) {
    const { lines, set } = read(nativePolicy(spec))
    t.ok(
      lines.some((line) => says.test(line)),
      `${title}: ${lines.join(' | ')}`,
    )
    t.equal(set.policies.length, 0, `${title}: no policy`)
  }
  t.end()
})

t.test('each problem says what to do next and stays on one line', (t) => {
  const { problems } = parsePolicies('a: 1', 'f.yaml')
  const all = WRONG.flatMap(([, spec]) => read(nativePolicy(spec)).problems)
  for (const problem of [...problems, ...all]) {
    t.equal(problem.code, 'ERR_INVALID_POLICY')
    t.not(problem.remedy, '', problem.message)
    t.notMatch(`${problem.message}${problem.remedy}`, /[\n\0]|\.$/)
    t.ok(problem.position?.line, problem.message)
  }
  t.end()
})

t.test('all problems of a file are told at once, not only the first', (t) => {
  const text = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: Web, nmespace: shop }
spec:
  image: [ghcr.io/acme/web]
  images: [ghcr.io/acme/]
  order: { semver: { range: 1 } }
  action: track
---
apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: base, namespace: shop }
spec:
  images: ["**"]
  order: { alphabetical: {} }
  platforms: [x]
`
  t.strictSame(
    read(text).lines.map((line) => line.split(': ').slice(0, 2).join(' ')),
    [
      'f.yaml:3:24 metadata.nmespace',
      'f.yaml:3:19 metadata.name',
      'f.yaml:5:3 spec.image',
      'f.yaml:7:29 spec.order.semver.range',
      'f.yaml:8:11 spec.action',
      'f.yaml:6:12 spec.images[0]',
      'f.yaml:12:36 metadata.namespace',
      'f.yaml:16:15 spec.platforms[0]',
    ],
  )
  t.end()
})

const KINDS: [title: string, text: string, says: RegExp | undefined][] = [
  [
    'a misspelt kind',
    'apiVersion: tagwarden.io/v1alpha1\nkind: ImagePolcy',
    /kind: "ImagePolcy" is not a kind.*Write ImagePolicy/,
  ],
  [
    'another kind of ours',
    'apiVersion: tagwarden.io/v1alpha1\nkind: Foo',
    /The kinds are ImagePolicy/,
  ],
  [
    'another version',
    'apiVersion: tagwarden.io/v1\nkind: ImagePolicy',
    /version "v1" of tagwarden\.io/,
  ],
  [
    'a misspelt group',
    'apiVersion: tagwarden.o/v1alpha1\nkind: ImagePolicy',
    /Write tagwarden\.io/,
  ],
  ['no kind', 'apiVersion: tagwarden.io/v1alpha1', /kind: is missing/],
  ['no apiVersion', 'kind: ImagePolicy', /apiVersion: is missing\. Add apiVersion: tagwarden\.io/],
  [
    'no spec',
    'apiVersion: tagwarden.io/v1alpha1\nkind: ImagePolicy\nmetadata: {name: a}',
    /spec: is missing/,
  ],
  [
    'no metadata',
    'apiVersion: tagwarden.io/v1alpha1\nkind: ImagePolicy\nspec: {}',
    /metadata: is missing/,
  ],
  [
    'metadata that is no object',
    'apiVersion: tagwarden.io/v1alpha1\nkind: ImagePolicy\nmetadata: 1',
    /metadata: must be an object/,
  ],
  ['a ConfigMap', 'apiVersion: v1\nkind: ConfigMap', undefined],
  [
    "another project's ImagePolicy",
    'apiVersion: config.openshift.io/v1\nkind: ImagePolicy',
    undefined,
  ],
  [
    "another project's ClusterImagePolicy",
    'apiVersion: policy.sigstore.dev/v1\nkind: ClusterImagePolicy',
    undefined,
  ],
]

t.test('kinds of other projects are passed over, misspelt ones of ours are not', (t) => {
  for (const [title, text, says] of KINDS) {
    const { lines, skipped } = read(text)
    if (says === undefined) t.strictSame([lines, skipped], [[], 1], title)
    else
      t.ok(
        lines.some((line) => says.test(line)),
        `${title}: ${lines}`,
      )
  }
  t.end()
})

t.test('one name for two policies is an error that says where both stand', (t) => {
  const one = parsePolicies(nativePolicy({}), 'a.yaml')
  t.equal(one.problems.length, 0)
  const { lines, set } = read(
    file(nativePolicy({}), nativePolicy({}), nativePolicy({}, { namespace: 'x' })),
  )
  t.strictSame(lines, [
    'f.yaml:3:1: ImagePolicy default/web is also in f.yaml:1. Rename or delete one of the two',
  ])
  t.equal(set.policies.length, 2)
  t.end()
})
