import t from 'tap'
import { createReviewHandlers, type ReviewOptions } from '../../src/admission/index.ts'
import type { FactSource } from '../../src/decisions/index.ts'
import { describeError } from '../../src/errors.ts'
import type { GroupKind } from '../../src/images/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { DEFAULTS, digest, type FakeTag, NOW, policy, snapshot, source } from '../fakes/facts.ts'
import { nativePolicy, read } from '../policies/reading.ts'
import {
  answered,
  applied,
  type Deployment,
  deployment,
  openHooks,
  review,
  reviewOptions,
} from './reviews.ts'

const NAME = 'ghcr.io/acme/web'
const TAGS = {
  'v1.3.0': { digest: digest('0') },
  'v1.4.1': { digest: digest('1') },
  'v1.4.2': { digest: digest('2') },
  'v2.0.0': {},
}
const NEWEST = `${NAME}:v1.4.2@${digest('2')}`
const IMAGES = 'tagwarden.io/images'

function hooks(
  policies: readonly CompiledPolicy[],
  facts: FactSource = source([snapshot(NAME, TAGS)]),
  options: Partial<ReviewOptions> = {},
) {
  const { admit, ...all } = openHooks(policies, { source: facts, ...options })
  const admitted = (object: object, request?: Record<string, unknown>) =>
    admit(object as Deployment, request)
  return { ...all, admit: admitted }
}

const track = policy({ action: 'Track' })
const imageOf = (object: Deployment) => object.spec.template.spec.containers[0]?.image
const annotationsOf = (object: Deployment) => object.metadata.annotations ?? {}

t.test('mutate resolves, and says what it did on the workload itself', async (t) => {
  const { admit } = hooks([track])
  const object = await admit(deployment({ app: `${NAME}:v1.3.0`, side: 'other:1' }))
  t.strictSame(object, {
    ...deployment({ app: NEWEST, side: 'other:1' }),
    metadata: {
      name: 'web',
      namespace: 'shop',
      annotations: {
        'fluxcd.io/tag.web': digest('2'),
        'fluxcd.io/build.number': '1',
        [IMAGES]: JSON.stringify([
          {
            container: 'app',
            requested: `${NAME}:v1.3.0`,
            resolved: NEWEST,
            policy: 'ImagePolicy shop/web',
          },
        ]),
      },
    },
  })
})

t.test('the build group of the pattern is the build number', async (t) => {
  const rule = { pattern: '^v(?P<version>[0-9.]+)-build\\.(?P<build>[0-9]+)$', extract: '$version' }
  const index = snapshot(NAME, { 'v1.4.2-build.77': { digest: digest('7') } })
  const { admit } = hooks([policy({ action: 'Track', rule })], source([index]))
  const object = await admit(deployment({ app: `${NAME}:v1.4.2-build.77` }))
  t.equal(annotationsOf(object)['fluxcd.io/build.number'], '77')
})

t.test('where annotations are full, the image is resolved without a note', async (t) => {
  const { admit } = hooks([track])
  const size = (annotations: Record<string, string>) =>
    Object.entries(annotations).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0)
  const plain = await admit(deployment({ app: `${NAME}:v1.3.0` }, { annotations: { a: '' } }))
  const limit = 256 * 1024
  const room = limit - size(annotationsOf(plain))
  for (const [length, noted] of [
    [room, true],
    [room + 1, false],
    [limit - 1, false],
  ] as const) {
    const annotations = { a: 'x'.repeat(length) }
    const object = await admit(deployment({ app: `${NAME}:v1.3.0` }, { annotations }))
    t.equal(imageOf(object), NEWEST)
    t.equal(annotationsOf(object)[IMAGES] !== undefined, noted, `${length}`)
    t.ok(size(annotationsOf(object)) <= limit)
  }
  const wide = { annotations: { a: 'é'.repeat(limit / 2 - 50) } }
  const object = await admit(deployment({ app: `${NAME}:v1.3.0` }, wide))
  t.strictSame(Object.keys(annotationsOf(object)), ['a'], 'bytes count, not characters')
})

t.test('what another webhook adds to a new object is no promotion', async (t) => {
  const { admit } = hooks([policy({ action: 'Track' })])
  const first = await admit(deployment({ app: `${NAME}:v1.3.0` }))
  const injected = structuredClone(first)
  injected.spec.template.spec.containers.push({ name: 'side', image: `${NAME}:v1.4.1` })
  const second = await admit(injected)
  t.equal(second.spec.template.spec.containers[1]?.image, NEWEST)
  t.equal(annotationsOf(second)['fluxcd.io/build.number'], '1')
})

t.test('a denial names every failing image, and reads as the design says', async (t) => {
  const { validate } = hooks([track])
  const object = deployment({ app: `${NAME}:latest`, ok: `${NAME}:v1.3.0` })
  Object.assign(object.spec.template.spec, {
    initContainers: [{ name: 'migrate', image: `${NAME}:v2.0.0` }],
  })
  const answer = await validate(review(object))
  t.equal(answer.allowed, false)
  t.equal(
    answer.message,
    `Deployment shop/web has 2 images that are not permitted:
  containers[0] "app": ghcr.io/acme/web:latest [LatestTag] ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago). Use ghcr.io/acme/web:v1.4.2
  initContainers[0] "migrate": ghcr.io/acme/web:v2.0.0 [OutOfRange] ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago). Use ghcr.io/acme/web:v1.4.2`,
  )
  t.match(answer.audit['denied'], /LatestTag.*OutOfRange/s)
})

t.test('mutate never denies: other webhooks may still put the image right', async (t) => {
  const { mutate } = hooks([track])
  t.match(await mutate(review(deployment({ app: `${NAME}:latest` }))), { allowed: true, patch: [] })
})

t.test('Warn warns, Audit only leaves a note', async (t) => {
  const body = review(deployment({ app: `${NAME}:v2.0.0` }))
  const warned = await hooks([policy({ enforcement: 'Warn' })]).validate(body)
  t.match(warned, { allowed: true, warnings: [/^containers\[0\] "app": .*\[OutOfRange\]/] })
  const audited = await hooks([policy({ enforcement: 'Audit' })]).validate(body)
  t.match(audited, { allowed: true, warnings: [], audit: { audited: /OutOfRange/ } })
})

t.test('what mutate made is permitted by validate', async (t) => {
  for (const reference of ['TagAndDigest', 'Tag', 'Digest'] as const) {
    const { admit, validate } = hooks([policy({ action: 'Track', reference })])
    const object = await admit(deployment({ app: `${NAME}:v1.3.0` }))
    t.match(await validate(review(object)), { allowed: true, warnings: [] }, reference)
  }
})

t.test('applying the same manifest again changes nothing', async (t) => {
  for (const action of ['Pin', 'Track'] as const) {
    for (const reference of ['TagAndDigest', 'Tag', 'Digest'] as const) {
      const { admit } = hooks([policy({ action, reference })])
      const manifest = deployment({ app: `${NAME}:v1.3.0` })
      const live = await admit(manifest)
      const again = { ...manifest, metadata: live.metadata }
      const update = { operation: 'UPDATE', oldObject: live }
      t.strictSame(await admit(again, update), live, `${action} ${reference}: kubectl apply`)
      t.strictSame(await admit(manifest, update), live, `${action} ${reference}: kubectl replace`)
      t.strictSame(await admit(live, update), live, `${action} ${reference}: kubectl edit`)
      t.strictSame(await admit(live), live, `${action} ${reference}: reinvocation, export`)
    }
  }
})

t.test('Track moves on when there is something newer, and counts it', async (t) => {
  const facts = source([snapshot(NAME, TAGS)])
  const { admit } = hooks([track], facts)
  const manifest = deployment({ app: `${NAME}:v1.3.0` })
  const live = await admit(manifest)
  facts.snapshots.set(NAME, snapshot(NAME, { ...TAGS, 'v1.5.0': { digest: digest('5') } }))
  const next = await admit(manifest, { operation: 'UPDATE', oldObject: live })
  t.equal(imageOf(next), `${NAME}:v1.5.0@${digest('5')}`)
  t.equal(annotationsOf(next)['fluxcd.io/build.number'], '2')
  facts.snapshots.set(NAME, snapshot(NAME, TAGS))
  const deleted = await admit(manifest, { operation: 'UPDATE', oldObject: next })
  t.strictSame(deleted, next, 'a deleted tag moves nothing backwards')
})

t.test('another request never goes back to an older version, whatever is written', async (t) => {
  for (const reference of ['TagAndDigest', 'Tag', 'Digest'] as const) {
    const facts = source([snapshot(NAME, { ...TAGS, stable: { digest: digest('2') } })])
    const { admit, mutate } = hooks([policy({ action: 'Track', reference })], facts)
    const live = await admit(deployment({ app: `${NAME}:v1.3.0` }))
    const { 'v1.4.2': gone, ...left } = TAGS
    facts.snapshots.set(NAME, snapshot(NAME, left, { unlisted: { 'v1.4.2': gone } }))
    const manifest = deployment({ app: `${NAME}:v1.4.1` }, live.metadata)
    const update = { operation: 'UPDATE', oldObject: live }
    t.equal(imageOf(await admit(manifest, update)), imageOf(live), reference)
    t.match((await mutate(review(manifest, update))).warnings, [/Downgrade.*v1\.4\.2 runs/])
    // somebody else asked for stable, which had the same digest
    const bare = { ...left, stable: { before: [digest('2')], digest: digest('7') } }
    facts.snapshots.set(NAME, snapshot(NAME, { ...bare, 'v1.5.0': { digest: digest('5') } }))
    t.match(imageOf(await admit(manifest, update)), reference === 'Digest' ? '55' : 'v1.5.0')
  }
})

t.test('another request for what runs: called again, the webhook says the same', async (t) => {
  for (const reference of ['TagAndDigest', 'Tag', 'Digest'] as const) {
    const { admit } = hooks([policy({ action: 'Track', reference })])
    const live = await admit(deployment({ app: `${NAME}:v1.3.0` }))
    const update = { operation: 'UPDATE', oldObject: live }
    const next = await admit(deployment({ app: `${NAME}:v1.4.1` }, live.metadata), update)
    t.equal(imageOf(next), imageOf(live))
    t.match(annotationsOf(next)[IMAGES], `"requested":"${NAME}:v1.4.1"`)
    t.equal(annotationsOf(next)['fluxcd.io/build.number'], '1', 'nothing has moved')
    t.strictSame(await admit(next, update), next, `${reference}: reinvocation`)
    const renamed = hooks([policy({ action: 'Track', reference, name: 'renamed' })])
    const kept = await renamed.admit(deployment({ app: `${NAME}:v1.3.0` }, live.metadata), update)
    t.match(annotationsOf(kept)[IMAGES], '"policy":"ImagePolicy shop/renamed"')
    t.strictSame(await renamed.admit(kept, update), kept, `${reference}: by another policy`)
  }
})

t.test('a rollback stays where it went, also when the manifest is applied again', async (t) => {
  const facts = source([snapshot(NAME, { 'v1.4.1': { digest: digest('1') } })])
  const { admit, validate } = hooks([track], facts)
  const manifest = deployment({ app: `${NAME}:v1.3.0` })
  facts.snapshots.set(NAME, snapshot(NAME, { 'v1.3.0': {}, 'v1.4.1': { digest: digest('1') } }))
  const first = await admit(manifest)
  facts.snapshots.set(NAME, snapshot(NAME, TAGS))
  const second = await admit(manifest, { operation: 'UPDATE', oldObject: first })
  t.equal(imageOf(second), NEWEST)
  // kubectl rollout undo puts the old template back, and the annotations of then.
  const undone = await admit(first, { operation: 'UPDATE', oldObject: second })
  t.equal(imageOf(undone), `${NAME}:v1.4.1@${digest('1')}`)
  t.equal(
    (await validate(review(undone, { operation: 'UPDATE', oldObject: second }))).allowed,
    true,
  )
  const again = await admit(manifest, { operation: 'UPDATE', oldObject: undone })
  t.strictSame(again, undone, 'GitOps applies the manifest again')
  facts.snapshots.set(NAME, snapshot(NAME, { ...TAGS, 'v1.5.0': { digest: digest('5') } }))
  const newer = await admit(manifest, { operation: 'UPDATE', oldObject: undone })
  t.equal(imageOf(newer), `${NAME}:v1.5.0@${digest('5')}`, 'until there is something newer')
})

t.test('a rollback holds with tags alone', async (t) => {
  const facts = source([snapshot(NAME, { 'v1.3.0': {}, 'v1.4.1': {} })])
  const { admit } = hooks([policy({ action: 'Track', reference: 'Tag' })], facts)
  const manifest = deployment({ app: `${NAME}:v1.3.0` })
  const first = await admit(manifest)
  facts.snapshots.set(NAME, snapshot(NAME, TAGS))
  const second = await admit(manifest, { operation: 'UPDATE', oldObject: first })
  t.equal(imageOf(second), `${NAME}:v1.4.2`)
  t.equal(imageOf(await admit(first, { operation: 'UPDATE', oldObject: second })), `${NAME}:v1.4.1`)
})

t.test('a forged record does not keep an image from being pinned', async (t) => {
  const { admit } = hooks([track])
  const record = [{ container: 'app', requested: 'x', resolved: `${NAME}:v1.3.0`, policy: 'x' }]
  const forged = deployment(
    { app: `${NAME}:v1.3.0` },
    { annotations: { [IMAGES]: JSON.stringify(record) } },
  )
  t.equal(imageOf(await admit(forged)), NEWEST)
})

/** Two replicas of one registry; each knows what it has asked for itself. */
function replicas(policies: readonly CompiledPolicy[]) {
  const registry: Record<string, FakeTag> = { ...TAGS, 'v2.0.0': { digest: digest('f') } }
  const replica = () => {
    const known: Record<string, FakeTag> = Object.fromEntries(
      Object.keys(registry).map((tag) => [tag, {}]),
    )
    const facts: ReturnType<typeof source> = source([snapshot(NAME, known)], async (need) => {
      const found = need.fact === 'manifest' ? registry[need.tag] : undefined
      if (need.fact !== 'manifest' || !found) {
        return { code: 'ERR_REGISTRY_NOT_FOUND', message: 'ghcr.io answered 404', at: NOW }
      }
      known[need.tag] = { ...found, checkedAt: NOW }
      facts.snapshots.set(NAME, snapshot(NAME, known))
      return undefined
    })
    return { ...hooks(policies, facts), asked: facts.asked }
  }
  return { registry, one: replica(), other: replica() }
}

t.test('a digest that one replica resolved is permitted by any other', async (t) => {
  for (const action of ['Pin', 'Track'] as const) {
    const { registry, one, other } = replicas([policy({ action, reference: 'Digest' })])
    const object = await one.admit(deployment({ app: `${NAME}:v1.3.0` }))
    const tag = action === 'Pin' ? 'v1.3.0' : 'v1.4.2'
    t.equal(imageOf(object), `${NAME}@${registry[tag]?.digest}`)
    t.match(JSON.parse(annotationsOf(object)[IMAGES] ?? ''), [{ tag }])
    t.match(await other.validate(review(object)), { allowed: true }, action)
    t.ok(other.asked.includes(`${NAME}:${tag}`))
    const again = await other.admit(deployment({ app: `${NAME}:v1.3.0` }), {
      operation: 'UPDATE',
      oldObject: object,
    })
    t.strictSame(again, object, 'and applying it again changes nothing')
    const pod = { ...object, metadata: { ...object.metadata, annotations: {} } }
    const third = replicas([policy({ action, reference: 'Digest' })]).other
    t.equal((await third.validate(review(pod))).allowed, action === 'Track', 'without the record')
  }
})

t.test('a forged record makes no digest permitted', async (t) => {
  const forged = (tag: string, letter: string) => {
    const resolved = `${NAME}@${digest(letter)}`
    const record = { container: 'app', requested: `${NAME}:${tag}`, resolved, policy: 'x', tag }
    const annotations = { [IMAGES]: JSON.stringify([record]) }
    return review(deployment({ app: resolved }, { annotations }))
  }
  const rows = [
    ['v2.0.0', 'f'],
    ['v1.3.0', 'f'],
    ['v1.4.2', '9'],
    ['v1.3.99', 'f'],
    ['latest', 'f'],
    [`sha256:${'f'.repeat(64)}`, 'f'],
    ['../../v2.0.0', 'f'],
    ['__proto__', 'f'],
    ['x'.repeat(300), 'f'],
    ['', 'f'],
  ] as const
  for (const [tag, letter] of rows) {
    const { one } = replicas([policy({ action: 'Pin', reference: 'Digest' })])
    t.match(
      await one.validate(forged(tag, letter)),
      { allowed: false, message: /DigestUnknown/ },
      tag,
    )
    const permitted = one.asked.every((need) => /:v1\.(3|4)\.\d+$/.test(need))
    t.ok(permitted, `nothing is asked that the policy does not permit: ${one.asked}`)
  }
})

t.test('each object is answered from the facts that it may see', async (t) => {
  const kinds: unknown[] = []
  const { mutate } = createReviewHandlers(
    reviewOptions([track], {
      source: ({ namespace, kind, object }) => {
        kinds.push([kind.kind, namespace, (object?.['metadata'] as { name?: string })?.name])
        const tag = namespace === 'shop' ? 'v1.4.1' : 'v1.4.2'
        return source([snapshot(NAME, { [tag]: TAGS[tag] })])
      },
    }),
  )
  const call = { timeoutSeconds: 10, received: NOW }
  const ask = async (namespace: string) => {
    const object = deployment({ app: `${NAME}:v1.4.1` }, { namespace })
    const answer = answered(await mutate(review(object, { namespace }), call))
    return imageOf(applied(object, answer.patch))
  }
  const own = `${NAME}:v1.4.1@${digest('1')}`
  t.strictSame([await ask('shop'), await ask('bank'), await ask('shop')], [own, NEWEST, own])
  t.strictSame(kinds[0], ['Deployment', 'shop', 'web'])
})

t.test('annotations of images that are gone are taken away; those of others stay', async (t) => {
  const { admit } = hooks([track])
  const live = await admit(
    deployment(
      { app: `${NAME}:v1.3.0` },
      { annotations: { 'fluxcd.io/tag.other': 'glob:*', mine: 'x' } },
    ),
  )
  const next = deployment({ app: 'busybox:1' }, { annotations: live.metadata.annotations })
  const object = await admit(next, { operation: 'UPDATE', oldObject: live })
  t.strictSame(annotationsOf(object), { 'fluxcd.io/tag.other': 'glob:*', mine: 'x' })
})

t.test('names that clash or do not fit an annotation key get a hash', async (t) => {
  const long = `ghcr.io/acme/${'x'.repeat(80)}`
  const names = ['ghcr.io/a/web', 'ghcr.io/b/web', long]
  const all = policy({ action: 'Track', images: names })
  const index = names.map((name) => snapshot(name, TAGS))
  const { admit } = hooks([all], source(index))
  const object = await admit(
    deployment({ a: `${names[0]}:v1.3.0`, b: `${names[1]}:v1.3.0`, c: `${long}:v1.3.0` }),
  )
  const keys = Object.keys(annotationsOf(object)).filter((key) => key.startsWith('fluxcd.io/tag.'))
  t.equal(keys.length, 3)
  for (const key of keys) {
    t.match(key, /^fluxcd\.io\/tag\.[a-z0-9-]+-[0-9a-f]{8}$/)
    t.ok(key.length - 'fluxcd.io/'.length <= 63)
  }
})

t.test('annotations of a container that is gone are taken away', async (t) => {
  const side = 'ghcr.io/acme/side'
  const both = policy({ action: 'Track', images: [NAME, side] })
  const { admit } = hooks([both], source([snapshot(NAME, TAGS), snapshot(side, TAGS)]))
  const live = await admit(deployment({ app: `${NAME}:v1.3.0`, side: `${side}:v1.3.0` }))
  t.ok(annotationsOf(live)['fluxcd.io/tag.side'])
  const { annotations } = live.metadata
  const next = deployment({ app: `${NAME}:v1.3.0` }, { annotations })
  const object = await admit(next, { operation: 'UPDATE', oldObject: live })
  t.equal(annotationsOf(object)['fluxcd.io/tag.side'], undefined)
  t.equal(annotationsOf(object)['fluxcd.io/tag.web'], digest('2'))
})

t.test(
  'lists of a custom kind may use the same names: each image has its own record',
  async (t) => {
    const [worker, server] = [NAME, 'ghcr.io/acme/server'] as const
    const kind = { group: 'kubeflow.org', version: 'v1', kind: 'TFJob' }
    const paths = ['PS', 'Worker'].map(
      (role) => `/spec/tfReplicaSpecs/${role}/template/spec/containers/*/image`,
    )
    const fields = [{ ...kind, paths }]
    const pin = policy({ action: 'Pin', images: [worker, server] })
    const facts = source([snapshot(worker, TAGS), snapshot(server, TAGS)])
    const { admit } = hooks([pin], facts, { fields })
    const replica = (image: string) => ({
      template: { spec: { containers: [{ name: 'tensorflow', image }] } },
    })
    const job = (metadata: object, ...roles: ('PS' | 'Worker')[]) => {
      const images = { PS: `${server}:v1.3.0`, Worker: `${worker}:v1.3.0` }
      const tfReplicaSpecs = Object.fromEntries(roles.map((role) => [role, replica(images[role])]))
      return { apiVersion: 'kubeflow.org/v1', kind: 'TFJob', metadata, spec: { tfReplicaSpecs } }
    }
    const metadata = { name: 'train', namespace: 'shop' }
    const request = { kind, resource: { ...kind, resource: 'tfjobs' } }
    const live = await admit(job(metadata, 'PS', 'Worker'), request)
    const pushedAgain = { 'v1.3.0': { digest: digest('9'), before: [digest('0')] } }
    for (const name of [worker, server]) facts.snapshots.set(name, snapshot(name, pushedAgain))
    const update = { ...request, operation: 'UPDATE', oldObject: live }
    t.strictSame(await admit(job(live.metadata, 'PS', 'Worker'), update), live, 'Pin keeps')
    const less = await admit(job(live.metadata, 'PS'), update)
    const pinned = (object: object) => JSON.stringify(object).match(/"image":"[^"]+/g)
    t.strictSame(pinned(less), [`"image":"${server}:v1.3.0@${digest('0')}`], 'and one of two')
    const more = { ...request, operation: 'UPDATE', oldObject: less }
    t.strictSame(pinned(await admit(job(less.metadata, 'PS', 'Worker'), more)), [
      `"image":"${server}:v1.3.0@${digest('0')}`,
      `"image":"${worker}:v1.3.0@${digest('9')}`,
    ])
  },
)

t.test('the same manifest again is let through whatever became of the request', async (t) => {
  const gone = {
    code: 'ERR_REGISTRY_NOT_FOUND',
    message: 'ghcr.io answered 404',
    at: NOW,
  } as const
  const { 'v1.3.0': _, ...without } = TAGS
  const newer = { ...without, 'v1.4.3': { digest: digest('3') } }
  const range = { semver: { range: '>=1.4.0 <2.0.0' } }
  const rows = [
    ['Track', track, without, '[TagNotFound]', NEWEST],
    ['Track moves on', track, newer, '[TagNotFound]', `${NAME}:v1.4.3@${digest('3')}`],
    ['Pin', policy({ action: 'Pin' }), without, '[TagNotFound]', `${NAME}:v1.3.0@${digest('0')}`],
    [
      'a rule that has become stricter',
      policy({ action: 'Track', rule: { order: range } }),
      { ...TAGS, ...newer },
      '[OutOfRange]',
      NEWEST,
    ],
  ] as const
  for (const [what, then, tags, reason, expected] of rows) {
    const facts = source([snapshot(NAME, TAGS)], async () => gone)
    const first = policy({ action: then.action })
    const live = await hooks([first], facts).admit(deployment({ app: `${NAME}:v1.3.0` }))
    facts.snapshots.set(NAME, snapshot(NAME, tags))
    const { admit, mutate, validate } = hooks([then], facts)
    const { annotations } = live.metadata
    const manifest = deployment({ app: `${NAME}:v1.3.0` }, { annotations })
    const update = { operation: 'UPDATE', oldObject: live }
    const object = await admit(manifest, update)
    t.equal(imageOf(object), expected, what)
    t.equal((await validate(review(object, update))).allowed, true, what)
    const { warnings } = await mutate(review(manifest, update))
    t.equal(warnings.length, 1, what)
    t.ok(warnings[0]?.includes(reason), what)
    t.match(warnings[0], /It is no new request, so the update is let through\./, what)
    const asSent = await validate(review(manifest, update))
    t.equal(asSent.allowed, false, `${what}: the request itself never runs`)
  }
})

t.test('who holds a workload may take it back', async (t) => {
  const { admit, mutate } = hooks([track])
  const live = await admit(deployment({ app: `${NAME}:v1.3.0` }))
  const annotations = { ...live.metadata.annotations, 'tagwarden.io/hold': 'true' }
  const older = deployment({ app: `${NAME}:v1.4.1` }, { annotations })
  const update = { operation: 'UPDATE', oldObject: live }
  t.equal(imageOf(await admit(older, update)), `${NAME}:v1.4.1@${digest('1')}`)
  t.strictSame((await mutate(review(older, update))).warnings, [])
})

t.test('hold stops Track', async (t) => {
  const { admit } = hooks([track])
  const held = deployment(
    { app: `${NAME}:v1.3.0` },
    { annotations: { 'tagwarden.io/hold': 'true' } },
  )
  t.equal(imageOf(await admit(held)), `${NAME}:v1.3.0@${digest('0')}`)
})

t.test('a hold that holds nothing is warned of', async (t) => {
  const { validate } = hooks([track])
  const warned = async (hold: unknown, request = {}) => {
    const object = deployment({ app: NEWEST }, { annotations: { 'tagwarden.io/hold': hold } })
    return (await validate(review(object, request))).warnings ?? []
  }
  t.strictSame(await warned('yes'), [
    'metadata.annotations: tagwarden.io/hold is "yes", which holds nothing. Write "true"',
  ])
  for (const hold of ['TRUE', 'x'.repeat(300), ' true']) {
    const [line = '', ...more] = await warned(hold)
    t.ok(line.endsWith('which holds nothing. Write "true"') && line.length < 150, hold)
    t.strictSame(more, [])
  }
  for (const hold of ['true', 'false', '', 1, null, undefined]) {
    t.strictSame(await warned(hold), [], String(hold))
  }
})

t.test('what a promoter moves at its own pace, applying the same manifest does not', async (t) => {
  const promotion = { windows: [], maxPerMinute: 60, canary: 0 }
  const continuous = policy({ action: 'Track', promote: 'Continuously', promotion })
  const older = hooks([continuous], source([snapshot(NAME, { 'v1.3.0': TAGS['v1.3.0'] })]))
  const manifest = deployment({ app: `${NAME}:v1.3.0` })
  const live = await older.admit(manifest)
  const again = { operation: 'UPDATE', oldObject: live }
  const after = async (promotes: (kind: GroupKind) => boolean) => {
    const facts = source([snapshot(NAME, TAGS)])
    return imageOf(await hooks([continuous], facts, { promotes }).admit(manifest, again))
  }
  t.equal(await after(({ kind }) => kind === 'Deployment'), imageOf(live))
  t.equal(await after(({ kind }) => kind === 'StatefulSet'), NEWEST)
  const other = hooks([continuous], source([snapshot(NAME, TAGS)]), { promotes: () => true })
  const edited = deployment({ app: `${NAME}:v1.4.1` })
  t.equal(imageOf(await other.admit(edited, again)), NEWEST, 'another image is a new request')
  t.equal(imageOf(await other.admit(manifest)), NEWEST, 'and so is a new workload')
})

t.test('violations that were there before only warn', async (t) => {
  const { validate } = hooks([track])
  const old = deployment({ app: `${NAME}:v2.0.0` })
  const answer = await validate(
    review({ ...old, spec: { ...old.spec, replicas: 5 } }, { operation: 'UPDATE', oldObject: old }),
  )
  t.match(answer, { allowed: true, warnings: [/OutOfRange/] })
  const reordered = deployment({ b: 'x:1', app: `${NAME}:v2.0.0` })
  t.match(await validate(review(reordered, { operation: 'UPDATE', oldObject: old })), {
    allowed: true,
  })
  const other = deployment({ app: `${NAME}:v2.0.1` })
  t.match(await validate(review(other, { operation: 'UPDATE', oldObject: old })), {
    allowed: false,
  })
})

t.test('what a controller owns', async (t) => {
  const owner = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'web-1',
    uid: 'u',
    controller: true,
  }
  const invented = { apiVersion: 'example.com/v1', kind: 'Anything', controller: true }
  const pod = (ownerReferences?: unknown[]) => ({
    metadata: { generateName: 'web-1-', namespace: 'shop', ownerReferences },
    spec: { containers: [{ name: 'app', image: `${NAME}:v1.3.0` }] },
  })
  const by = (username: string, object: unknown) =>
    review(object, {
      kind: { group: '', version: 'v1', kind: 'Pod' },
      name: '',
      userInfo: { username },
    })
  const account = 'system:serviceaccount:kube-system:replicaset-controller'
  const { mutate, validate } = hooks([track])
  const rows: [string, string, unknown[] | undefined, boolean][] = [
    ['its own controller', account, [owner], false],
    ['one controller for all', 'system:kube-controller-manager', [owner], false],
    ['a person with an ownerReference', 'jane', [owner], true],
    ['another controller', 'system:serviceaccount:kube-system:job-controller', [owner], true],
    ['the same name elsewhere', 'system:serviceaccount:shop:replicaset-controller', [owner], true],
    ['no owner', account, undefined, true],
    ['not the controlling owner', account, [{ ...owner, controller: false }], true],
    [
      'an operator',
      'system:serviceaccount:ops:rollouts',
      [{ ...owner, apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout' }],
      false,
    ],
    ['garbage', account, [null, 7, 'x'], true],
    ['a person with an invented owner', 'jane', [invented], true],
    [
      'a service account with an invented owner',
      'system:serviceaccount:shop:ci',
      [invented],
      false,
    ],
  ]
  for (const [title, username, references, changes] of rows) {
    const { patch } = await mutate(by(username, pod(references)))
    t.equal(patch.length > 0, changes, title)
  }
  const bad = pod([owner])

  bad.spec.containers = [{ name: 'app', image: `${NAME}:v2.0.0` }]
  const denied = await validate(by(account, bad))
  t.equal(denied.allowed, false)
  t.match(denied.message, /^Pod shop\/web-1-\* has 1 image that is not permitted/)
  const lenient = hooks([track], undefined, {
    defaults: { ...DEFAULTS, ownedObjects: 'Warn' },
  })
  t.match(await lenient.validate(by(account, bad)), { allowed: true, warnings: [/OutOfRange/] })
  const forged = pod([invented])
  forged.spec.containers = bad.spec.containers
  const ci = 'system:serviceaccount:shop:ci'
  t.match(await lenient.validate(by(ci, forged)), { allowed: false }, 'no way around a policy')
})

t.test(
  'what is forgiven on pods is forgiven only by policies that judged their owner',
  async (t) => {
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', controller: true }
    const stranger = `${NAME}:v1.4.2@${digest('9')}`
    const pod = review(
      {
        metadata: { name: 'web-1-x', labels: { tier: 'front' }, ownerReferences: [owner] },
        spec: { containers: [{ name: 'app', image: stranger }] },
      },
      {
        kind: { group: '', version: 'v1', kind: 'Pod' },
        userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      },
    )
    const rows: [object | undefined, boolean][] = [
      [undefined, true],
      [{ kinds: ['ReplicaSet', 'Pod'] }, true],
      [{ containers: ['app'] }, true],
      [{ kinds: ['Pod'] }, false],
      [{ kinds: ['Deployment', 'Pod'] }, false],
      [{ selector: { matchLabels: { tier: 'front' } } }, false],
    ]
    for (const [match, allowed] of rows) {
      const { set, lines } = read(
        nativePolicy({ order: { semver: { range: '1.x' } }, match }, { namespace: 'shop' }),
      )
      t.strictSame(lines, [])
      const now = { 'v1.4.2': { digest: digest('2'), checkedAt: NOW } }
      const { validate } = hooks([], source([snapshot(NAME, now)]), { policies: () => set })
      t.match(await validate(pod), { allowed }, JSON.stringify(match))
    }
  },
)

t.test('what needs no look is let through', async (t) => {
  const { validate } = hooks([track])
  const bad = deployment({ app: `${NAME}:latest` })
  const fine = deployment({ app: `${NAME}:v1.4.2` })
  const POD = { group: '', version: 'v1', kind: 'Pod' }
  const dying = deployment({ app: `${NAME}:latest` }, { deletionTimestamp: '2026-11-24T00:00:00Z' })
  const mirror = {
    metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } },
    spec: { containers: [{ name: 'a', image: 'x:latest' }] },
  }
  const rows: [string, Buffer][] = [
    ['DELETE without object', review(null, { operation: 'DELETE', oldObject: bad })],
    ['CONNECT', review({ kind: 'PodExecOptions' }, { operation: 'CONNECT', subResource: 'exec' })],
    ['status', review(bad, { operation: 'UPDATE', subResource: 'status' })],
    ['scale', review({ spec: { replicas: 3 } }, { operation: 'UPDATE', subResource: 'scale' })],
    ['being deleted', review(dying, { operation: 'UPDATE', oldObject: dying })],
    [
      'mirror pod',
      review(mirror, {
        kind: { group: '', version: 'v1', kind: 'Pod' },
        userInfo: { username: 'system:node:n1' },
      }),
    ],
    [
      'unknown kind',
      review(
        { spec: { image: 'x:latest' } },
        { kind: { group: 'x.io', version: 'v1', kind: 'Thing' } },
      ),
    ],
  ]
  for (const [title, body] of rows) {
    const answer = await validate(body)
    t.match(answer, { allowed: true, message: undefined }, title)
    t.strictSame(answer.warnings, [], title)
  }
  const claims: [string, Buffer][] = [
    ['new, and said to be deleted', review(dying)],
    ['said to be deleted by an update', review(dying, { operation: 'UPDATE', oldObject: fine })],
    ['a mirror pod that is no node’s', review(mirror, { kind: POD })],
    [
      'a pod of a node that is no mirror pod',
      review({ spec: mirror.spec }, { kind: POD, userInfo: { username: 'system:node:n1' } }),
    ],
    ['a status that is none', review(bad, { operation: 'UPDATE', oldObject: fine })],
  ]
  for (const [title, body] of claims) t.match(await validate(body), { allowed: false }, title)
})

t.test('an ephemeral container is resolved; the pod’s annotations are left alone', async (t) => {
  const { mutate, validate } = hooks([track])
  const pod = {
    metadata: { name: 'p', namespace: 'shop' },
    spec: { containers: [{ name: 'app', image: `${NAME}:v2.0.0` }] },
  }
  const debug = {
    ...pod,
    spec: { ...pod.spec, ephemeralContainers: [{ name: 'debugger', image: `${NAME}:v1.3.0` }] },
  }
  const body = review(debug, {
    kind: { group: '', version: 'v1', kind: 'Pod' },
    operation: 'UPDATE',
    subResource: 'ephemeralcontainers',
    oldObject: pod,
  })
  const { patch } = await mutate(body)
  t.strictSame(patch, [{ op: 'replace', path: '/spec/ephemeralContainers/0/image', value: NEWEST }])
  t.match(await validate(body), { allowed: true })
})

t.test(
  'an answer is given again only to an object that is equal in all that matters',
  async (t) => {
    const { admit } = hooks([track])
    const images = { app: `${NAME}:v1.3.0`, side: `${NAME}:v1.2.0` }
    const first = await admit(deployment(images))
    t.strictSame(await admit(deployment(images)), first)
    const renamed = await admit(deployment({ web: images.app, side: images.side }))
    t.match(annotationsOf(renamed)[IMAGES], /"container":"web"/)
    const noted = await admit(deployment(images, { annotations: { mine: 'x' } }))
    t.equal(annotationsOf(noted)['mine'], 'x')
    const fewer = await admit(deployment({ app: images.app }))
    t.equal(fewer.spec.template.spec.containers.length, 1)
    const { metadata: _, ...bare } = deployment(images)
    t.strictSame(Object.keys(await admit(bare)), Object.keys(bare), 'no metadata, no annotations')
  },
)

t.test('dry run gets the same answer', async (t) => {
  const { mutate } = hooks([track])
  const object = deployment({ app: `${NAME}:v1.3.0` })
  const wet = await mutate(review(object))
  t.strictSame(await mutate(review(object, { dryRun: true })), wet)
})

t.test('a body that is no review is refused with what to do', async (t) => {
  const { raw } = hooks([track])
  const good = JSON.parse(review(deployment({})).toString())
  const rows: [string, unknown, RegExp][] = [
    ['empty', Buffer.alloc(0), /empty/],
    ['not JSON', Buffer.from('<html>'), /not JSON/],
    ['binary', Buffer.from([0xff, 0xfe, 0]), /not JSON/],
    ['a list', [], /not a JSON object/],
    ['null', null, /not a JSON object/],
    ['another kind', { apiVersion: 'v1', kind: 'Pod' }, /not an AdmissionReview/],
    [
      'v1beta1',
      { ...good, apiVersion: 'admission.k8s.io/v1beta1' },
      /admissionReviewVersions: \[v1\]/,
    ],
    ['no request', { ...good, request: undefined }, /no request/],
    ['an answer', { ...good, request: undefined, response: {} }, /no request/],
    ['no uid', { ...good, request: { ...good.request, uid: undefined } }, /uid/],
    ['uid is a number', { ...good, request: { ...good.request, uid: 7 } }, /uid/],
    ['no kind', { ...good, request: { ...good.request, kind: null } }, /kind/],
    ['no object', { ...good, request: { ...good.request, object: null } }, /object is missing/],
    ['object is a list', { ...good, request: { ...good.request, object: [] } }, /not an object/],
    ['operation', { ...good, request: { ...good.request, operation: 'PATCH' } }, /operation/],
  ]
  for (const [title, body, message] of rows) {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
    const error = await raw(bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    t.match(error, { code: 'ERR_INVALID_REVIEW', status: 400 }, title)
    t.match(describeError(error), message, title)
  }
})

t.test('hostile objects are judged, not crashed on', async (t) => {
  const { validate, mutate } = hooks([track])
  const spec = (containers: unknown) => ({
    metadata: { name: 'web' },
    spec: { template: { spec: { containers } } },
  })
  const nested = `${'['.repeat(50_000)}${']'.repeat(50_000)}`
  const rows: [string, unknown, boolean][] = [
    ['null containers', spec(null), true],
    ['containers is a text', spec('x'), true],
    ['null container', spec([null]), true],
    ['no image', spec([{ name: 'a' }]), true],
    ['image is a number', spec([{ name: 'a', image: 7 }]), false],
    ['image is a list', spec([{ name: 'a', image: ['x'] }]), false],
    ['image is no reference', spec([{ name: 'a', image: 'acme/UPPER:v1' }]), false],
    ['markup', spec([{ name: '<b>', image: '\u001b[2J' }]), false],
    ['no spec', {}, true],
    [
      'annotations are a list',
      { ...deployment({ app: `${NAME}:v1.3.0` }), metadata: { annotations: [] } },
      true,
    ],
    ['metadata is a text', { ...deployment({ app: `${NAME}:v1.3.0` }), metadata: 'x' }, true],
    [
      'record is garbage',
      deployment({ app: `${NAME}:v1.3.0` }, { annotations: { [IMAGES]: '{"a":' } }),
      true,
    ],
    [
      'record of the wrong shape',
      deployment(
        { app: `${NAME}:v1.3.0` },
        { annotations: { [IMAGES]: '[null,{"container":7}]' } },
      ),
      true,
    ],
  ]
  for (const [title, object, allowed] of rows) {
    const answer = await validate(review(object))
    t.equal(answer.allowed, allowed, title)
    t.notMatch(answer.message ?? '', /\u001b/, title)
    t.equal((await mutate(review(object))).allowed, true, title)
  }
  const deep = Buffer.from(
    review(deployment({ app: `${NAME}:v1.3.0` }))
      .toString()
      .replace('"spec":', `"deep":${nested},"spec":`),
  )
  t.equal((await validate(deep)).allowed, true, 'deep nesting')
  const own = Buffer.from(
    review(deployment({ app: `${NAME}:v1.3.0` }))
      .toString()
      .replace('"metadata":{', '"__proto__":{"x":1},"metadata":{"__proto__":{"annotations":{}},'),
  )
  t.equal((await mutate(own)).allowed, true, '__proto__ as a key')
})

t.test('ten thousand bad containers: one answer that can be read', async (t) => {
  const { validate } = hooks([track])
  const many = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`c${index}`, `${NAME}:latest`]),
  )
  const { message } = await validate(review(deployment(many)))
  t.match(message, /^Deployment shop\/web has 10000 images that are not permitted:/)
  t.match(message, /and 9900 more$/)
  const good = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, index) => [`c${index}`, `${NAME}:v1.3.0`]),
  )
  const { admit } = hooks([track])
  const object = await admit(deployment(good))
  t.ok((annotationsOf(object)[IMAGES]?.length ?? Number.NaN) <= 128 * 1024)
  const names = Array.from({ length: 2000 }, (_, index) => `ghcr.io/acme/${'x'.repeat(60)}${index}`)
  const crowd = hooks(
    [policy({ action: 'Track', images: names })],
    source(names.map((name) => snapshot(name, TAGS))),
  )
  const each = names.map((name, index) => [`c${index}`, `${name}:v1.3.0`])
  const annotated = annotationsOf(await crowd.admit(deployment(Object.fromEntries(each))))
  t.ok(JSON.stringify(annotated).length < 256 * 1024, 'the API server takes the annotations')
})

t.test(
  'a namespace full of policies, and objects full of images, are refused at once',
  async (t) => {
    const own = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        policy({ name: `p${index}`, enforcement: 'Audit' }),
      )
    const fine = deployment({ app: `${NAME}:v1.4.2` })
    t.match(await hooks(own(50)).validate(review(fine)), { allowed: true })
    const crowded = await hooks(own(51)).validate(review(fine))
    t.equal(crowded.allowed, false)
    t.match(crowded.message, /\[PolicyConflict\] More than 50 ImagePolicies of shop are for this/)
    const again = { operation: 'UPDATE', oldObject: fine }
    t.match(
      await hooks(own(51)).validate(review(fine, again)),
      { allowed: true },
      'what runs, runs',
    )
    const rails = own(60).map(({ name }) =>
      policy({ kind: 'ClusterImagePolicy', name, enforcement: 'Audit' }),
    )
    t.match(
      await hooks(rails).validate(review(fine)),
      { allowed: true },
      'who leads the cluster may',
    )

    const many = deployment(
      Object.fromEntries(
        Array.from({ length: 2000 }, (_, index) => [`c${index}`, `${NAME}:v1.4.2`]),
      ),
    )
    t.match(await hooks(own(25)).validate(review(many)), { allowed: true })
    const full = await hooks(own(26)).validate(review(many))
    t.equal(full.allowed, false)
    t.match(full.message, /containers\[1923\] .* 50000 judgements are made for one object/)
    t.equal((await hooks(own(26)).mutate(review(many))).allowed, true)
  },
)

t.test('a registry that hangs: the answer comes within the time that was given', async (t) => {
  const hanging = source(
    [],
    (_need, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () =>
          resolve({ code: 'ERR_REGISTRY_TIMEOUT', message: 'x', at: 0 }),
        )
      }),
  )
  const { validate } = createReviewHandlers(
    reviewOptions([track], { source: hanging, deadline: 200, clock: Date.now }),
  )
  const body = review(deployment({ app: `${NAME}:v1.3.0` }))
  const answer = answered(await validate(body, { timeoutSeconds: 10, received: Date.now() }))
  t.match(answer, { allowed: false, message: /\[Timeout\].*ghcr\.io did not answer in time/ })
})

t.test('equal images of one review are asked for once', async (t) => {
  const facts = source([], async () => undefined)
  const { validate } = hooks([track], {
    ...facts,
    gather: async (need, signal) => {
      facts.snapshots.set(NAME, snapshot(NAME, TAGS))
      return facts.gather(need, signal)
    },
  })
  await validate(review(deployment({ a: `${NAME}:v1.4.2`, b: `${NAME}:v1.4.2` })))
  t.strictSame(facts.asked, [NAME])
})
