import t from 'tap'
import { describeError } from '../../src/errors.ts'
import {
  compilePolicies,
  documentOf,
  type PolicyDraft,
  type PolicyResource,
  readObjects,
  sharedSelectors,
} from '../../src/policies/index.ts'

const TYPE = { apiVersion: 'tagwarden.io/v1alpha1', kind: 'ImagePolicy' }

function policy(name: string, spec: object = {}, more: object = {}) {
  return {
    ...TYPE,
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1', labels: { a: 'b' } },
    spec: { images: [`ghcr.io/acme/${name}`], order: { semver: { range: '1.x' } }, ...spec },
    status: { conditions: [] },
    ...more,
  }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freeze(part)
    Object.freeze(value)
  }
  return value
}

/** Problems of objects as people see them. */
function lines(...objects: unknown[]): string[] {
  const { resources, problems } = readObjects(objects)
  const compiled = compilePolicies(resources)
  return [...problems, ...compiled.problems].map((problem) => describeError(problem))
}

t.test('an object of the API server becomes a policy, and is not written to', (t) => {
  const object = freeze(policy('web', { exclude: null }))
  const { resources, problems } = readObjects([object])
  const { set } = compilePolicies(resources)
  t.strictSame(problems, [])
  t.match(set.policies, [
    { title: 'ImagePolicy shop/web', action: 'Track', position: { file: 'ImagePolicy shop/web' } },
  ])
  t.end()
})

t.test('the items of a list do not say what they are: the caller does', (t) => {
  const { apiVersion: _, kind: __, ...item } = policy('web')
  t.equal(compilePolicies(readObjects([item], TYPE).resources).set.policies.length, 1)
  t.match(lines(item), [
    'object shop/web: apiVersion: is missing. Add apiVersion: tagwarden.io/v1alpha1 and kind: ImagePolicy, or move it out of the policies',
  ])
  t.end()
})

t.test('what is wrong is said in the words of a file, with the object for the place', (t) => {
  const rows: [object: unknown, says: RegExp][] = [
    [
      policy('web', { images: ['https://ghcr.io/acme/web'] }),
      /^ImagePolicy shop\/web: spec\.images\[0\]: ".*" has a scheme\. Write "ghcr\.io\/acme\/web"$/,
    ],
    [
      policy('web', { order: { semver: { range: '>=x.y' } } }),
      /^ImagePolicy shop\/web: spec\.order\.semver\.range: /,
    ],
    [policy('web', { tags: { pattern: '(' } }), /^ImagePolicy shop\/web: spec\.tags\.pattern: /],
    [
      policy('web', {}, { spec: null }),
      /^ImagePolicy shop\/web: spec: is missing\. Write images and order/,
    ],
    [
      policy('web', {}, { kind: 'ClusterImagePolicy' }),
      /^ClusterImagePolicy shop\/web: metadata\.namespace: has no meaning for a Cluster/,
    ],
    [policy('web', {}, { apiVersion: 'tagwarden.io/v9' }), /apiVersion: version "v9" of tagwarden/],
    [{ ...TYPE, metadata: {}, spec: {} }, /^ImagePolicy \(no name\): metadata\.name: is missing/],
    [{ ...TYPE, spec: {} }, /^ImagePolicy \(no name\): metadata\.name: is missing/],
    [{ ...TYPE, metadata: { name: 1 }, spec: {} }, /metadata\.name: must be a string/],
    [{}, /^object \(no name\): apiVersion: is missing/],
    [null, /^object \(no name\): apiVersion: is missing/],
    ['text', /^object \(no name\): apiVersion: is missing/],
    [[policy('web')], /^object \(no name\): apiVersion: is missing/],
  ]
  for (const [object, says] of rows) t.match(lines(object)[0], says)
  t.end()
})

t.test('an object that gets its name later is known by the beginning of it', (t) => {
  const object = { ...policy('web'), metadata: { generateName: 'web-', namespace: 'shop' } }
  t.strictSame(lines(object), [])
  t.match(lines({ ...object, spec: {} })[0], /^ImagePolicy shop\/web: spec\.images: is missing/)
  t.end()
})

t.test('the same title twice: each names the other one', (t) => {
  t.strictSame(lines(policy('web'), policy('web')), [
    'ImagePolicy shop/web: ImagePolicy shop/web is also in ImagePolicy shop/web. Rename or delete one of the two',
  ])
  t.end()
})

t.test('Flux objects of the cluster are joined as those of files are', (t) => {
  const flux = (kind: string, spec: object) =>
    freeze({
      apiVersion: 'image.toolkit.fluxcd.io/v1',
      kind,
      metadata: { name: 'web', namespace: 'shop' },
      spec,
    })
  const objects = [
    flux('ImageRepository', { image: 'ghcr.io/acme/web', interval: '5m' }),
    flux('ImagePolicy', {
      imageRepositoryRef: { name: 'web' },
      policy: { semver: { range: '1.x' } },
    }),
  ]
  const { resources } = readObjects(objects)
  const cache = new WeakMap<PolicyDraft, never>()
  const first = compilePolicies(resources, { cache }).set.policies[0]
  t.match(first, { title: 'ImagePolicy shop/web', reference: 'Tag' })
  t.equal(compilePolicies(resources, { cache }).set.policies[0], first, 'compiled once')
  t.strictSame(lines(objects[1]), [
    'ImagePolicy shop/web: spec.imageRepositoryRef.name: there is no ImageRepository shop/web. Add it to the policies, or correct the name and namespace',
  ])
  t.end()
})

t.test('exceptions and repositories come from objects as from files', (t) => {
  const apiVersion = 'tagwarden.io/v1alpha1'
  const metadata = { name: 'web', namespace: 'shop' }
  const exception = {
    apiVersion,
    kind: 'ImagePolicyException',
    metadata,
    spec: { images: ['ghcr.io/acme/web'], reason: 'OPS-123', expires: '2026-12-01T00:00:00Z' },
  }
  const repository = {
    apiVersion,
    kind: 'ImageRepository',
    metadata,
    spec: { image: 'ghcr.io/acme/web' },
  }
  const objects = [freeze(exception), freeze(repository)]
  const { resources, problems } = readObjects(objects)
  const { set } = compilePolicies(resources)
  t.strictSame(problems, [])
  t.match(set.allExceptions, [{ title: 'ImagePolicyException shop/web' }])
  t.match(set.repositories, [{ title: 'ImageRepository shop/web', interval: 600_000 }])
  const again = compilePolicies(resources).set
  t.equal(again.allExceptions[0], set.allExceptions[0], 'compiled once')
  t.equal(again.repositories[0], set.repositories[0])
  t.strictSame(lines({ ...exception, spec: { ...exception.spec, expires: 'never' } }), [
    'ImagePolicyException shop/web: spec.expires: "never" is not valid. Write date, time and zone, such as "2026-12-01T00:00:00Z"',
  ])
  t.strictSame(
    lines({ ...repository, spec: { image: 'ghcr.io/acme/web', exclusionList: ['('] } }),
    [
      'ImageRepository shop/web: spec.exclusionList[0]: the pattern is not valid: missing closing ): `(`. Escape a literal bracket with a backslash',
    ],
  )
  t.end()
})

t.test('other kinds are passed over', (t) => {
  t.match(readObjects([{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }]), {
    resources: [],
    problems: [],
    skipped: 1,
  })
  t.equal(documentOf({ kind: 'Secret', metadata: { name: 'a' } }).position.file, 'Secret a')
  t.end()
})

t.test('one of 10,000 policies changes: the others are not compiled again', (t) => {
  const options = { cache: new WeakMap<PolicyDraft, never>(), selectorOf: sharedSelectors() }
  const known = new Map<string, readonly PolicyResource[]>()
  for (let index = 0; index < 10_000; index += 1) {
    const object = policy(`p${index}`, { order: { semver: { range: `>=1.${index % 100}` } } })
    known.set(object.metadata.name, readObjects([object]).resources)
  }
  const compile = () => compilePolicies([...known.values()].flat(), options).set
  const before = compile()
  known.set('p77', readObjects([policy('p77', { action: 'Pin' })]).resources)
  const start = process.cpuUsage()
  const after = compile()
  const { user, system } = process.cpuUsage(start)
  const ms = (user + system) / 1000
  t.comment(`compiled again in ${ms.toFixed(0)} ms`)
  t.ok(ms < 500, `${ms} ms`)
  t.not(after.revision, before.revision)
  const changed = after.policies.filter((each, index) => each !== before.policies[index])
  t.match(changed, [{ name: 'p77', action: 'Pin' }])
  t.end()
})
