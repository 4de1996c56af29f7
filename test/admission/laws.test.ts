import fc from 'fast-check'
import t from 'tap'
import { createReviewHandlers } from '../../src/admission/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { digest, NOW, policy, snapshot, source } from '../fakes/facts.ts'
import { answered, applied, type Deployment, deployment, review, reviewOptions } from './reviews.ts'

const NAME = 'ghcr.io/acme/web'
const INDEX = snapshot(NAME, {
  'v1.2.3': { digest: digest('3') },
  'v1.3.0': { digest: digest('0') },
  'v1.4.2': { digest: digest('2') },
  'v2.0.0': { digest: digest('f') },
})

const image = fc.oneof(
  fc
    .constantFrom('', ':v1.2.3', ':v1.3.0', ':v1.4.2', ':v2.0.0', ':latest', ':x')
    .map((tag) => NAME + tag),
  fc.constantFrom('3', '0', '2', 'f', '9').map((letter) => `${NAME}:v1.3.0@${digest(letter)}`),
  fc.constantFrom('3', '0', '2', 'f', '9').map((letter) => `${NAME}@${digest(letter)}`),
  fc.constantFrom(
    'busybox',
    'busybox:1',
    'A/B',
    '__proto__',
    'constructor:v1',
    '\u0000',
    'x'.repeat(300),
  ),
  fc.string(),
  fc.jsonValue(),
)
const containers = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__x'), image, {
  minKeys: 1,
  maxKeys: 3,
})
const anyPolicy = fc.record({
  action: fc.constantFrom('Verify', 'Pin', 'Track'),
  reference: fc.constantFrom('TagAndDigest', 'Tag', 'Digest'),
  latest: fc.constantFrom('Deny', 'Resolve'),
  enforcement: fc.constantFrom('Enforce', 'Warn', 'Audit'),
  movedTags: fc.constantFrom('Deny', 'Warn', 'Allow'),
  allowDowngrade: fc.boolean(),
} as const)

function hooks(compiled: CompiledPolicy) {
  const { mutate, validate } = createReviewHandlers(
    reviewOptions([compiled], { source: source([INDEX]), deadline: 1000 }),
  )
  const call = { timeoutSeconds: 1, received: NOW }
  const patchOf = async (object: object, request = {}) =>
    answered(await mutate(review(object, request), call)).patch
  return {
    patchOf,
    admit: async (object: Deployment, request = {}) =>
      applied(object, await patchOf(object, request)),
    judge: async (object: object, request = {}) =>
      answered(await validate(review(object, request), call)),
  }
}

t.test('a patch touches images and the object’s own annotations, nothing else', async (t) => {
  await fc.assert(
    fc.asyncProperty(containers, anyPolicy, async (images, spec) => {
      const { patchOf } = hooks(policy(spec))
      for (const { path } of await patchOf(deployment(images))) {
        if (
          !/^\/(spec\/template\/spec\/containers\/\d+\/image|metadata\/annotations(\/.*)?)$/.test(
            path,
          )
        ) {
          throw new Error(path)
        }
      }
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('mutating twice is mutating once, and applying again changes nothing', async (t) => {
  await fc.assert(
    fc.asyncProperty(containers, anyPolicy, async (images, spec) => {
      const { admit } = hooks(policy(spec))
      const manifest = deployment(images)
      const live = await admit(manifest)
      const same = JSON.stringify(live)
      const update = { operation: 'UPDATE', oldObject: live }
      const merged = { ...manifest, metadata: live.metadata }
      for (const again of [
        await admit(live),
        await admit(live, update),
        await admit(merged, update),
      ]) {
        if (JSON.stringify(again) !== same) throw new Error(`${JSON.stringify(again)}\n${same}`)
      }
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('what was resolved is permitted, and what stays as it was is never denied', async (t) => {
  await fc.assert(
    fc.asyncProperty(containers, anyPolicy, async (images, spec) => {
      const { admit, judge } = hooks(policy(spec))
      const manifest = deployment(images)
      const before = await judge(manifest)
      const live = await admit(manifest)
      const after = await judge(live)
      if (before.allowed && !after.allowed) throw new Error(after.message)
      const kept = await judge(live, { operation: 'UPDATE', oldObject: live })
      if (!kept.allowed) throw new Error(kept.message)
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('a body of any JSON is answered or refused, never a crash', async (t) => {
  const { mutate } = createReviewHandlers(reviewOptions([], { clock: Date.now }))
  const send = (body: Buffer) =>
    mutate(body, { timeoutSeconds: 1, received: Date.now() }).then(
      (answer) => answer.status,
      (error) => error.code,
    )
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (object, request) => {
      const good = JSON.parse(review(object).toString())
      const codes = [
        await send(Buffer.from(JSON.stringify(object))),
        await send(Buffer.from(JSON.stringify({ ...good, request }))),
        await send(review(object)),
        await send(review({ metadata: object, spec: { template: { spec: object } } })),
      ]
      if (!codes.every((code) => code === 200 || code === 'ERR_INVALID_REVIEW')) {
        throw new Error(String(codes))
      }
    }),
    { numRuns: 500 },
  )
  t.pass()
})

t.test('two objects of 3 MiB are compared, and the one image that changed is found', async (t) => {
  const { judge } = hooks(policy())
  const heavy = (tag: string) =>
    deployment(
      { app: `${NAME}:v1.3.0`, side: `${NAME}:${tag}` },
      { annotations: { big: 'x'.repeat(3 << 20) } },
    )
  const answer = await judge(heavy('v2.0.0'), { operation: 'UPDATE', oldObject: heavy('v1.3.0') })
  t.match(answer, { allowed: false, message: /has 1 image .*\n {2}containers\[1\] "side"/ })
})
