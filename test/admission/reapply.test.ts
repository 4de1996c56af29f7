import t from 'tap'
import {
  createReviewHandlers,
  type Reapplication,
  type ReviewOptions,
  reapply,
} from '../../src/admission/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { digest, NOW, policy, refusingResults, snapshot, source } from '../fakes/facts.ts'
import { file, nativePolicy, read } from '../policies/reading.ts'
import { answered, applied, type Deployment, deployment, review, reviewOptions } from './reviews.ts'

const WEB = 'ghcr.io/acme/web'
const TAGS = {
  'v1.3.0': { digest: digest('3') },
  'v1.4.1': { digest: digest('1') },
  'v1.4.2': { digest: digest('2') },
}
const V143 = { ...TAGS, 'v1.4.3': { digest: digest('4') } }
const old = () => source([snapshot(WEB, TAGS)])
const newer = () => source([snapshot(WEB, V143)])
const track = (more: Parameters<typeof policy>[0] = {}) => policy({ action: 'Track', ...more })

async function mutate(options: ReviewOptions, object: Deployment, oldObject?: Deployment) {
  const request = oldObject ? { operation: 'UPDATE', oldObject } : {}
  const { mutate } = createReviewHandlers(options)
  const body = review(object, request)
  const { patch } = answered(await mutate(body, { timeoutSeconds: 10, received: NOW }))
  return applied(object, patch)
}

/** The Deployment as it runs after its manifest was applied. */
const live = (policies: readonly CompiledPolicy[], manifest: Deployment) =>
  mutate(reviewOptions(policies, { source: old() }), manifest)

async function promoted(
  policies: readonly CompiledPolicy[],
  object: Deployment,
  more: Partial<Reapplication> & { options?: Partial<ReviewOptions> } = {},
) {
  const { options, ...how } = more
  const answer = await reapply(
    {
      kind: { group: 'apps', kind: 'Deployment' },
      namespace: 'shop',
      name: 'web',
      object: object as never,
    },
    reviewOptions(policies, { source: newer(), ...options }),
    { chosen: ({ action }) => action === 'Track', deadline: NOW + 10_000, ...how },
  )
  const patched = applied(object, answer.patch as never)
  return { ...answer, image: patched.spec.template.spec.containers[0]?.image, patched }
}

const to = (tag: string, letter: string) => `${WEB}:${tag}@${digest(letter)}`

t.test('a promotion is what applying the same manifest again would give', async (t) => {
  const forms: Parameters<typeof policy>[0][] = [
    {},
    { reference: 'Tag' },
    { reference: 'Digest' },
    { rule: { pattern: '^v(?<version>.*)$', extract: '$version' } },
  ]
  for (const form of forms) {
    const policies = [track(form)]
    const manifest = deployment({ app: `${WEB}:v1.3.0` })
    const before = await live(policies, manifest)
    const { patched, patch, denied, images } = await promoted(policies, before)
    const annotations = before.metadata.annotations
    const applied = deployment({ app: `${WEB}:v1.3.0` }, { annotations })
    t.strictSame(
      patched,
      await mutate(reviewOptions(policies, { source: newer() }), applied, before),
    )
    t.strictSame(denied, [])
    t.match(images, [{ container: 'app', change: { tag: 'v1.4.3' }, live: { name: WEB } }])
    t.ok(
      patch.every(
        ({ path }) =>
          path.startsWith('/metadata/annotations') || path.endsWith('/containers/0/image'),
      ),
      'nothing else is touched',
    )
    t.equal(patched.metadata.annotations?.['fluxcd.io/build.number'], '2')

    const options = reviewOptions(policies, { source: newer() })
    t.strictSame(await mutate(options, patched, before), patched, 'the webhook leaves it alone')
    const again = deployment(
      { app: `${WEB}:v1.3.0` },
      { annotations: patched.metadata.annotations },
    )
    t.strictSame(await mutate(options, again, patched), patched, 'and the manifest gives the same')
    t.strictSame((await promoted(policies, patched)).patch, [], 'and there is no second one')
  }
})

t.test('which images move, and which never do', async (t) => {
  const resolved = (requested: string, is: string, more = {}) => ({
    annotations: {
      'tagwarden.io/images': JSON.stringify([
        { container: 'app', requested, resolved: is, policy: 'ImagePolicy shop/web', ...more },
      ]),
    },
  })
  const now = to('v1.4.2', '2')
  const rows: [what: string, image: unknown, metadata: object, moves: string | undefined][] = [
    ['resolved by Tagwarden', now, resolved(`${WEB}:v1.3.0`, now), to('v1.4.3', '4')],
    ['a plain tag without a record', `${WEB}:v1.4.1`, {}, to('v1.4.3', '4')],
    ['the newest as a plain tag', `${WEB}:v1.4.3`, {}, undefined],
    ['a newer tag than the newest in the index', `${WEB}:v1.9.9`, {}, undefined],
    ['a digest without a record', now, {}, undefined],
    ['a record of another image', now, resolved(`${WEB}:v1.3.0`, to('v1.4.1', '1')), undefined],
    [
      'a record that asks for another repository',
      now,
      resolved('evil.io/x:v1.3.0', now),
      undefined,
    ],
    ['a record that asks for no reference', now, resolved('A B', now), undefined],
    ['a record that asks for a digest', now, resolved(to('v1.4.1', '1'), now), undefined],
    ['a record that asks for what is not permitted', now, resolved(`${WEB}:v9`, now), undefined],
    ['broken records', now, { annotations: { 'tagwarden.io/images': '[{' } }, undefined],
    ['latest', `${WEB}:latest`, {}, undefined],
    ['no tag', WEB, {}, undefined],
    ['a tag that is not permitted', `${WEB}:v2.0.0`, {}, undefined],
    ['another repository', 'ghcr.io/acme/other:v1.4.1', {}, undefined],
    ['no reference', '  ', {}, undefined],
    ['no text', { a: 1 }, {}, undefined],
    ['held', `${WEB}:v1.4.1`, { annotations: { 'tagwarden.io/hold': 'true' } }, undefined],
    [
      'hold that is not true',
      `${WEB}:v1.4.1`,
      { annotations: { 'tagwarden.io/hold': 'yes' } },
      to('v1.4.3', '4'),
    ],
    [
      'rolled back from the newest',
      to('v1.4.1', '1'),
      resolved(`${WEB}:v1.3.0`, to('v1.4.1', '1'), { rolledBackFrom: 'v1.4.3' }),
      undefined,
    ],
    [
      'rolled back from a version that is older than the newest',
      to('v1.4.1', '1'),
      resolved(`${WEB}:v1.3.0`, to('v1.4.1', '1'), { rolledBackFrom: 'v1.4.2' }),
      to('v1.4.3', '4'),
    ],
  ]
  for (const [what, image, metadata, moves] of rows) {
    const object = deployment({ app: image }, metadata as Record<string, unknown>)
    const answer = await promoted([track()], object)
    t.strictSame(answer.image, moves ?? image, what)
    if (moves === undefined) t.strictSame(answer.patch, [], what)
  }
})

t.test('only what a chosen policy may move moves, and the rest stays as it is', async (t) => {
  const pin = policy({ action: 'Pin', images: ['ghcr.io/acme/api'], name: 'api' })
  const object = deployment({ app: `${WEB}:v1.4.1`, api: 'ghcr.io/acme/api:v1.3.0', x: 'nginx:1' })
  const facts = source([snapshot(WEB, V143), snapshot('ghcr.io/acme/api', V143)])
  const { patched } = await promoted([track(), pin], object, { options: { source: facts } })
  t.strictSame(
    patched.spec.template.spec.containers.map(({ image }) => image),
    [to('v1.4.3', '4'), 'ghcr.io/acme/api:v1.3.0', 'nginx:1'],
  )
  const records = JSON.parse(patched.metadata.annotations?.['tagwarden.io/images'] ?? '')
  t.match(records, [{ container: 'app', requested: `${WEB}:v1.4.1` }])
  t.equal(records.length, 1)
  const none = await promoted([track()], object, { chosen: () => false })
  t.strictSame([none.images, none.patch], [[], []])
  const refused = await promoted([track()], object, { admits: () => false })
  t.strictSame(refused.patch, [])
  t.match(refused.images, [{ container: 'app', from: 'v1.4.1', change: { tag: 'v1.4.3' } }])
})

t.test('a policy that only audits, and one beside another that moves, move nothing', async (t) => {
  const object = deployment({ app: `${WEB}:v1.4.1` })
  const audit = await promoted([track({ enforcement: 'Audit' })], object)
  t.strictSame(audit.patch, [])
  const cluster = track({ kind: 'ClusterImagePolicy', name: 'all' })
  const { images } = await promoted([policy({ action: 'Pin' }), cluster], object)
  t.strictSame(images, [], 'the more specific one pins')
})

t.test('what the validating webhook would refuse is said, a line for each image', async (t) => {
  const guard = policy({ kind: 'ClusterImagePolicy', name: 'guard' })
  const policies = [track(), refusingResults(guard)]
  const { denied, patch } = await promoted(policies, deployment({ app: `${WEB}:v1.4.1` }))
  t.not(patch.length, 0)
  t.match(denied, [/containers\[0\] "app": ghcr.io\/acme\/web:v1.4.3@.* \[OutOfRange\]/])
})

t.test('an image that is not let move stays, also beside one that moves', async (t) => {
  const object = deployment({ app: `${WEB}:v1.4.1`, side: `${WEB}:v1.3.0` })
  const { patched } = await promoted([track()], object, {
    admits: ({ container }) => container === 'app',
  })
  t.strictSame(
    patched.spec.template.spec.containers.map(({ image }) => image),
    [to('v1.4.3', '4'), `${WEB}:v1.3.0`],
  )
})

t.test('no record leads to another repository, and latest without one stays', async (t) => {
  const now = to('v1.4.2', '2')
  const record = { container: 'app', requested: 'evil.io/x:v1.3.0', resolved: now, policy: 'x' }
  const annotations = { 'tagwarden.io/images': JSON.stringify([record]) }
  const facts = source([snapshot(WEB, V143), snapshot('evil.io/x', V143)])
  const policies = [track({ latest: 'Resolve' })]
  for (const object of [
    deployment({ app: now }, { annotations }),
    deployment({ app: WEB }),
    deployment({ app: `${WEB}:latest` }),
  ]) {
    const { patch } = await promoted(policies, object, { options: { source: facts } })
    t.strictSame(patch, [])
  }
})

t.test('what a guard of some namespaces forbids is no promotion either', async (t) => {
  const spec = { order: { semver: { range: '1.x' } }, action: 'Track' }
  const below = {
    order: { semver: { range: '<1.4.2' } },
    namespaceSelector: { matchLabels: { tier: 'prod' } },
  }
  const { set, lines } = read(
    file(
      nativePolicy(spec, { namespace: 'shop' }),
      nativePolicy(below, { kind: 'ClusterImagePolicy', name: 'guard' }),
    ),
  )
  t.strictSame(lines, [])
  const moved = async (labels: Record<string, string>) => {
    const options = { policies: () => set, namespaceLabels: () => labels }
    return (await promoted([], deployment({ app: `${WEB}:v1.3.0` }), { options })).image
  }
  t.equal(await moved({ tier: 'test' }), to('v1.4.3', '4'))
  t.equal(await moved({ tier: 'prod' }), to('v1.4.1', '1'))
})

t.test('a tag that is followed moves only where its digest was recorded', async (t) => {
  const follow = track({ rule: { order: { digest: { follow: 'stable' } } } })
  const facts = source([snapshot(WEB, { stable: { digest: digest('5') } })])
  const after = async (image: string, resolved: string) => {
    const record = { container: 'app', requested: `${WEB}:stable`, resolved, policy: 'x' }
    const annotations = { 'tagwarden.io/images': JSON.stringify([record]) }
    const object = deployment({ app: image }, { annotations })
    const answer = await promoted([follow], object, { options: { source: facts } })
    return [answer.images[0]?.from, answer.image]
  }
  const [old, now] = [to('stable', '4'), to('stable', '5')]
  t.strictSame(await after(old, old), [digest('4'), now])
  t.strictSame(await after(now, now), [digest('5'), now], 'nothing is newer')
  t.strictSame(await after(`${WEB}:stable`, old), ['stable', `${WEB}:stable`], 'nobody knows')
})

t.test('a bare digest runs the tag that was recorded for it', async (t) => {
  const policies = [track({ reference: 'Digest' })]
  const image = `${WEB}@${digest('e')}`
  const record = { container: 'app', requested: `${WEB}:v1.3.0`, resolved: image, policy: 'x' }
  const runs = async (tag: string) => {
    const text = JSON.stringify([{ ...record, tag }])
    const object = deployment({ app: image }, { annotations: { 'tagwarden.io/images': text } })
    const { images, image: becomes } = await promoted(policies, object)
    return [images[0]?.from, becomes]
  }
  t.strictSame(await runs('v1.4.1'), ['v1.4.1', `${WEB}@${digest('4')}`])
  t.strictSame(await runs('v1.9.0'), ['v1.9.0', image], 'nothing is newer')
  t.strictSame(await runs('no tag'), [digest('e'), image], 'nobody knows')
})

t.test('a registry that fails is told, and moves nothing for want of a digest', async (t) => {
  const { 'v1.4.3': _, ...known } = V143
  const facts = source([snapshot(WEB, { ...known, 'v1.4.3': {} })])
  const object = deployment({ app: `${WEB}:v1.4.1` })
  const { patch, images } = await promoted([track()], object, { options: { source: facts } })
  t.strictSame(patch, [])
  t.equal(images.length, 1)
})
