import fc from 'fast-check'
import t from 'tap'
import { createReviewHandlers } from '../../src/admission/index.ts'
import type { FactNeed, RepositorySnapshot } from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import type { TagOrder } from '../../src/tags/index.ts'
import { digest, NOW, policy, snapshot, source } from '../fakes/facts.ts'
import { answered, applied, type Deployment, deployment, review, reviewOptions } from './reviews.ts'

const NAME = 'ghcr.io/acme/web'
const TAGS = ['v1.2.3', 'v1.3.0', 'v1.4.2', 'v1.5.0', 'v2.0.0', 'stable', 'latest']
const GONE = { code: 'ERR_REGISTRY_NOT_FOUND', message: 'ghcr.io answered 404', at: NOW } as const
const NEVER = new AbortController().signal
const POD = {
  kind: { group: '', version: 'v1', kind: 'Pod' },
  resource: { group: '', version: 'v1', resource: 'pods' },
  userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
}

/** A registry that changes, and an index that learns of it by scans and by being asked. */
function createWorld() {
  const pushed = new Map<string, string>()
  const known = new Map<string, { listed: boolean; digests: string[]; checkedAt?: number }>()
  let count = 0
  const firstTag = new Map<string, string>()
  const push = (tag: string) => {
    count += 1
    pushed.set(tag, digest(count.toString(16)))
    firstTag.set(digest(count.toString(16)), tag)
  }
  /** `stable` gets what a version has, as registries show it */
  const alias = (tag: string) => {
    const value = pushed.get(tag)
    if (value !== undefined) pushed.set('stable', value)
  }
  const entry = (tag: string) => known.get(tag) ?? { listed: false, digests: [] }
  const learn = (tag: string) => {
    const value = pushed.get(tag)
    if (value === undefined) return
    const digests = [...entry(tag).digests.filter((each) => each !== value), value]
    known.set(tag, { ...entry(tag), digests, checkedAt: NOW })
  }
  const scan = () => {
    for (const tag of TAGS) {
      if (known.has(tag) || pushed.has(tag)) {
        known.set(tag, { ...entry(tag), listed: pushed.has(tag) })
      }
    }
  }
  const index = (): RepositorySnapshot => {
    const part = (listed: boolean) =>
      Object.fromEntries(
        [...known]
          .filter(([, each]) => each.listed === listed)
          .map(([tag, { digests, checkedAt }]) => [
            tag,
            {
              before: digests.slice(0, -1),
              ...(digests.length > 0 && { digest: digests.at(-1)! }),
              ...(checkedAt !== undefined && { checkedAt }),
            },
          ]),
      )
    return snapshot(NAME, part(true), { unlisted: part(false) })
  }
  const facts = source([], async (need: FactNeed) => {
    if (need.fact === 'repository') scan()
    else if (pushed.has(need.tag)) learn(need.tag)
    else return GONE
    facts.snapshots.set(NAME, index())
    return undefined
  })
  return {
    facts,
    push,
    alias,
    /** the tag that a digest was pushed with, whatever got it later */
    firstTag: (value: string) => firstTag.get(value),
    ask: (tag: string) =>
      facts.gather({ fact: 'manifest', name: NAME, tag, platforms: false }, NEVER),
    remove: (tag: string) => pushed.delete(tag),
    scan: () => {
      scan()
      facts.snapshots.set(NAME, index())
    },
  }
}

const order = fc.constantFrom<TagOrder>(
  { semver: { range: '>=1.2.3 <2.0.0' } },
  { semver: { range: '^1.3' } },
  { alphabetical: { order: 'Ascending' } },
  { alphabetical: { order: 'Descending' } },
  { digest: { follow: 'stable' } },
  { digest: { follow: 'latest' } },
  { digest: { allowed: [digest('1'), digest('2'), digest('3')] } },
)
const spec = fc.record({
  action: fc.constantFrom('Verify', 'Pin', 'Track'),
  reference: fc.constantFrom('TagAndDigest', 'Tag', 'Digest'),
  latest: fc.constantFrom('Deny', 'Resolve'),
  movedTags: fc.constantFrom('Warn', 'Allow'),
  enforcement: fc.constantFrom('Enforce', 'Enforce', 'Warn'),
  allowDowngrade: fc.boolean(),
  rule: fc.record({ order }),
} as const)
const policies = fc
  .tuple(spec, fc.option(spec))
  .map(([own, guard]) => [
    policy(own),
    ...(guard ? [policy({ ...guard, kind: 'ClusterImagePolicy', name: 'guard' })] : []),
  ])
const tag = fc.constantFrom(...TAGS)
const image = fc.oneof(
  tag.map((each) => `${NAME}:${each}`),
  fc.constant(NAME),
)
const step = fc.oneof(
  fc.record({ op: fc.constantFrom('push', 'push', 'remove', 'ask', 'alias'), tag }),
  fc.record({ op: fc.constant('scan') }),
  fc.record({ op: fc.constant('apply'), images: fc.record({ app: image, side: image }) }),
  fc.record({ op: fc.constant('apply'), images: fc.record({ app: image }) }),
)

/** A request that ends a rollback, for something older still, looks like another rollback. */
function withoutRollbacks(object: Deployment): object {
  return JSON.parse(JSON.stringify(object).replace(/,\\"rolledBackFrom\\":\\"[^"]*\\"/g, ''))
}

/** Without allowDowngrade, Track leaves what runs or moves to what is newer. */
function goesNotBack(
  { action, allowDowngrade, selector }: CompiledPolicy,
  world: ReturnType<typeof createWorld>,
  before: Deployment,
  after: Deployment,
): void {
  if (action !== 'Track' || allowDowngrade || !('semver' in selector.rule.order)) return
  const running = new Map(versionsOf(before, world))
  for (const [name, now] of versionsOf(after, world)) {
    const was = running.get(name)
    if (was === undefined || now === undefined || !selector.judge(was).permitted) continue
    if (selector.outranks(was, now)) throw new Error(`${name} went back from ${was} to ${now}`)
  }
}

function versionsOf({ spec }: Deployment, { firstTag }: ReturnType<typeof createWorld>) {
  return spec.template.spec.containers.map(({ name, image }) => {
    const { tag, digest } = parseReference(String(image))
    return [name, tag ?? firstTag(digest ?? '')] as const
  })
}

const start = fc.subarray(TAGS, { minLength: 3 })
const history = fc.array(step, { maxLength: 8 })

t.test(
  'whatever happened before: what is admitted stays admitted, and nothing moves by itself',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(policies, start, history, async (set, first, steps) => {
        const world = createWorld()
        const options = { source: world.facts, deadline: 1000 }
        const { mutate, validate } = createReviewHandlers(reviewOptions(set, options))
        const call = { timeoutSeconds: 1, received: NOW }
        const judge = async (object: object, request = {}) =>
          answered(await validate(review(object, request), call))
        const resolve = async (object: Deployment, request = {}) =>
          applied(object, answered(await mutate(review(object, request), call)).patch)
        const same = (a: object, b: object, what: string) => {
          if (JSON.stringify(a) !== JSON.stringify(b)) {
            throw new Error(`${what}\n${JSON.stringify(a)}\n${JSON.stringify(b)}`)
          }
        }
        const good = async (object: object, request: object, what: string) => {
          const { allowed, message } = await judge(object, request)
          if (!allowed) throw new Error(`${what}: ${message}`)
        }

        first.forEach(world.push)
        world.scan()
        let live: Deployment | undefined
        for (const each of steps) {
          if (each.op === 'push') world.push(each.tag)
          else if (each.op === 'remove') world.remove(each.tag)
          else if (each.op === 'alias') world.alias(each.tag)
          else if (each.op === 'ask') await world.ask(each.tag)
          else if (each.op === 'scan') world.scan()
          else if ('images' in each) {
            const manifest = deployment(each.images, { ...live?.metadata })
            const request = live ? { operation: 'UPDATE', oldObject: live } : {}
            const asSent = await judge(manifest, request)
            const next = await resolve(manifest, request)
            if (asSent.allowed) await good(next, request, 'it was permitted before it was resolved')
            const called = await resolve(next, request)
            same(withoutRollbacks(called), withoutRollbacks(next), 'called again for one request')
            if (!(await judge(next, request)).allowed) continue
            if (!live) {
              const owner = {
                apiVersion: 'apps/v1',
                kind: 'ReplicaSet',
                name: 'w',
                controller: true,
              }
              const metadata = { name: 'w-1', namespace: 'shop', ownerReferences: [owner] }
              const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: next.spec.template.spec }
              await good(pod, POD, 'the pods of what was admitted')
            }
            const strict = set.every(({ enforcement }) => enforcement === 'Enforce')
            if (live && strict) goesNotBack(set[0]!, world, live, next)
            live = next
            const update = { operation: 'UPDATE', oldObject: live }
            const again = { ...manifest, metadata: { ...live.metadata } }
            same(await resolve(again, update), live, 'the same manifest again')
            await good(live, update, 'the same manifest again')
          }
          if (!live) continue
          const update = { operation: 'UPDATE', oldObject: live }
          same(await resolve(live, update), live, 'an update that leaves the images alone')
          await good(live, update, 'an update that leaves the images alone')
        }
      }),
      { numRuns: 3000 },
    )
    t.pass()
  },
)
