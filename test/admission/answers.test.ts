import t from 'tap'
import type { ReviewOptions } from '../../src/admission/index.ts'
import type { FactSource } from '../../src/decisions/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { DEFAULTS, digest, NOW, policy, snapshot, source } from '../fakes/facts.ts'
import { applied, type Deployment, deployment, openHooks, review } from './reviews.ts'

const WEB = 'ghcr.io/acme/web'
const TAGS = { 'v1.3.0': { digest: digest('0') }, 'v1.4.2': { digest: digest('2') } }
const NEWEST = `${WEB}:v1.4.2@${digest('2')}`
const IMAGES = 'tagwarden.io/images'
const track = policy({ action: 'Track' })

function hooks(
  policies: readonly CompiledPolicy[] = [track],
  options: Partial<ReviewOptions> = {},
  facts: FactSource = source([snapshot(WEB, TAGS)]),
) {
  const all = openHooks(policies, { source: facts, ...options })
  return {
    ...all,
    mutate: (object: unknown, request = {}) => all.mutate(review(object, request)),
    validate: (object: unknown, request = {}) => all.validate(review(object, request)),
  }
}

t.test('an image that is no text is denied, unless it was there before', async (t) => {
  const { validate } = hooks()
  const update = (was: unknown) => ({ operation: 'UPDATE', oldObject: deployment({ app: was }) })
  const rows: [unknown, RegExp][] = [
    [7, /It is not a text\. Put it in quotes\./],
    [true, /It is not a text\. Put it in quotes\./],
    [{ a: 1 }, /It is not a text\./],
    [['a'], /It is not a text\./],
  ]
  for (const [image, words] of rows) {
    const object = deployment({ app: image })
    const title = JSON.stringify(image)
    t.match(await validate(object), { allowed: false, message: words }, title)
    t.match(await validate(object, update({ b: 2 })), { allowed: false }, `${title} is new`)
    t.match(await validate(object, update('x:1')), { allowed: false }, `${title} for a text`)
    const same = await validate(object, update(image))
    t.match(same, { allowed: true, warnings: [words] }, `${title} was there`)
  }
  t.notMatch((await validate(deployment({ app: { a: 1 } }))).message, /quotes/)
})

t.test('what is no reference counts as the defaults say', async (t) => {
  const object = deployment({ app: 'A B' })
  const by = async (enforcement: 'Enforce' | 'Warn' | 'Audit') => {
    const defaults = { ...DEFAULTS, enforcement }
    const { allowed, warnings, audit } = await hooks([], { defaults }).validate(object)
    return [allowed, warnings.length, Object.keys(audit)]
  }
  t.strictSame(await by('Enforce'), [false, 0, ['denied']])
  t.strictSame(await by('Warn'), [true, 1, ['warned']])
  t.strictSame(await by('Audit'), [true, 0, ['audited']])
})

t.test('a Job is resolved when it is made; another kind of that name always', async (t) => {
  const fields = [
    {
      group: 'batch.volcano.sh',
      kind: 'Job',
      paths: ['/spec/template/spec/containers/*/image'],
    },
  ]
  const { mutate } = hooks([track], { fields })
  const moves = async (group: string, was?: string) => {
    const { patch } = await mutate(deployment({ app: `${WEB}:v1.3.0` }), {
      kind: { group, version: 'v1', kind: 'Job' },
      ...(was && { operation: 'UPDATE', oldObject: deployment({ app: was }) }),
    })
    return patch.some(({ value }) => value === NEWEST)
  }
  t.equal(await moves('batch'), true)
  t.equal(await moves('batch', `${WEB}:v1.2.3`), false, 'a template that the API server keeps')
  t.equal(await moves('batch.volcano.sh', `${WEB}:v1.2.3`), true)
})

t.test('pods that a controller makes are left alone, whatever their annotations say', async (t) => {
  const { mutate, validate } = hooks()
  const annotations = {
    [IMAGES]: JSON.stringify([
      { container: 'gone', requested: 'a:1', resolved: 'a:1', policy: 'x' },
    ]),
    'fluxcd.io/tag.a': '1',
    'tagwarden.io/hold': 'yes',
  }
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', controller: true }
  const pod = {
    metadata: { name: 'web-1-x', annotations, ownerReferences: [owner] },
    spec: { containers: [{ name: 'app', image: `${WEB}:v1.3.0` }] },
  }
  const request = {
    kind: { group: '', version: 'v1', kind: 'Pod' },
    userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
  }
  t.strictSame((await mutate(pod, request)).patch, [])
  t.strictSame((await validate(pod, request)).warnings, [], 'its Deployment was warned of')
})

t.test('accounts that are configured as controllers own what they make', async (t) => {
  const owner = { apiVersion: 'example.com/v1', kind: 'Anything', name: 'x', controller: true }
  const pod = {
    metadata: { name: 'x-1', ownerReferences: [owner] },
    spec: { containers: [{ name: 'app', image: `${WEB}:v2.0.0` }] },
  }
  const defaults = { ...DEFAULTS, ownedObjects: 'Warn' } as const
  const username = 'system:serviceaccount:ops:anything'
  const request = { kind: { group: '', version: 'v1', kind: 'Pod' }, userInfo: { username } }
  const known = hooks([track], { defaults, controllers: new Set([username]) })
  t.match(await known.validate(pod, request), { allowed: true, warnings: [/OutOfRange/] })
  t.match(await hooks([track], { defaults }).validate(pod, request), { allowed: false })
})

t.test('the audit log says what was resolved, once', async (t) => {
  const { mutate, admit } = hooks()
  const manifest = deployment({ app: `${WEB}:v1.3.0` })
  t.strictSame((await mutate(manifest)).audit, {
    resolved: `containers[0]: ${WEB}:v1.3.0 -> ${NEWEST} (ImagePolicy shop/web)`,
  })
  const update = { operation: 'UPDATE', oldObject: await admit(manifest) }
  t.strictSame((await mutate(manifest, update)).audit, {}, 'what is kept is no news')
})

t.test('the audit log says what was denied, warned of and only noted, and no more', async (t) => {
  const of = async (enforcement: CompiledPolicy['enforcement'], tag = 'v2.0.0') =>
    (await hooks([policy({ enforcement })]).validate(deployment({ app: `${WEB}:${tag}` }))).audit
  t.strictSame(Object.keys(await of('Enforce')), ['denied'])
  t.strictSame(Object.keys(await of('Warn')), ['warned'])
  t.strictSame(Object.keys(await of('Audit')), ['audited'])
  for (const each of ['Enforce', 'Warn', 'Audit'] as const) {
    t.strictSame(await of(each, 'v1.4.2'), {})
    t.match(Object.values(await of(each)), [/v2\.0\.0 \[OutOfRange\]/])
  }
  const many = Object.fromEntries(
    Array.from({ length: 99 }, (_, at) => [`c${at}`, `${WEB}:v2.0.0`]),
  )
  const { audit } = await hooks([policy()]).validate(deployment(many))
  t.match(audit['denied'], /^.{8000}…$/s, 'as far as 8,000 characters go')
})

t.test('who asks at the end of the time that was given waits for no registry', async (t) => {
  const rows: [given: number | undefined, longest: number, time: number][] = [
    [1, 10_000, 800],
    [undefined, 10_000, 8_000],
    [30, 10_000, 10_000],
    [30, 500, 500],
  ]
  for (const [timeoutSeconds, deadline, time] of rows) {
    const asks = async (after: number) => {
      const facts = source([])
      const { handlers } = hooks([track], { deadline, clock: () => NOW + after }, facts)
      const body = review(deployment({ app: `${WEB}:v1.3.0` }))
      await handlers.mutate(body, { timeoutSeconds, received: NOW })
      return facts.asked.length > 0
    }
    const title = `${timeoutSeconds} s given, ${deadline} ms at most`
    t.equal(await asks(time), false, title)
    t.equal(await asks(time - 1), true, `${title}: just before`)
  }
})

t.test('build.number counts the times that anything moved', async (t) => {
  const manifest = deployment({ app: `${WEB}:v1.3.0`, side: 'other:1' })
  const number = ({ metadata }: Deployment) => metadata.annotations?.['fluxcd.io/build.number']
  const first = await hooks().admit(manifest)
  t.equal(number(first), '1')
  const update = { operation: 'UPDATE', oldObject: first }
  const { annotations } = first.metadata
  const again = await hooks().admit(
    deployment({ app: NEWEST, side: 'other:2' }, { annotations }),
    update,
  )
  t.equal(number(again), '1', 'nothing that Tagwarden moves')
  const V143 = { ...TAGS, 'v1.4.3': { digest: digest('4') } }
  const newer = hooks([track], {}, source([snapshot(WEB, V143)]))
  const both = deployment({ app: `${WEB}:v1.3.0`, side: 'other:1' }, { annotations })
  t.equal(number(await newer.admit(both, update)), '2', 'one of two containers')
  const forged = { annotations: { ...annotations, 'fluxcd.io/build.number': '7e3' } }
  const odd = { operation: 'UPDATE', oldObject: deployment({ app: NEWEST }, forged) }
  const after = await newer.admit(deployment({ app: `${WEB}:v1.3.0` }, forged), odd)
  t.equal(number(after), '1', 'from no number it starts anew')
})

t.test('a workload that is taken back to a digest by hand stays there', async (t) => {
  const manifest = deployment({ app: `${WEB}:v1.3.0` })
  const first = await hooks().admit(manifest)
  const { annotations } = first.metadata
  const older = deployment({ app: `${WEB}:v1.3.0@${digest('0')}` }, { annotations })
  const back = await hooks().admit(older, { operation: 'UPDATE', oldObject: first })
  const imageOf = ({ spec }: Deployment) => spec.template.spec.containers[0]?.image
  t.equal(imageOf(back), `${WEB}:v1.3.0@${digest('0')}`)
  const again = deployment({ app: `${WEB}:v1.3.0` }, { annotations: back.metadata.annotations })
  const stays = await hooks().admit(again, { operation: 'UPDATE', oldObject: back })
  t.equal(imageOf(stays), `${WEB}:v1.3.0@${digest('0')}`, 'though its manifest is applied again')
})

t.test(
  'an object made of what was exported keeps no annotation of an image that it lacks',
  async (t) => {
    const first = await hooks().admit(deployment({ app: `${WEB}:v1.3.0` }))
    const { annotations } = first.metadata
    const api = 'ghcr.io/acme/api'
    const both = policy({ action: 'Track', images: [WEB, api] })
    const facts = source([snapshot(WEB, TAGS), snapshot(api, TAGS)])
    const made = await hooks([both], {}, facts).admit(
      deployment({ app: `${api}:v1.3.0` }, { annotations }),
    )
    t.strictSame(
      Object.keys(made.metadata.annotations ?? {}).filter((key) => key.includes('/tag.')),
      ['fluxcd.io/tag.api'],
    )
  },
)

t.test('images of one name in two lists of an object have a record each', async (t) => {
  const paths = ['/spec/containers/*/image', '/spec/sidecars/*/image']
  const fields = [{ group: 'example.com', kind: 'Thing', paths }]
  const kind = { group: 'example.com', version: 'v1', kind: 'Thing' }
  const thing = (app: string, side: string) => ({
    metadata: { name: 'web', namespace: 'shop' } as Deployment['metadata'],
    spec: {
      containers: [
        { name: 'app', image: app },
        { name: 'only', image: `${WEB}:v1.4.2` },
      ],
      sidecars: [{ name: 'app', image: side }],
    },
  })
  const pin = hooks([policy({ action: 'Pin' })], { fields })
  const manifest = thing(`${WEB}:v1.3.0`, `${WEB}:v1.4.2`)
  const { patch } = await pin.mutate(manifest, { kind })
  const stored = applied(manifest, patch)
  const records = JSON.parse(stored.metadata.annotations?.[IMAGES] ?? '')
  t.strictSame(
    records.map(({ container, requested }: Record<string, string>) => [container, requested]),
    [
      ['spec.containers[0].image', `${WEB}:v1.3.0`],
      ['only', `${WEB}:v1.4.2`],
      ['spec.sidecars[0].image', `${WEB}:v1.4.2`],
    ],
  )
  const moved = { 'v1.3.0': { digest: digest('7') }, 'v1.4.2': { digest: digest('8') } }
  const later = hooks([policy({ action: 'Pin' })], { fields }, source([snapshot(WEB, moved)]))
  const again = await later.mutate(manifest, { kind, operation: 'UPDATE', oldObject: stored })
  t.strictSame(applied(manifest, again.patch).spec, stored.spec, 'and keep their digests')
})

t.test('a container and an image volume of one name have a record each', async (t) => {
  const object = {
    ...deployment({ web: `${WEB}:v1.3.0` }),
    metadata: { name: 'web', namespace: 'shop' } as Deployment['metadata'],
  }
  const volumes = [{ name: 'web', image: { reference: `${WEB}:v1.4.2` } }]
  Object.assign(object.spec.template.spec, { volumes })
  const { patch } = await hooks([policy({ action: 'Pin' })]).mutate(object)
  const text = applied(object, patch).metadata.annotations?.[IMAGES] ?? ''
  t.match(JSON.parse(text), [
    { container: 'web', requested: `${WEB}:v1.3.0` },
    { container: 'volume/web', requested: `${WEB}:v1.4.2` },
  ])
})
