import t, { type Test } from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import {
  CLUSTER_IMAGE_POLICIES,
  FLUX_IMAGE_POLICIES,
  FLUX_IMAGE_REPOSITORIES,
  IMAGE_POLICIES,
  IMAGE_POLICY_EXCEPTIONS,
  type KubernetesObject,
  type ResourceName,
} from '../../src/cluster/index.ts'
import type { FactFailure } from '../../src/decisions/index.ts'
import type { ImagePolicyExceptionStatus, ImagePolicyStatus } from '../../src/policies/types.ts'
import type { ScanListener } from '../../src/scanner/index.ts'
import { startPolicyStatus } from '../../src/status/index.ts'
import { createFakeCluster } from '../fakes/cluster.ts'
import { HOUR, NOW } from '../fakes/facts.ts'
import { clusterImagePolicy, followCluster, imagePolicy } from '../sources/cluster.ts'

type Status = ImagePolicyStatus & ImagePolicyExceptionStatus
interface Written extends KubernetesObject {
  readonly status?: Status
}

/** A leader that writes status over a cluster in memory, and an index that tests fill. */
async function lead(t: Test) {
  const cluster = createFakeCluster()
  const following = await followCluster(t, { cluster })
  const { source, until } = following
  const catalog = createCatalog()
  const listeners = new Set<ScanListener>()
  const forgetters = new Set<(key: string) => void>()
  const timers: { run: () => void; at: number }[] = []
  const lines: string[] = []
  const leading = new AbortController()
  let now = NOW
  const statuses = startPolicyStatus({
    cluster,
    policies: source,
    catalog,
    scanner: {
      onScanned: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      onForgotten: (listener) => {
        forgetters.add(listener)
        return () => forgetters.delete(listener)
      },
    },
    log: { warn: (_fields, text) => void lines.push(text) },
    clock: () => now,
    timer: (run, ms) => {
      const entry = { run, at: now + ms }
      timers.push(entry)
      return () => timers.splice(timers.indexOf(entry), timers.includes(entry) ? 1 : 0)
    },
  })
  await source.synced
  const over = statuses.lead(leading.signal)
  t.teardown(async () => {
    leading.abort()
    await over
  })

  const get = (name: string, resource: ResourceName = IMAGE_POLICIES): Status =>
    cluster.all<Written>(resource).find(({ metadata }) => metadata.name === name)?.status ?? {}
  const ready = (name: string, resource?: ResourceName): string => {
    const found = get(name, resource).conditions?.find(({ type }) => type === 'Ready')
    return found ? `${found.status} ${found.reason}` : 'nothing'
  }
  return {
    ...following,
    lines,
    get,
    ready,
    writes: () => cluster.calls.filter(({ verb }) => verb === 'patch').length,
    /** The registry has these tags, or failed. */
    scan(key: string, tags: readonly string[], failure?: FactFailure): void {
      if (failure) catalog.recordFailure(key, failure)
      else catalog.recordTags(key, tags, now)
      for (const listener of listeners) listener(key, catalog.get(key), failure)
    },
    forget(key: string): void {
      catalog.forget(key)
      for (const listener of forgetters) listener(key)
    },
    /** Time goes on, and what waits for it runs. */
    pass(ms: number): void {
      now += ms
      for (const timer of timers.filter(({ at }) => at <= now)) {
        timers.splice(timers.indexOf(timer), 1)
        timer.run()
      }
    },
    stop: async () => {
      leading.abort()
      await over
    },
    is: (name: string, expected: string, resource?: ResourceName) =>
      until(() => ready(name, resource) === expected),
  }
}

t.test('a new policy is waiting, then accepted with its newest tag', async (t) => {
  const { put, scan, is, get } = await lead(t)
  put(imagePolicy('web'))
  await is('web', 'Unknown Scanning')
  t.strictSame(
    get('web').conditions?.map(({ type }) => type),
    ['Ready', 'Reconciling'],
  )
  scan('ghcr.io/acme/web', ['1.4.2', '1.5.0', '2.0.0'])
  await is('web', 'True Accepted')
  t.match(get('web'), {
    observedGeneration: 1,
    newest: '1.5.0',
    order: 'semver 1.x',
    repositoryCount: 1,
    lastScanTime: '2026-11-24T12:00:00Z',
    repositories: [{ image: 'ghcr.io/acme/web', tag: '1.5.0', version: '1.5.0' }],
  })
  t.strictSame(
    get('web').conditions?.map(({ type }) => type),
    ['Ready'],
    'no more Reconciling',
  )
})

t.test('a wrong edit, a lack of tags and a failing registry are told and taken back', async (t) => {
  const { put, scan, is, get, until } = await lead(t)
  put(imagePolicy('web'))
  scan('ghcr.io/acme/web', ['1.5.0'])
  await is('web', 'True Accepted')
  put(imagePolicy('web', { order: { semver: { range: 'banana' } } }))
  await is('web', 'False InvalidPolicy')
  t.equal(get('web').observedGeneration, 2)
  t.match(get('web').conditions?.[0]?.message, /banana.* Until then generation 1 stays in force$/)
  put(imagePolicy('web', { order: { semver: { range: '7.x' } } }))
  await is('web', 'False NoPermittedTag')
  t.equal(get('web').newest, undefined, 'what holds no more goes')
  scan('ghcr.io/acme/web', ['1.5.0', '7.0.0'])
  await is('web', 'True Accepted')
  const failure = { code: 'ERR_REGISTRY_UNREACHABLE', message: 'ghcr.io is away', at: NOW } as const
  scan('ghcr.io/acme/web', [], failure)
  await is('web', 'False RegistryUnavailable')
  t.match(get('web').conditions?.[0]?.message, /ghcr\.io is away; what was read 2026/)
  scan('ghcr.io/acme/web', ['1.5.0', '7.0.0'])
  await until(() => get('web').conditions?.length === 1)
})

t.test('a repository that was never read says why', async (t) => {
  const { put, scan, is } = await lead(t)
  put(imagePolicy('web'))
  const failure = { code: 'ERR_REGISTRY_UNAUTHORIZED', message: 'no access', at: NOW } as const
  await is('web', 'Unknown Scanning')
  scan('ghcr.io/acme/web', [], failure)
  await is('web', 'False RegistryUnavailable')
})

t.test('two policies that disagree name each other, until one gives way', async (t) => {
  const { put, drop, scan, is, get } = await lead(t)
  put(imagePolicy('web', { order: { semver: { range: '1.x' } } }))
  scan('ghcr.io/acme/web', ['1.5.0', '1.10.0'])
  await is('web', 'True Accepted')
  put({
    ...imagePolicy('other', {
      images: ['ghcr.io/acme/web'],
      order: { alphabetical: { order: 'Ascending' } },
    }),
  })
  await is('other', 'False Conflict')
  await is('web', 'False Conflict')
  t.match(get('web').conditions?.[0]?.message, /^ImagePolicy shop\/other is as specific/)
  t.match(
    get('other').conditions?.[0]?.message,
    /^ImagePolicy shop\/web .* chooses 1\.10\.0, this one 1\.5\.0/,
  )
  drop('other')
  await is('web', 'True Accepted')
})

t.test('two policies that permit nothing in common name each other', async (t) => {
  const { put, scan, is, get } = await lead(t)
  const images = ['ghcr.io/acme/web']
  put(imagePolicy('web', { order: { semver: { range: '1.x' } } }))
  put(imagePolicy('next', { images, order: { semver: { range: '2.x' } } }))
  const far = { images, order: { semver: { range: '7.x' } }, action: 'Verify' }
  put(imagePolicy('far', { ...far, enforcement: 'Warn' }))
  scan('ghcr.io/acme/web', ['1.5.0', '1.10.0', '2.0.0'])
  await is('web', 'False Conflict')
  await is('next', 'False Conflict')
  t.match(
    get('web').conditions?.[0]?.message,
    /^ImagePolicy shop\/next is as specific .* chooses 2\.0\.0, this one 1\.10\.0: the image is refused/,
  )
  put(imagePolicy('next', { images, order: { semver: { range: '>=1.9' } } }))
  await is('web', 'True Accepted')
  await is('next', 'True Accepted')
})

t.test('a policy that a guard rail leaves nothing of says so, until one gives way', async (t) => {
  const { put, drop, scan, is, get } = await lead(t)
  put(imagePolicy('web', { order: { semver: { range: '1.x' } } }))
  put(imagePolicy('all', { images: ['ghcr.io/acme/*'], order: { semver: { range: '1.x' } } }))
  put(imagePolicy('lenient', { images: ['ghcr.io/acme/web'], enforcement: 'Warn' }, 'office'))
  scan('ghcr.io/acme/web', ['1.5.0', '1.10.0', '2.0.0'])
  await is('web', 'True Accepted')
  const range = (text: string) => ({ images: ['**'], order: { semver: { range: text } } })
  put(clusterImagePolicy('rail', range('>=2')))
  await is('web', 'False NoPermittedTag')
  t.match(
    get('web').conditions?.[0]?.message,
    /^no tag of ghcr\.io\/acme\/web is permitted by this policy and by ClusterImagePolicy rail/,
  )
  await is('all', 'True Accepted')
  await is('lenient', 'True Accepted')
  put(clusterImagePolicy('rail', range('>=1.10')))
  await is('web', 'True Accepted')
  const { order } = range('>=2')
  put(imagePolicy('judge', { images: ['ghcr.io/acme/web'], order, action: 'Verify' }))
  await is('web', 'False NoPermittedTag')
  await is('judge', 'False NoPermittedTag')
  drop('judge')
  await is('web', 'True Accepted')
  put(
    clusterImagePolicy('some', { ...range('>=2'), namespaceSelector: { matchLabels: { a: 'b' } } }),
  )
  put(clusterImagePolicy('shy', { ...range('>=2'), enforcement: 'Audit' }))
  put(clusterImagePolicy('jobs', { ...range('>=2'), match: { kinds: ['Job'] } }))
  put(imagePolicy('last', { images: ['ghcr.io/acme/web'], order: { semver: { range: '7.x' } } }))
  await is('last', 'False NoPermittedTag')
  await is('web', 'False Conflict')
  drop('last')
  await is('web', 'True Accepted')
})

t.test('of very many repositories, each that cannot be read is told', async (t) => {
  const { put, scan, get, until, is } = await lead(t)
  const images = Array.from({ length: 120 }, (_, index) => `ghcr.io/acme/app${1000 + index}`)
  put(imagePolicy('web', { images }))
  const failure = { code: 'ERR_REGISTRY_UNAUTHORIZED', message: 'no access', at: NOW } as const
  for (const image of images.slice(0, 100)) scan(image, ['1.5.0'])
  await is('web', 'Unknown Scanning')
  for (const image of images.slice(100)) scan(image, [], failure)
  await is('web', 'False RegistryUnavailable')
  const message = () => get('web').conditions?.[0]?.message ?? ''
  await until(() => /^the tags of ghcr\.io\/acme\/app1100 .* 19 more$/.test(message()))
  t.equal(get('web').repositories?.length, 50, 'what is selected is shown of the first ones')
})

t.test('policies that can never meet, or agree, are no rivals', async (t) => {
  const { put, scan, is } = await lead(t)
  const images = ['ghcr.io/acme/web']
  const alphabetical = { alphabetical: { order: 'Ascending' } }
  put(imagePolicy('web', { match: { containers: ['app'] } }))
  put(imagePolicy('side', { images, match: { containers: ['side'] }, order: alphabetical }))
  put(imagePolicy('elsewhere', { images, order: alphabetical }, 'office'))
  put(imagePolicy('verify', { images, action: 'Verify', order: alphabetical }))
  put(imagePolicy('wide', { images: ['ghcr.io/acme/*'], order: alphabetical }))
  put(clusterImagePolicy('base', { images, order: alphabetical }))
  scan('ghcr.io/acme/web', ['1.5.0', '1.10.0'])
  for (const name of ['web', 'side', 'elsewhere', 'verify', 'wide']) await is(name, 'True Accepted')
  await is('base', 'True Accepted', CLUSTER_IMAGE_POLICIES)
})

t.test('what only a namespace may read is shown to no other', async (t) => {
  const { put, scan, is, get, until } = await lead(t)
  put(imagePolicy('web'))
  put(imagePolicy('other', { images: ['ghcr.io/acme/web'] }, 'office'))
  put(clusterImagePolicy('base', { images: ['ghcr.io/acme/web'] }))
  put(clusterImagePolicy('all', { images: ['**'] }))
  scan('ghcr.io/acme/web shop/regcred', ['1.5.0'])
  await is('web', 'True Accepted')
  t.equal(get('web').newest, '1.5.0')
  await is('other', 'True Accepted')
  await is('base', 'True Accepted', CLUSTER_IMAGE_POLICIES)
  await until(() => get('all', CLUSTER_IMAGE_POLICIES).repositoryCount === 0)
  const shown = [
    get('other'),
    get('base', CLUSTER_IMAGE_POLICIES),
    get('all', CLUSTER_IMAGE_POLICIES),
  ]
  t.notMatch(JSON.stringify(shown), /1\.5\.0/)
})

t.test('what was read with a Secret that is gone is shown no more', async (t) => {
  const { put, scan, forget, is, get, until } = await lead(t)
  put(imagePolicy('web'))
  put(imagePolicy('all', { images: ['**'] }))
  scan('ghcr.io/acme/web shop/regcred', ['1.5.0'])
  await is('web', 'True Accepted')
  await until(() => get('all').newest === '1.5.0')
  forget('ghcr.io/acme/web shop/regcred')
  await is('web', 'Unknown Scanning')
  await until(() => get('all').repositoryCount === 0)
  t.notMatch(JSON.stringify([get('web'), get('all')]), /1\.5\.0/)
})

t.test('what says nothing new is not written; times are, now and then', async (t) => {
  const { put, scan, pass, is, get, writes, until } = await lead(t)
  put(imagePolicy('web'))
  scan('ghcr.io/acme/web', ['1.5.0'])
  await is('web', 'True Accepted')
  const before = writes()
  pass(60_000)
  scan('ghcr.io/acme/web', ['1.5.0'])
  put(imagePolicy('job'))
  await is('job', 'Unknown Scanning')
  t.equal(writes(), before + 1, 'that of the other policy')
  t.equal(get('web').lastScanTime, '2026-11-24T12:00:00Z')
  pass(10 * 60_000)
  scan('ghcr.io/acme/web', ['1.5.0'])
  await until(() => get('web').lastScanTime === '2026-11-24T12:11:00Z')
  t.equal(get('web').conditions?.[0]?.lastTransitionTime, '2026-11-24T12:00:00Z')
})

t.test('an exception expires at its moment, without anybody doing anything', async (t) => {
  const { cluster, pass, is, get } = await lead(t)
  cluster.put(IMAGE_POLICY_EXCEPTIONS, {
    metadata: { name: 'old', namespace: 'shop' },
    spec: {
      images: ['ghcr.io/acme/web'],
      reason: 'OPS-1',
      expires: new Date(NOW + 8 * 24 * HOUR).toISOString(),
    },
  } as never)
  await is('old', 'True Active', IMAGE_POLICY_EXCEPTIONS)
  pass(24 * HOUR)
  await is('old', 'True ExpiresSoon', IMAGE_POLICY_EXCEPTIONS)
  for (let hour = 0; hour < 7 * 24; hour += 1) pass(HOUR)
  await is('old', 'True Expired', IMAGE_POLICY_EXCEPTIONS)
  t.equal(get('old', IMAGE_POLICY_EXCEPTIONS).expired, true)
})

t.test('objects of Flux are never written to', async (t) => {
  const { cluster, scan, rules, until, put, is } = await lead(t)
  cluster.put(FLUX_IMAGE_REPOSITORIES, {
    metadata: { name: 'flux', namespace: 'shop' },
    spec: { image: 'ghcr.io/acme/flux' },
  } as never)
  cluster.put(FLUX_IMAGE_POLICIES, {
    metadata: { name: 'flux', namespace: 'shop' },
    spec: { imageRepositoryRef: { name: 'flux' }, policy: { semver: { range: '1.x' } } },
  } as never)
  await until(() => rules('ghcr.io/acme/flux').length === 1)
  scan('ghcr.io/acme/flux', ['1.0.0'])
  put(imagePolicy('web'))
  await is('web', 'Unknown Scanning')
  t.strictSame(
    cluster.calls.filter(({ verb }) => verb === 'patch').map(({ resource }) => resource),
    ['imagepolicies.tagwarden.io/status'],
  )
})

t.test('a write that fails is tried again, one that is refused is told once', async (t) => {
  const { cluster, put, is, pass, lines, ready, until, writes } = await lead(t)
  const end = cluster.refuse('patch', IMAGE_POLICIES, 'ServerTimeout', { times: 1 })
  put(imagePolicy('web'))
  await until(() => lines.length === 1)
  t.match(lines, [/^the status of ImagePolicy shop\/web is not written yet: /])
  pass(2_000)
  await is('web', 'Unknown Scanning')
  end()
  const grant = cluster.refuse('patch', IMAGE_POLICIES, 'Forbidden')
  put(imagePolicy('job'))
  put(imagePolicy('api'))
  await until(() => lines.length === 2)
  t.match(lines[1], /^the status of policies is not written: /)
  pass(2_000)
  await until(() => writes() > 3)
  t.equal(lines.length, 2, 'told once')
  t.equal(ready('job'), 'nothing')
  grant()
  for (let second = 0; second < 10; second += 1) {
    pass(1_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await is('job', 'Unknown Scanning')
  await is('api', 'Unknown Scanning')
})

t.test('nothing is written by one that leads no more', async (t) => {
  const { put, stop, writes, titles, until } = await lead(t)
  await stop()
  put(imagePolicy('web'))
  await until(() => titles().length === 1)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(writes(), 0)
})
