import t from 'tap'
import { parsePolicies } from '../../src/policies/index.ts'
import { read, titles } from './reading.ts'

const digest = (letter: string) => `sha256:${letter.repeat(64)}`

function entry(part: object = {}): object {
  return {
    name: 'web',
    policy: { semver: { range: '1.x' } },
    oci: { image: 'ghcr.io/acme/web' },
    ...part,
  }
}

function kustomization(entries: unknown, more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['deployment.yaml'],
    spec: { imagePolicies: entries },
    ...more,
  })
}

t.test('the form of the documentation, as YAML', (t) => {
  const text = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: app, namespace: shop }
spec:
  path: ./deploy
  imagePolicies:
    - name: web
      policy:
        semver: { range: ">=1.2.3 <2.0.0", identifier: v }
      github:
        image: ghcr.io/acme/web
        policy:
          tags:
            regex: '^v[0-9.]+$'
        allowTags: ['^v1\\.2\\.3-rc.*$']
        ignoreTags: '^v1\\.2\\.3-beta.*$'
    - name: nginx
      policy: { alphabetical: { order: desc } }
      dockerhub: { image: nginx, policy.tags.regex: '^1' }
`
  const { set, lines } = read(text)
  t.strictSame(lines, [])
  t.match(set.policies, [
    {
      kind: 'ImagePolicy',
      namespace: 'shop',
      name: 'web',
      action: 'Track',
      reference: 'TagAndDigest',
    },
    { kind: 'ImagePolicy', namespace: 'shop', name: 'nginx', images: ['docker.io/library/nginx'] },
  ])
  t.strictSame(set.policies[0]?.selector.rule, {
    pattern: '^v[0-9.]+$',
    allow: ['^v1\\.2\\.3-rc.*$'],
    ignore: ['^v1\\.2\\.3-beta.*$'],
    order: { semver: { range: '>=1.2.3 <2.0.0', identifier: 'v' } },
  })
  t.match(set.policies[1]?.selector.rule, {
    pattern: '^1',
    order: { alphabetical: { order: 'Descending' } },
  })
  t.strictSame(titles({ set, problems: [], notes: [] }, 'nginx:1.27', { namespace: 'shop' }), [
    'ImagePolicy shop/nginx',
  ])
  t.end()
})

t.test('each way to write a digest policy is read', (t) => {
  const rows: [written: unknown, order: object][] = [
    [digest('a'), { digest: { allowed: [digest('a')] } }],
    [[digest('a'), digest('b')], { digest: { allowed: [digest('a'), digest('b')] } }],
    [{ allowed: [digest('c')] }, { digest: { allowed: [digest('c')] } }],
    [{ follow: 'stable' }, { digest: { follow: 'stable' } }],
  ]
  for (const [written, order] of rows) {
    const { set, lines } = read(kustomization([entry({ policy: { digest: written } })]))
    t.strictSame(lines, [])
    t.strictSame(set.policies[0]?.selector.rule.order, order)
  }
  t.end()
})

t.test('asc, desc, Ascending and Descending all mean what they say', (t) => {
  for (const order of ['asc', 'ASC', 'Ascending', 'desc', 'Descending']) {
    const { set } = read(kustomization([entry({ policy: { numerical: { order } } })]))
    const native = /^a/i.test(order) ? 'Ascending' : 'Descending'
    t.strictSame(set.policies[0]?.selector.rule.order, { numerical: { order: native } }, order)
  }
  t.end()
})

t.test('every provider holds an image', (t) => {
  for (const provider of ['aws', 'gcr', 'oci', 'dockerhub', 'azure', 'github']) {
    const one = { name: 'web', policy: { numerical: {} }, [provider]: { image: 'example.com/a/b' } }
    const { set, lines } = read(kustomization([one]))
    t.strictSame([lines, set.policies[0]?.images], [[], ['example.com/a/b']], provider)
  }
  t.end()
})

t.test('the list may stand at the top, and the namespace in three places', (t) => {
  const rows: [more: object, namespace: string | undefined][] = [
    [{ spec: undefined, imagePolicies: [entry()] }, undefined],
    [{ spec: undefined, imagePolicies: [entry()], namespace: 'shop' }, 'shop'],
    [
      {
        metadata: { namespace: 'flux-system' },
        spec: { targetNamespace: 'shop', imagePolicies: [entry()] },
      },
      'shop',
    ],
    [{ metadata: { namespace: 'shop' } }, 'shop'],
  ]
  for (const [more, namespace] of rows) {
    const { set, lines } = read(kustomization([entry()], more))
    t.strictSame(lines, [])
    const kind = namespace === undefined ? 'ClusterImagePolicy' : 'ImagePolicy'
    t.match(set.policies, [{ kind, name: 'web' }])
    t.equal(set.policies[0]?.namespace, namespace)
  }
  t.end()
})

t.test("kustomize's own file without kind is known by its name or its list", (t) => {
  const bare = JSON.stringify({ resources: [], imagePolicies: [entry()] })
  t.equal(read(bare).set.policies.length, 1)
  for (const name of ['kustomization.yaml', 'a/b/kustomization.yml', 'Kustomization']) {
    const { problems, skipped } = parsePolicies('resources: []', name)
    t.strictSame([problems, skipped], [[], 1], name)
  }
  t.equal(parsePolicies('resources: []', 'other.yaml').problems.length, 1)
  t.equal(read(kustomization(undefined)).skipped, 1, 'a Kustomization without image policies')
  t.end()
})

t.test('what is wrong is named where its author wrote it', (t) => {
  const rows: [entries: unknown, says: RegExp][] = [
    [{}, /spec\.imagePolicies: must be a list\. Begin each entry/],
    [['x'], /imagePolicies\[0\]: must be an object/],
    [[entry({ name: null })], /imagePolicies\[0\]\.name: is missing/],
    [[entry({ name: 'Web' })], /imagePolicies\[0\]\.name: "Web" is not valid/],
    [
      [entry({ oci: null })],
      /imagePolicies\[0\]: must have exactly one of aws, gcr, .*Add one, such as oci/,
    ],
    [[entry({ aws: { image: 'a' } })], /must have exactly one of.*Keep one of aws, oci/],
    [
      [entry({ docker: {} })],
      /docker: is not a field of imagePolicies\. Write dockerhub instead|docker: is not a field/,
    ],
    [[entry({ oci: {} })], /oci\.image: is missing/],
    [[entry({ oci: { image: 'web:v1' } })], /\[0\]\.oci\.image: "web:v1" has a tag/],
    [[entry({ oci: { image: 'acme/*' } })], /oci\.image: .* more than one repository/],
    [
      [entry({ oci: { image: 'a', ignoreTag: [] } })],
      /ignoreTag: is not a field of oci\. Write ignoreTags/,
    ],
    [[entry({ oci: { image: 'a', allowTags: [1] } })], /allowTags\[0\]: must be a string/],
    [
      [entry({ oci: { image: 'a', allowTags: 1 } })],
      /allowTags: must be a string or a list, not a number/,
    ],
    [[entry({ oci: { image: 'a', ignoreTags: ['x', '('] } })], /\[0\]\.oci\.ignoreTags\[1\]: /],
    [
      [entry({ oci: { image: 'a', policy: { tags: { regex: '(' } } } })],
      /oci\.policy\.tags\.regex: /,
    ],
    [[entry({ oci: { image: 'a', 'policy.tags.regex': '(' } })], /oci\["policy\.tags\.regex"\]: /],
    [
      [entry({ oci: { image: 'a', 'policy.tags.regex': 'x', policy: { tags: { regex: 'y' } } } })],
      /is given in two spellings/,
    ],
    [[entry({ policy: null })], /\[0\]\.policy: is missing/],
    [[entry({ policy: {} })], /\[0\]\.policy: must have exactly one of semver/],
    [[entry({ policy: { semver: { range: 'x.y' } } })], /\[0\]\.policy\.semver\.range: /],
    [[entry({ policy: { digest: 'sha256:1' } })], /\[0\]\.policy\.digest/],
    [[entry({ policy: { digest: 7 } })], /policy\.digest: must be a string or a list or an object/],
    [
      [entry({ policy: { digest: { allowd: [] } } })],
      /policy\.digest\.allowd: is not a field of digest\. Write allowed/,
    ],
    [
      [entry({ policy: { alphabetical: { order: 'up' } } })],
      /order: "up" is not valid\. Write asc or desc/,
    ],
    [[entry(), entry()], /ClusterImagePolicy web is also in f\.yaml:1/],
  ]
  for (const [entries, says] of rows) {
    const { lines } = read(kustomization(entries))
    t.equal(lines.length, 1, lines.join(' | '))
    t.match(lines[0], says)
    t.match(lines[0], /^f\.yaml:1:\d+: /)
  }
  t.end()
})
