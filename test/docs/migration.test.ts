import t from 'tap'
import { createReviewHandlers } from '../../src/admission/index.ts'
import { compilePolicies, type PolicySet, parsePolicies } from '../../src/policies/index.ts'
import { answered, applied, deployment, review } from '../admission/reviews.ts'
import { DEFAULTS, digest, NOW, snapshot, source } from '../fakes/facts.ts'
import { type Block, readPage } from './pages.ts'

const CALL = { timeoutSeconds: 10, received: NOW }
const TAGS = {
  'v1.2.3': { digest: digest('3') },
  'v1.4.2': { digest: digest('2') },
  'v2.0.0': { digest: digest('f') },
  latest: { digest: digest('f') },
}

function setOf(text: string): PolicySet {
  const { set, problems } = compilePolicies(parsePolicies(text, 'page.yaml').resources)
  if (problems[0]) throw problems[0]
  return set
}

/** The blocks of a page that hold an object of this name. */
function blocksOf(path: string, name: string): Block[] {
  return readPage(path).blocks.filter(({ text }) => text.includes(`name: ${name}`))
}

/** What becomes of an image, and what is said. */
async function outcome(set: PolicySet | undefined, image: string, labels = {}) {
  const handlers = createReviewHandlers({
    policies: () => set ?? setOf(''),
    source: source([snapshot('ghcr.io/acme/web', TAGS)]),
    defaults: set ? { ...DEFAULTS, latest: 'Allow' } : DEFAULTS,
    fields: [],
    controllers: new Set(),
    prefix: 'fluxcd.io',
    deadline: 10_000,
    namespaceLabels: () => labels,
    clock: () => NOW,
  })
  const object = deployment({ app: image })
  const { patch } = answered(await handlers.mutate(review(object), CALL))
  const changed = applied(object, patch)
  const { allowed, warnings } = answered(await handlers.validate(review(changed), CALL))
  const reasons = warnings.map((line) => / \[(\w+)\] /.exec(line)?.[1])
  return { allowed, image: changed.spec.template.spec.containers[0]?.image, reasons }
}

t.test("Kyverno's disallow-latest is the default, and a policy for some namespaces", async (t) => {
  const [block] = blocksOf('docs/migration.md', 'no-latest')
  const set = setOf(block?.text ?? '')
  for (const [policies, of] of [
    [undefined, 'the defaults'],
    [set, 'the policy'],
  ] as const) {
    for (const [image, allowed] of [
      ['ghcr.io/acme/web', false],
      ['ghcr.io/acme/web:latest', false],
      ['ghcr.io/acme/web:v1.4.2', true],
      [`ghcr.io/acme/web@${digest('2')}`, true],
      [`ghcr.io/acme/web:latest@${digest('f')}`, true],
    ] as const) {
      const found = await outcome(policies, image)
      t.strictSame([found.allowed, found.image], [allowed, image], `${of}: ${image}`)
    }
  }
})

t.test('k8s-digester is a policy that pins, for namespaces with its label', async (t) => {
  const [block] = blocksOf('docs/migration.md', 'digests')
  const set = setOf(block?.text ?? '')
  const labels = { 'digest-resolution': 'enabled' }
  const pinned = await outcome(set, 'ghcr.io/acme/web:v1.4.2', labels)
  t.strictSame(pinned, {
    allowed: true,
    image: `ghcr.io/acme/web:v1.4.2@${digest('2')}`,
    reasons: [],
  })
  const other = await outcome(set, 'ghcr.io/acme/web:v1.4.2')
  t.equal(other.image, 'ghcr.io/acme/web:v1.4.2', 'other namespaces are left alone')
  const latest = await outcome(set, 'ghcr.io/acme/web:latest', labels)
  t.strictSame(latest, { allowed: true, image: 'ghcr.io/acme/web:latest', reasons: ['LatestTag'] })
  const unknown = await outcome(set, 'ghcr.io/acme/away:v1.0.0', labels)
  t.strictSame(unknown.allowed, true, 'a registry that fails denies nothing')
})

t.test('what replaces a pair of Flux decides the same', async (t) => {
  const [pair, native] = blocksOf('docs/flux.md', 'web')
  const [flux, own] = [setOf(pair?.text ?? ''), setOf(native?.text ?? '')]
  t.strictSame(
    flux.policies.map(({ title }) => title),
    own.policies.map(({ title }) => title),
    'they have the same name',
  )
  for (const image of ['v1.2.3', 'v1.4.2', 'v2.0.0', 'latest'].map(
    (tag) => `ghcr.io/acme/web:${tag}`,
  )) {
    t.strictSame(await outcome(flux, image), await outcome(own, image), image)
  }
  const moved = await outcome(own, 'ghcr.io/acme/web:v1.2.3')
  t.equal(moved.image, `ghcr.io/acme/web:v1.4.2@${digest('2')}`)
  const [, , cluster] = blocksOf('docs/flux.md', 'web')
  t.equal(setOf(cluster?.text ?? '').policies[0]?.kind, 'ClusterImagePolicy')
})
