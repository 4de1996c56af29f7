import t from 'tap'
import {
  createDenialEvents,
  createReviewHandlers,
  type ReviewSummary,
} from '../../src/admission/index.ts'
import type { ClusterEvent } from '../../src/cluster/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { NOW, policy } from '../fakes/facts.ts'
import { deployment, review, reviewOptions } from './reviews.ts'

const CALL = { timeoutSeconds: 10, received: NOW }

function subjectOf({ kind, namespace, name, position }: CompiledPolicy) {
  if (position) return undefined
  return { apiVersion: 'tagwarden.io/v1alpha1', kind, namespace, name, uid: `uid-of-${name}` }
}

/** The events that validating this object causes. */
async function eventsOf(
  policies: readonly CompiledPolicy[],
  object: unknown,
  request: Record<string, unknown> = {},
): Promise<ClusterEvent[]> {
  const events: ClusterEvent[] = []
  const onReviewed = createDenialEvents({ record: (event) => void events.push(event) }, subjectOf)
  const { validate } = createReviewHandlers(reviewOptions(policies, { onReviewed }))
  await validate(review(object, request), CALL)
  return events
}

t.test('a denial is an event on the policy that denied', async (t) => {
  const events = await eventsOf([policy()], deployment({ app: 'ghcr.io/acme/web:v9.0.0' }))
  t.strictSame(events, [
    {
      about: {
        apiVersion: 'tagwarden.io/v1alpha1',
        kind: 'ImagePolicy',
        namespace: 'shop',
        name: 'web',
        uid: 'uid-of-web',
      },
      type: 'Warning',
      reason: 'ImageDenied',
      message: 'denied Deployment shop/web: ghcr.io/acme/web:v9.0.0 [OutOfRange]',
    },
  ])
})

t.test(
  'on a ClusterImagePolicy it names neither image nor object: others read its events',
  async (t) => {
    const rail = policy({ kind: 'ClusterImagePolicy', namespace: undefined, name: 'rail' })
    const images = { app: 'ghcr.io/acme/web:v9.0.0', b: 'ghcr.io/acme/web:v8.0.0' }
    const events = await eventsOf([rail], deployment(images))
    t.match(events, [{ about: { kind: 'ClusterImagePolicy', namespace: undefined, name: 'rail' } }])
    t.equal(events[0]?.message, 'denied a Deployment of namespace shop: OutOfRange')
  },
)

t.test('what gets another name at each attempt is one event', async (t) => {
  const images = { app: 'ghcr.io/acme/web:v9.0.0' }
  const messages = new Set<string | undefined>()
  for (const name of ['web-5fd6-xbxd8', 'web-5fd6-tp624']) {
    const pod = deployment(images, { name, generateName: 'web-5fd6-' })
    for (const { message } of await eventsOf([policy()], pod, { name })) messages.add(message)
  }
  t.strictSame(
    [...messages],
    ['denied Deployment shop/web-5fd6-*: ghcr.io/acme/web:v9.0.0 [OutOfRange]'],
  )
  const odd = deployment(images, { name: 'web', generateName: 'other-' })
  t.match(await eventsOf([policy()], odd), [{ message: /^denied Deployment shop\/web: / }])
})

t.test('an update that is denied is an event on the workload too', async (t) => {
  const old = { ...deployment({ app: 'ghcr.io/acme/web:v1.4.2' }, { uid: 'u1' }) }
  const events = await eventsOf([policy()], deployment({ app: 'ghcr.io/acme/web:v9.0.0' }), {
    operation: 'UPDATE',
    oldObject: old,
  })
  t.equal(events.length, 2)
  t.match(events[1], {
    about: {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'shop',
      name: 'web',
      uid: 'u1',
    },
    message: 'an update is denied: ghcr.io/acme/web:v9.0.0 [OutOfRange] by ImagePolicy shop/web',
  })
})

t.test('nothing is written for a dry run, a warning, or what is allowed', async (t) => {
  const bad = deployment({ app: 'ghcr.io/acme/web:v9.0.0' })
  t.strictSame(await eventsOf([policy()], bad, { dryRun: true }), [])
  t.strictSame(await eventsOf([policy({ enforcement: 'Warn' })], bad), [])
  t.strictSame(await eventsOf([], bad), [])
  const file = policy({ position: { file: 'web.yaml' } })
  t.strictSame(await eventsOf([file], bad), [], 'a policy from a file is no object')
})

t.test('many images of one policy are one event that names the first of them', async (t) => {
  const images = Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [`c${index}`, `ghcr.io/acme/web:v9.0.${index % 8}`]),
  )
  const events = await eventsOf([policy()], deployment(images))
  t.equal(events.length, 1)
  t.match(events[0]?.message, /v9\.0\.4 \[OutOfRange\], and 3 more$/)
})

t.test('the same denial again has the same words, so that it can be counted', async (t) => {
  const object = deployment({ app: 'ghcr.io/acme/web:v9.0.0' })
  const [first] = await eventsOf([policy()], object)
  const [again] = await eventsOf([policy()], object)
  t.strictSame(first, again)
})

t.test(
  'an image that is no reference, and an object without a name, are no stumbling block',
  async (t) => {
    const broken = deployment({ app: 'web image\u001b[2J', web: 'ghcr.io/acme/web:v9.0.0' })
    const events = await eventsOf([policy()], broken, {
      operation: 'UPDATE',
      name: '',
      oldObject: { metadata: 7 },
    })
    t.strictSame(
      events.map(({ message }) => message),
      ['denied Deployment shop/web: ghcr.io/acme/web:v9.0.0 [OutOfRange]'],
    )
  },
)

t.test('the header of a trace comes with the review', async (t) => {
  const told: ReviewSummary[] = []
  const onReviewed = (each: ReviewSummary) => void told.push(each)
  const { validate } = createReviewHandlers(reviewOptions([], { onReviewed }))
  await validate(review(deployment({ app: 'web' })), { ...CALL, traceparent: '00-a' })
  t.equal(told[0]?.traceparent, '00-a')
})

t.test('labels of a namespace that have to be looked up are waited for', async (t) => {
  const seen: unknown[] = []
  const namespaceLabels = async (namespace: string) => ({ of: namespace })
  const options = reviewOptions([], { namespaceLabels })
  const policies = () => ({
    ...options.policies(),
    match: (_image: unknown, workload: { namespaceLabels: unknown }) => {
      seen.push(workload.namespaceLabels)
      return []
    },
  })
  const { validate } = createReviewHandlers({ ...options, policies })
  await validate(review(deployment({ app: 'web' })), CALL)
  t.strictSame(seen, [{ of: 'shop' }])
})
