import fc from 'fast-check'
import t from 'tap'
import { parseReference } from '../../src/images/index.ts'
import {
  type CompileOptions,
  compilePolicies,
  parsePolicies,
  sharedSelectors,
  UNKNOWN_LABELS,
  type Workload,
} from '../../src/policies/index.ts'
import { file, nativePolicy, read, titles, workload } from './reading.ts'

const cluster = (name: string, spec: object = {}) =>
  nativePolicy({ ...spec }, { kind: 'ClusterImagePolicy', name })
const own = (name: string, spec: object = {}, namespace = 'shop') =>
  nativePolicy({ ...spec }, { name, namespace })

t.test(
  'the most specific comes first: namespaced, then longest literal pattern, then name',
  (t) => {
    const compiled = read(
      file(
        cluster('exact'),
        cluster('everything', { images: ['**'] }),
        own('b-wide', { images: ['ghcr.io/acme/*'] }),
        own('a-wide', { images: ['ghcr.io/acme/*'] }),
        own('middle', { images: ['**/acme-very-long-name', 'ghcr.io/acme/w*'] }),
        own('exact'),
        own('elsewhere', {}, 'other'),
        own('another', { images: ['ghcr.io/acme/api'] }),
      ),
    )
    t.strictSame(compiled.lines, [])
    t.strictSame(titles(compiled, 'ghcr.io/acme/web:v1', { namespace: 'shop' }), [
      'ImagePolicy shop/exact',
      'ImagePolicy shop/middle',
      'ImagePolicy shop/a-wide',
      'ImagePolicy shop/b-wide',
      'ClusterImagePolicy exact',
      'ClusterImagePolicy everything',
    ])
    t.end()
  },
)

t.test('a policy says what it covers and how specifically', (t) => {
  const { set } = read(
    own('web', { images: ['ghcr.io/acme/*', 'ghcr.io/acme/w*'], exclude: ['**/wrong'] }),
  )
  const [policy] = set.policies
  t.equal(policy?.specificity('ghcr.io/acme/web'), 'ghcr.io/acme/w'.length)
  t.equal(policy?.specificity('ghcr.io/acme/api'), 'ghcr.io/acme/'.length)
  t.equal(policy?.specificity('ghcr.io/acme/wrong'), 0)
  t.equal(policy?.covers('ghcr.io/acme/wrong'), false)
  t.equal(policy?.covers('ghcr.io/acme/web'), true)
  t.equal(read(own('all', { images: ['**'] })).set.policies[0]?.covers('a.b/c'), true)
  t.end()
})

t.test('a registry in capital letters is no way around a policy', (t) => {
  const compiled = read(file(own('web'), cluster('all', { images: ['ghcr.io/**'] })))
  t.equal(titles(compiled, 'GHCR.io/acme/web:latest', { namespace: 'shop' }).length, 2)
  t.end()
})

t.test('another name of the same registry is no way around a policy', (t) => {
  const hub = { images: ['docker.io/acme/*'], exclude: ['docker.io/acme/free'] }
  const compiled = read(
    file(
      own('web'),
      own('nginx', { images: ['nginx'] }),
      own('address', { images: ['[::1]:5000/app', '127.0.0.1:5000/app'] }),
      cluster('hub', hub),
      cluster('rail', {
        images: ['ghcr.io/**'],
      }),
    ),
  )
  const rows: [image: string, policies: string[]][] = [
    ['ghcr.io:443/acme/web', ['ImagePolicy shop/web', 'ClusterImagePolicy rail']],
    ['GHCR.IO:443/acme/web:v1', ['ImagePolicy shop/web', 'ClusterImagePolicy rail']],
    ['ghcr.io:0443/acme/web', ['ImagePolicy shop/web', 'ClusterImagePolicy rail']],
    ['ghcr.io:00443/acme/web:v1', ['ImagePolicy shop/web', 'ClusterImagePolicy rail']],
    ['0x7f.1:5000/app', ['ImagePolicy shop/address']],
    ['127.0.0.01:5000/app', ['ImagePolicy shop/address']],
    ['ghcr.io:444/acme/web', []],
    ['ghcr.io:4430/acme/web', []],
    ['ghcr.io:99999/acme/web', []],
    ['[0:0:0:0:0:0:0:1]:05000/app', ['ImagePolicy shop/address']],
    ['[::1]:5001/app', []],
    ['127.0.0.1:05000/app', ['ImagePolicy shop/address']],
    ['registry.hub.docker.com/library/nginx', ['ImagePolicy shop/nginx']],
    ['registry.hub.docker.com/acme/web', ['ClusterImagePolicy hub']],
    ['ghcr.io.evil.test/acme/web', []],
    ['index.docker.io/acme/web', ['ClusterImagePolicy hub']],
    ['INDEX.docker.io/acme/web', ['ClusterImagePolicy hub']],
    ['registry-1.docker.io/acme/web', ['ClusterImagePolicy hub']],
    ['registry-1.docker.io:443/acme/web', ['ClusterImagePolicy hub']],
    ['registry-1.docker.io/acme/free', []],
    ['INDEX.docker.io/nginx', ['ImagePolicy shop/nginx']],
    ['registry-1.docker.io/library/nginx', ['ImagePolicy shop/nginx']],
    ['docker.io:443/nginx', ['ImagePolicy shop/nginx']],
  ]
  for (const [image, policies] of rows) {
    t.strictSame(titles(compiled, image, { namespace: 'shop' }), policies, image)
  }
  const same: [written: string, image: string][] = [
    ['registry.test:443/acme/web', 'registry.test:443/acme/web:v1'],
    ['registry.test:443/acme/web', 'registry.test/acme/web:v1'],
    ['registry.test:0443/acme/*', 'registry.test/acme/web:v1'],
    ['registry-1.docker.io/acme/web', 'acme/web:v1'],
    ['Registry.hub.docker.com/acme/*', 'acme/web:v1'],
    ['registry-1.docker.io/**', 'nginx:1'],
    ['[0:0::1]:5000/**', '[::1]:5000/app'],
    ['*.docker.io/acme/web', 'registry-1.docker.io/acme/web:v1'],
    ['localhost/*', 'localhost/web:v1'],
  ]
  for (const [written, image] of same) {
    const either = read(own('either', { images: [written] }))
    t.equal(titles(either, image, { namespace: 'shop' }).length, 1, `${written} covers ${image}`)
    const neither = read(own('neither', { images: ['**'], exclude: [written] }))
    t.equal(titles(neither, image, { namespace: 'shop' }).length, 0, `${written} excludes ${image}`)
  }
  t.end()
})

t.test('where labels of a namespace cannot be had, policies that select by them apply', (t) => {
  const compiled = read(
    file(
      cluster('by-label', { namespaceSelector: { matchLabels: { team: 'web' } } }),
      cluster('by-name', {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
      }),
      cluster('by-test', {
        namespaceSelector: { matchExpressions: [{ key: 'team', operator: 'Exists' }] },
      }),
      cluster('of-both', {
        namespaceSelector: {
          matchLabels: { 'kubernetes.io/metadata.name': 'shop', team: 'web' },
        },
      }),
    ),
  )
  const rows: [namespace: string, namespaceLabels: Record<string, string>, names: string[]][] = [
    ['shop', UNKNOWN_LABELS, ['by-label', 'by-name', 'by-test', 'of-both']],
    ['other', UNKNOWN_LABELS, ['by-label', 'by-test', 'of-both']],
    ['other', {}, []],
    ['shop', { team: 'web' }, ['by-label', 'by-name', 'by-test', 'of-both']],
  ]
  for (const [namespace, namespaceLabels, names] of rows) {
    t.strictSame(
      titles(compiled, 'ghcr.io/acme/web', { namespace, namespaceLabels }),
      names.map((name) => `ClusterImagePolicy ${name}`),
    )
  }
  t.end()
})

t.test('match narrows by kind, label and container', (t) => {
  const expressions = (...matchExpressions: object[]) => ({ selector: { matchExpressions } })
  const rows: [
    match: object,
    where: Partial<Workload>,
    container: string | undefined,
    applies: boolean,
  ][] = [
    [{ kinds: ['Deployment'] }, {}, 'app', true],
    [{ kinds: ['DaemonSet', 'Job'] }, {}, 'app', false],
    [
      { kinds: ['Rollout.argoproj.io'] },
      { groupKind: { group: 'argoproj.io', kind: 'Rollout' } },
      'app',
      true,
    ],
    [
      { kinds: ['Rollout.argoproj.io'] },
      { groupKind: { group: 'x.io', kind: 'Rollout' } },
      'app',
      false,
    ],
    [{ kinds: ['Rollout'] }, { groupKind: { group: 'x.io', kind: 'Rollout' } }, 'app', true],
    [{ kinds: ['constructor'] }, {}, 'app', false],
    [{ kinds: [] }, {}, 'app', true],
    [{ containers: ['app'] }, {}, 'app', true],
    [{ containers: ['app'] }, {}, 'sidecar', false],
    [{ containers: ['app-*', '*-proxy'] }, {}, 'istio-proxy', true],
    [{ containers: ['app'] }, {}, undefined, false],
    [{}, {}, undefined, true],
    [{ selector: {} }, {}, 'app', true],
    [{ selector: { matchLabels: { tier: 'front' } } }, { labels: { tier: 'front' } }, 'app', true],
    [{ selector: { matchLabels: { tier: 'front' } } }, { labels: { tier: 'back' } }, 'app', false],
    [{ selector: { matchLabels: { constructor: 'x' } } }, {}, 'app', false],
    [
      expressions({ key: 'a', operator: 'In', values: ['1', '2'] }),
      { labels: { a: '2' } },
      'app',
      true,
    ],
    [expressions({ key: 'a', operator: 'In', values: ['1'] }), {}, 'app', false],
    [
      expressions({ key: 'a', operator: 'In', values: ['1'] }),
      { labels: { a: '2' } },
      'app',
      false,
    ],
    [
      expressions({ key: 'a', operator: 'NotIn', values: ['1'] }),
      { labels: { a: '1' } },
      'app',
      false,
    ],
    [expressions({ key: 'a', operator: 'NotIn', values: ['1'] }), {}, 'app', true],
    [expressions({ key: 'a', operator: 'Exists' }), { labels: { a: '' } }, 'app', true],
    [expressions({ key: 'toString', operator: 'Exists' }), {}, 'app', false],
    [expressions({ key: 'a', operator: 'DoesNotExist' }), { labels: { a: '' } }, 'app', false],
    [
      {
        kinds: ['Deployment'],
        ...expressions({ key: 'a', operator: 'Exists' }),
        containers: ['app'],
      },
      { labels: { a: '1' } },
      'app',
      true,
    ],
    [{ kinds: ['Job'], containers: ['app'] }, {}, 'app', false],
  ]
  for (const [match, where, container, applies] of rows) {
    const compiled = read(own('web', { match }))
    t.strictSame(compiled.lines, [])
    const found = compiled.set.match(
      parseReference('ghcr.io/acme/web'),
      workload({ namespace: 'shop', ...where }),
      container,
    )
    t.equal(found.length, applies ? 1 : 0, JSON.stringify([match, where, container]))
  }
  t.end()
})

t.test('a policy has judged owners only if it is for every one of them', (t) => {
  const owner = (kind: string, group = 'apps') => ({ group, kind, name: 'web' })
  const [set, deployment, other] = [
    owner('ReplicaSet'),
    owner('Deployment'),
    owner('Deployment', 'example.com'),
  ]
  const rows: [match: object, owners: ReturnType<typeof owner>[], judged: boolean][] = [
    [{}, [], true],
    [{}, [set, deployment], true],
    [{ kinds: ['Deployment'] }, [], false],
    [{ kinds: ['Deployment'] }, [deployment], true],
    [{ kinds: ['Deployment'] }, [set, deployment], false],
    [{ kinds: ['Deployment', 'ReplicaSet'] }, [set, deployment], true],
    [{ kinds: ['Deployment.apps'] }, [other], false],
    [{ selector: { matchLabels: { tier: 'front' } } }, [deployment], false],
  ]
  for (const [match, owners, judged] of rows) {
    const [policy] = read(own('web', { match })).set.policies
    t.equal(policy?.judged(owners), judged, JSON.stringify([match, owners]))
  }
  t.end()
})

t.test('namespaceSelector knows the name of a namespace even without its labels', (t) => {
  const compiled = read(
    file(
      cluster('by-label', { namespaceSelector: { matchLabels: { env: 'prod' } } }),
      cluster('by-name', {
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'shop' } },
      }),
      cluster('all-but-system', {
        namespaceSelector: {
          matchExpressions: [
            { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] },
          ],
        },
      }),
    ),
  )
  const found = (namespace: string | undefined, namespaceLabels = {}) =>
    titles(compiled, 'ghcr.io/acme/web', { namespace, namespaceLabels }).map(
      (title) => title.split(' ')[1],
    )
  t.strictSame(found('shop'), ['all-but-system', 'by-name'])
  t.strictSame(found('shop', { env: 'prod' }), ['all-but-system', 'by-label', 'by-name'])
  t.strictSame(found('kube-system', { 'kubernetes.io/metadata.name': 'shop' }), [])
  t.strictSame(found(undefined), ['all-but-system'])
  t.end()
})

t.test('an object without namespace gets cluster policies only', (t) => {
  const compiled = read(file(own('web', {}, 'default'), cluster('base')))
  t.strictSame(titles(compiled, 'ghcr.io/acme/web', { namespace: undefined }), [
    'ClusterImagePolicy base',
  ])
  t.end()
})

t.test('the revision changes with any policy, and not with their order', (t) => {
  const a = own('a')
  const b = own('b')
  const revision = (...texts: string[]) => read(file(...texts)).set.revision
  const repository = JSON.stringify({
    ...{ apiVersion: 'tagwarden.io/v1alpha1', kind: 'ImageRepository' },
    ...{ metadata: { name: 'web' }, spec: { image: 'ghcr.io/acme/web' } },
  })
  t.match(revision(), /^[0-9a-f]{16}$/)
  t.equal(revision(a, b), revision(b, a))
  const seen = new Set([
    revision(),
    revision(a),
    revision(b),
    revision(a, b),
    revision(own('a', { minimumAge: '1s' })),
    revision(own('a', {}, 'other')),
    revision(own('a', { match: { kinds: ['Job'] } })),
    revision(a, repository),
    revision(a, cluster('a')),
    read(a, { enforcement: 'Warn' }).set.revision,
  ])
  t.equal(seen.size, 10)
  t.end()
})

t.test('compiling again takes what did not change from the cache', (t) => {
  const cache: CompileOptions['cache'] = new WeakMap()
  const { resources } = parsePolicies(file(own('a'), own('b')), 'f.yaml')
  const first = compilePolicies(resources, { cache }).set
  const second = compilePolicies(resources.slice(0, 1), { cache }).set
  t.equal(second.policies[0], first.policies[0])
  t.not(compilePolicies(resources).set.policies[0], first.policies[0])
  t.end()
})

t.test('policies with equal rules share one selector', (t) => {
  const [a, b, c] = read(file(own('a'), own('b'), own('c', { tags: { ignore: ['x'] } }))).set
    .policies
  t.equal(a?.selector, b?.selector)
  t.not(a?.selector, c?.selector)
  t.end()
})

t.test('law: match() finds what looking at every policy finds, in the documented order', (t) => {
  const segment = fc.constantFrom('a', 'b', 'ab', '*', 'a*', '*b')
  const glob = fc
    .tuple(
      fc.constantFrom('ghcr.io', 'localhost:5000', '**', '*.io'),
      fc.array(fc.oneof(segment, fc.constant('**')), { minLength: 1, maxLength: 3 }),
    )
    .map(([host, path]) => [host, ...path].join('/'))
  const globs = fc.array(glob, { minLength: 1, maxLength: 3 })
  const some = fc.record({
    images: globs,
    exclude: fc.oneof(fc.constant([]), globs),
    namespace: fc.constantFrom(undefined, 'x', 'y'),
    kinds: fc.constantFrom<string[]>([], ['Deployment'], ['Job']),
  })
  const image = fc
    .tuple(
      fc.constantFrom('ghcr.io', 'GHCR.io', 'localhost:5000', 'quay.io'),
      fc.array(fc.constantFrom('a', 'b', 'ab', 'aab'), { minLength: 1, maxLength: 3 }),
    )
    .map(([host, path]) => [host, ...path].join('/'))
  const property = fc.property(
    fc.array(some, { maxLength: 12 }),
    fc.array(image, { minLength: 1, maxLength: 4 }),
    fc.constantFrom('x', 'y', 'z'),
    (policies, images, namespace) => {
      const texts = policies.map(({ namespace, kinds, ...spec }, i) =>
        nativePolicy(
          { ...spec, match: { kinds } },
          {
            name: `p${i % 10}${i}`,
            ...(namespace === undefined ? { kind: 'ClusterImagePolicy' } : { namespace }),
          },
        ),
      )
      const { set, lines } = read(file(...texts))
      if (lines.length > 0) throw new Error(lines.join('\n'))
      // every image twice: the second answer comes from memory
      for (const text of [...images, ...images]) {
        const { name } = parseReference(text)
        const expected = set.policies
          .filter((policy, i) => {
            const { kinds } = policies[i]!
            return (
              (policy.namespace === undefined || policy.namespace === namespace) &&
              policy.covers(name) &&
              (kinds.length === 0 || kinds.includes('Deployment'))
            )
          })
          .sort(
            (a, b) =>
              Number(a.namespace === undefined) - Number(b.namespace === undefined) ||
              b.specificity(name) - a.specificity(name) ||
              (a.name < b.name ? -1 : 1),
          )
        const found = set.match(parseReference(text), workload({ namespace }), 'app')
        t.strictSame(
          found.map(({ title }) => title),
          expected.map(({ title }) => title),
        )
      }
    },
  )
  fc.assert(property, { numRuns: 150 })
  t.end()
})

t.test('of a thousand policies in a hundred namespaces, the one that applies is found', (t) => {
  const texts = Array.from({ length: 1000 }, (_, i) =>
    own(`p${i % 10}`, { images: [`ghcr.io/acme/web-${i % 10}`] }, `ns-${Math.floor(i / 10)}`),
  )
  const compiled = read(file(...texts))
  t.equal(compiled.set.policies.length, 1000)
  t.strictSame(titles(compiled, 'ghcr.io/acme/web-7:v1', { namespace: 'ns-42' }), [
    'ImagePolicy ns-42/p7',
  ])
  for (let i = 0; i < 2000; i += 1) titles(compiled, `ghcr.io/acme/x${i}`, { namespace: 'ns-42' })
  t.strictSame(
    titles(compiled, 'ghcr.io/acme/web-7:v1', { namespace: 'ns-42' }),
    ['ImagePolicy ns-42/p7'],
    'after more names than are remembered',
  )
  t.end()
})

t.test('all policies that cover a repository are found, whatever namespace they are for', (t) => {
  const { set } = read(
    file(
      own('web'),
      own('web', { images: ['ghcr.io/acme/*'] }, 'office'),
      cluster('all', { images: ['**'], exclude: ['ghcr.io/acme/api'] }),
      own('api', { images: ['ghcr.io/acme/api'] }),
    ),
  )
  const covering = (name: string) => set.covering(name).map(({ title }) => title)
  t.strictSame(covering('ghcr.io/acme/web').sort(), [
    'ClusterImagePolicy all',
    'ImagePolicy office/web',
    'ImagePolicy shop/web',
  ])
  t.strictSame(covering('ghcr.io/acme/api').sort(), [
    'ImagePolicy office/web',
    'ImagePolicy shop/api',
  ])
  t.strictSame(covering('ghcr.io/nobody'), ['ClusterImagePolicy all'])
  t.end()
})

t.test('policies with equal rules share one ranking, also those that change later', (t) => {
  const selectorOf = sharedSelectors()
  const first = read(own('web'), { selectorOf }).set.policies[0]?.selector
  const later = read(own('job'), { selectorOf }).set.policies[0]?.selector
  const other = read(own('api', { tags: { pattern: '^v' } }), { selectorOf }).set.policies[0]
  t.equal(first, later)
  t.not(first, other?.selector)
  for (let count = 0; count < 2_500; count += 1) {
    selectorOf({ allow: [], ignore: [], order: { semver: { range: `>=${count}.0.0` } } })
  }
  t.equal(read(own('web'), { selectorOf }).set.policies[0]?.selector, first, 'many are no trouble')
  t.end()
})
