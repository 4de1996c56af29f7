import t from 'tap'
import { parseReference } from '../../src/images/index.ts'
import type { Workload } from '../../src/policies/index.ts'
import { file, nativePolicy, read, workload } from './reading.ts'

const LEAST = { images: ['ghcr.io/acme/web'], reason: 'OPS-123', expires: '2026-12-01T00:00:00Z' }
const DIGEST = `sha256:${'a'.repeat(64)}`

function exception(spec: object = {}, metadata: object = {}): string {
  return JSON.stringify({
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicyException',
    metadata: { name: 'x', ...metadata },
    spec: { ...LEAST, ...spec },
  })
}

/** Names of the exceptions for an image. */
function names(
  text: string,
  image = 'ghcr.io/acme/web:v0.9.1',
  where: Partial<Workload> = {},
  container: string | null = 'app',
): string[] {
  const { set, lines } = read(text)
  t.strictSame(lines, [])
  return set
    .exceptions(parseReference(image), workload(where), container ?? undefined)
    .map(({ name }) => name)
}

t.test('an exception is made ready: its images, its reason on one line, its end', (t) => {
  const { set, lines } = read(
    exception(
      { images: ['nginx', 'GHCR.io/acme/*:v0.9.*'], reason: ' old\n schema\u001b[31m ' },
      { namespace: 'shop' },
    ),
  )
  t.strictSame(lines, [])
  t.match(set.allExceptions, [
    {
      namespace: 'shop',
      name: 'x',
      title: 'ImagePolicyException shop/x',
      position: { file: 'f.yaml', line: 1 },
      images: ['docker.io/library/nginx', 'ghcr.io/acme/*:v0.9.*'],
      reason: 'old schema\\u001b[31m',
      expires: Date.UTC(2026, 11, 1),
      narrowed: false,
    },
  ])
  t.ok(Object.isFrozen(set.allExceptions[0]))
  t.equal(set.policies.length, 0)
  t.end()
})

t.test('an end is read to the millisecond, in its zone', (t) => {
  for (const [expires, at] of [
    ['2026-12-01T00:00:00Z', Date.UTC(2026, 11, 1)],
    ['2026-12-01T01:30:00.25+01:30', Date.UTC(2026, 11, 1, 0, 0, 0, 250)],
    ['2028-02-29T23:59:59Z', Date.UTC(2028, 1, 29, 23, 59, 59)],
  ] as const) {
    t.equal(read(exception({ expires })).set.allExceptions[0]?.expires, at, expires)
  }
  t.end()
})

t.test('what is wrong with an exception has its place and its remedy', (t) => {
  const rows: [spec: object, says: RegExp][] = [
    [
      { images: null },
      /spec\.images: is missing\. Add it, such as images: \["ghcr\.io\/acme\/web:v/,
    ],
    [{ images: [] }, /spec\.images: is empty/],
    [{ images: [''] }, /spec\.images\[0\]: is empty/],
    [{ images: ['*'] }, /"\*" could mean every image/],
    [{ images: ['ghcr.io/acme/'] }, /is only a prefix/],
    [{ images: ['https://ghcr.io/acme/web'] }, /has a scheme\. Write "ghcr\.io\/acme\/web"/],
    [{ images: [`web@${DIGEST}`] }, /images\[0\]: ".*" has a digest\. Write the repository/],
    [{ images: ['web:'] }, /"web:" has no valid tag after the colon/],
    [{ images: ['web:v1 '] }, /has no valid tag after the colon\. A tag is at most 128 letters/],
    [{ images: [`web:${'a'.repeat(129)}`] }, /has no valid tag after the colon/],
    [{ images: [':v1'] }, /is not an image repository/],
    [{ images: ['a\0b'] }, /is not an image repository: /],
    [{ images: ['__proto__/x:1'] }, /is not an image repository/],
    [{ reason: null }, /reason: is missing\. Add it, such as reason: "v1 needs the old schema/],
    [{ reason: '' }, /reason: is empty\. Say why/],
    [{ reason: ' \n\t' }, /reason: " \\n\\t" is not valid\. Say why, such as a ticket/],
    [{ reason: 'x'.repeat(1025) }, /reason: has 1025 characters, more than the 1024/],
    [{ expires: null }, /expires: is missing\. Add it, such as expires: "2026-12-01T00:00:00Z"/],
    [{ expires: '2026-12-01' }, /expires: "2026-12-01" is not valid\. Write date, time and zone/],
    [{ expires: '2026-12-01T00:00:00' }, /is not valid\. Write date, time and zone/],
    [{ expires: '2026-02-30T00:00:00Z' }, /"2026-02-30T00:00:00Z" is no day and time\. Write date/],
    [{ expires: '2026-13-01T00:00:00Z' }, /is no day and time/],
    [{ expires: '2026-12-01T25:00:00Z' }, /is no day and time/],
    [{ expires: '2026-12-01T00:00:00+99:00' }, /is no day and time/],
    [{ expires: 'never' }, /"never" is not valid/],
    [{ expires: 4 }, /expires: must be a string/],
    [{ policies: 'web' }, /policies: must be a list/],
    [{ match: { names: [''] } }, /match\.names\[0\]: is empty/],
    [{ match: { name: 'web' } }, /match\.name: is not a field of match\. Write names instead/],
    [
      { match: { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } },
      /match\.selector\.matchExpressions\[0\]\.values: is needed by operator In/,
    ],
    [{ until: 'x' }, /spec\.until: is not a field\. The fields are images, match, policies/],
  ]
  for (const [spec, says] of rows) {
    const { lines, set } = read(exception(spec))
    t.match(lines, [says], JSON.stringify(spec).slice(0, 100))
    t.equal(set.allExceptions.length, 0)
  }
  const { lines } = read(exception({}, { name: 'A', namespace: 'B' }).replace('"spec"', '"spek"'))
  t.match(lines.join('\n'), /metadata\.name: "A" is not valid/)
  t.match(lines.join('\n'), /spec: is missing\. Write images, reason and expires under spec/)
  t.match(read(exception().replace('Exception', 'Exeption')).lines, [
    /"ImagePolicyExeption" is not a kind of tagwarden\.io\. Write ImagePolicyException instead/,
  ])
  t.end()
})

t.test('two of the same name are one too many', (t) => {
  const { lines, set } = read(file(exception(), exception({ reason: 'another' })))
  t.match(lines, [/ImagePolicyException default\/x is also in f\.yaml:1\. Rename or delete/])
  t.equal(set.allExceptions.length, 1)
  t.end()
})

t.test('images: by repository, by tag, and never by a bare prefix', (t) => {
  const rows: [images: string[], image: string, scope: 'repository' | 'tag' | undefined][] = [
    [['ghcr.io/acme/web'], 'ghcr.io/acme/web:v1', 'repository'],
    [['ghcr.io/acme/web'], `GHCR.io/acme/web@${DIGEST}`, 'repository'],
    [['ghcr.io/acme/web'], 'ghcr.io/acme/web-admin:v1', undefined],
    [['ghcr.io/acme/*'], 'ghcr.io/acme/web', 'repository'],
    [['**'], 'nginx', 'repository'],
    [['web:v0.9.*'], 'web:v0.9.1', 'tag'],
    [['web:v0.9.*'], 'web:v0.9', undefined],
    [['web:v0.9.*'], 'web:v0x9.1', undefined],
    [['web:v0.9.*'], `web:v0.9.1@${DIGEST}`, 'tag'],
    [['web:v0.9.*'], `web@${DIGEST}`, undefined],
    [['web:*'], `web@${DIGEST}`, undefined],
    [['web:latest'], 'web', 'tag'],
    [['web:v1', 'web'], 'web:v1', 'repository'],
    [['**:v1'], 'ghcr.io/a/b/c:v1', 'tag'],
    [['localhost:5000/web:v1'], 'localhost:5000/web:v1', 'tag'],
    [['localhost:5000/web'], 'localhost:5000/web:v1', 'repository'],
    [['*.example.com:5000/**'], 'eu.example.com:5000/a/b:v1', 'repository'],
    [['[::1]:5000/web:v1'], '[::1]:5000/web:v1', 'tag'],
    [['acme/web'], 'registry-1.docker.io/acme/web:v1', 'repository'],
    [['registry-1.docker.io/acme/web'], 'registry-1.docker.io/acme/web:v1', 'repository'],
    [['registry-1.docker.io/acme/web:v*'], 'acme/web:v1', 'tag'],
    [['ghcr.io/acme/web:v1'], 'ghcr.io:443/acme/web:v1', 'tag'],
  ]
  for (const [images, image, scope] of rows) {
    const { set, lines } = read(exception({ images }))
    t.strictSame(lines, [])
    const reference = parseReference(image)
    t.equal(set.allExceptions[0]?.covers(reference), scope, `${images}: ${image}`)
    const found = set.exceptions(reference, workload(), 'app')
    t.equal(found.length, scope === undefined ? 0 : 1, `${images}: ${image} in the index`)
  }
  t.end()
})

t.test('an exception is for its own namespace only, the one that lasts longest first', (t) => {
  const text = file(
    exception({}, { name: 'here' }),
    exception({ expires: '2027-01-01T00:00:00Z' }, { name: 'longer' }),
    exception({ expires: '2027-01-01T00:00:00Z' }, { name: 'as-long' }),
    exception({}, { name: 'there', namespace: 'shop' }),
  )
  t.strictSame(names(text), ['as-long', 'longer', 'here'])
  t.strictSame(names(text, undefined, { namespace: 'shop' }), ['there'])
  t.strictSame(names(text, undefined, { namespace: 'other' }), [])
  t.strictSame(names(text, undefined, { namespace: undefined }), [])
  t.strictSame(names(text, 'ghcr.io/acme/api:v1'), [])
  t.end()
})

t.test('match: kinds, labels, containers and names', (t) => {
  const rows: [match: object, where: Partial<Workload>, container: string | null, fits: boolean][] =
    [
      [{}, {}, 'app', true],
      [{ kinds: ['Deployment'] }, {}, 'app', true],
      [{ kinds: ['Deployment.apps'] }, {}, null, true],
      [{ kinds: ['Job'] }, {}, 'app', false],
      [{ containers: ['ap*'] }, {}, 'app', true],
      [{ containers: ['ap*'] }, {}, null, false],
      [{ selector: { matchLabels: { a: 'b' } } }, { labels: { a: 'b' } }, 'app', true],
      [{ selector: { matchLabels: { a: 'b' } } }, {}, 'app', false],
      [{ names: ['web'] }, {}, 'app', true],
      [{ names: ['api', 'we*'] }, {}, 'app', true],
      [{ names: ['we'] }, {}, 'app', false],
      [{ names: ['web'] }, { name: undefined }, 'app', false],
      [{ kinds: ['Deployment'] }, { name: undefined }, 'app', true],
      [{ names: ['web'], containers: ['db'] }, {}, 'app', false],
    ]
  for (const [match, where, container, fits] of rows) {
    t.strictSame(
      names(exception({ match }), undefined, where, container),
      fits ? ['x'] : [],
      JSON.stringify(match),
    )
  }
  t.equal(read(exception({ match: { names: ['web'] } })).set.allExceptions[0]?.narrowed, true)
  t.equal(read(exception({ match: {} })).set.allExceptions[0]?.narrowed, false)
  t.end()
})

t.test('what lets a Deployment through lets its ReplicaSets and pods through', (t) => {
  const pod: Partial<Workload> = {
    groupKind: { group: '', kind: 'Pod' },
    name: 'web-5d4f-x',
    owners: [
      { group: 'apps', kind: 'ReplicaSet', name: 'web-5d4f' },
      { group: 'apps', kind: 'Deployment', name: 'web' },
    ],
  }
  for (const [match, fits] of [
    [{ names: ['web'] }, true],
    [{ kinds: ['Deployment'], names: ['web'] }, true],
    [{ kinds: ['Deployment.apps'] }, true],
    [{ kinds: ['StatefulSet'], names: ['web'] }, false],
    // kind and name must be those of one object
    [{ kinds: ['Pod'], names: ['web'] }, false],
    [{ kinds: ['Pod'], names: ['web-*'] }, true],
  ] as const) {
    t.strictSame(
      names(exception({ match }), undefined, pod),
      fits ? ['x'] : [],
      JSON.stringify(match),
    )
  }
  t.end()
})

t.test('policies: all that may be lifted, or those that are named', (t) => {
  const { set } = read(
    file(
      nativePolicy({}, { name: 'web' }),
      nativePolicy({}, { name: 'web', kind: 'ClusterImagePolicy' }),
      nativePolicy({ exceptions: 'Allow' }, { name: 'soft', kind: 'ClusterImagePolicy' }),
      exception({}, { name: 'all' }),
      exception({ policies: ['web'] }, { name: 'by-name' }),
      exception({ policies: ['ImagePolicy default/web'] }, { name: 'by-title' }),
      exception({ policies: ['ClusterImagePolicy soft'] }, { name: 'cluster' }),
      exception({ policies: ['web', 'constructor'] }, { name: 'odd' }),
    ),
  )
  const lifted = (name: string) =>
    set.policies
      .filter((policy) => set.allExceptions.find((each) => each.name === name)?.lifts(policy))
      .map(({ title }) => title)
  const own = 'ImagePolicy default/web'
  t.strictSame(lifted('all'), [own, 'ClusterImagePolicy soft'])
  t.strictSame(lifted('by-name'), [own], 'a cluster policy of that name stands')
  t.strictSame(lifted('by-title'), [own])
  t.strictSame(lifted('cluster'), ['ClusterImagePolicy soft'])
  t.strictSame(lifted('odd'), [own])
  t.end()
})

t.test('the revision of a set changes with its exceptions', (t) => {
  const revisions = [exception(), exception({ reason: 'other' }), nativePolicy({})].map(
    (text) => read(text).set.revision,
  )
  t.equal(new Set(revisions).size, 3)
  t.end()
})

t.test('10,000 exceptions of other images cost a look-up nothing', (t) => {
  const many = Array.from({ length: 10_000 }, (_, index) =>
    exception({ images: [`ghcr.io/acme/i${index}:v0.*`] }, { name: `x${index}` }),
  )
  const image = parseReference('ghcr.io/acme/i77:v0.1')
  const where = workload()
  /** CPU time of so many look-ups, in us */
  const costAmong = (some: readonly string[]) => {
    const { set } = read(`{"kind":"List","items":[${some.join()}]}`)
    t.equal(set.exceptions(image, where, 'app')[0]?.name, 'x77')
    const start = process.cpuUsage()
    for (let count = 0; count < 100_000; count += 1) set.exceptions(image, where, 'app')
    return process.cpuUsage(start).user
  }
  const few = costAmong(many.slice(70, 80))
  const all = costAmong(many)
  t.ok(all < 20 * few, `${all} us among 10,000, ${few} us among 10`)
  t.end()
})
