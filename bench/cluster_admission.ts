import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../test/cluster/control-plane.ts'
import { freePorts } from '../test/cluster/ports.ts'
import { type Installation, NAME } from '../test/e2e/installation.ts'
import type { Figure } from './admission.ts'
import { addNamespace, applyPolicy, startClusterSite } from './cluster_site.ts'
import { deployment } from './reviews.ts'
import { startYardstick, type Yardstick } from './yardstick_process.ts'

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1'
const CLIENTS = [1, 8]
const ROUNDS = 40
/** Dry runs of each client in a round, for each namespace. */
const BLOCK = 12
/** Of namespaces, by what the API server asks about what is created there. */
const KINDS = ['none', 'nothing', 'patching', 'verify', 'track'] as const
type Kind = (typeof KINDS)[number]
/** Those where a Deployment is that the hooks need not change any more. */
const SETTLED = ['none', 'nothing', 'track'] as const satisfies readonly Kind[]

/**
 * Measures what both hooks add to a server-side dry run of a Deployment of three images: Tagwarden's,
 * and a bare server's, each where they only permit and where they patch, in namespaces of their own;
 * and what they add to an update of one that is settled.
 */
export async function benchClusterAdmission(): Promise<Figure[]> {
  const [port] = await freePorts(1)
  const site = await startClusterSite(1, {
    TAGWARDEN_LISTEN_PORT: String(port),
    TAGWARDEN_CLUSTER_WEBHOOKS_URL: `https://127.0.0.1:${port}`,
    TAGWARDEN_CLUSTER_WEBHOOKS_EXCLUDED_NAMESPACES: 'none,nothing,patching',
  })
  const { world } = site
  const yardstick = await startYardstick('0-1')
  try {
    for (const kind of KINDS) await addNamespace(world, kind)
    await applyPolicy(world, { namespace: 'verify', action: 'Verify' })
    await applyPolicy(world, { namespace: 'track', action: 'Track' })
    await register(world, yardstick)
    await inForce(world)
    world.balancer.stopAsking()
    const figures: Figure[] = []
    for (const clients of CLIENTS) figures.push(...(await measure(world, clients)))
    for (const kind of SETTLED) await create(world, kind, '')
    for (const clients of CLIENTS) figures.push(...(await measureUpdates(world, clients)))
    return figures
  } finally {
    await yardstick.close()
    await site.close()
  }
}

/** Registers the bare server as Tagwarden is, for the two namespaces that it serves. */
async function register({ admin }: Installation, { url, ca }: Yardstick): Promise<void> {
  const caBundle = Buffer.from(ca).toString('base64')
  for (const [kind, own] of [
    ['mutatingwebhookconfigurations', 'mutate.tagwarden.io'],
    ['validatingwebhookconfigurations', 'validate.tagwarden.io'],
  ] as const) {
    const { body } = await admin.call('GET', `${WEBHOOKS}/${kind}/${NAME}`)
    const { apiVersion, kind: name, webhooks } = body as unknown as Registered
    const model = webhooks.find((each) => each.name === own)
    if (!model) throw new Error(`there is no ${own}`)
    const entry = (namespace: Kind, path: string) => ({
      ...model,
      name: `${namespace}.example.com`,
      clientConfig: { url: `${url}/${path}`, caBundle },
      namespaceSelector: {
        matchExpressions: [
          { key: 'kubernetes.io/metadata.name', operator: 'In', values: [namespace] },
        ],
      },
    })
    const patching = own.startsWith('mutate') ? 'mutate' : 'nothing'
    const answer = await admin.call('POST', `${WEBHOOKS}/${kind}`, {
      apiVersion,
      kind: name,
      metadata: { name: 'bare' },
      webhooks: [entry('nothing', 'nothing'), entry('patching', patching)],
    })
    if (answer.status !== 201) throw new Error(`${kind}: ${answer.body['message']}`)
  }
}

interface Registered {
  readonly apiVersion: string
  readonly kind: string
  readonly webhooks: readonly { readonly name: string }[]
}

async function inForce(world: Installation): Promise<void> {
  const isAt = async (kind: Kind, digest: RegExp) => digest.test(await create(world, kind))
  await waitFor(
    async () => (await isAt('track', /v1\.4\.2@sha256/)) && (await isAt('patching', /@sha256:bbb/)),
    { timeout: 60_000, what: 'all webhooks are asked' },
  )
  await delay(2_000)
}

/** Creates a Deployment, in a dry run unless told otherwise. Gives its first image. */
async function create(
  { admin, image }: Installation,
  kind: Kind,
  query = '?dryRun=All',
): Promise<string> {
  const images = ['acme/web:v1.3.0', 'acme/web:v1.4.1', 'acme/web:v1.4.2'].map(image)
  const { status, body } = await admin.call(
    'POST',
    `/apis/apps/v1/namespaces/${kind}/deployments${query}`,
    deployment({ images, namespace: kind }),
  )
  if (status !== 201) throw new Error(`${kind}: ${status} ${body['message']}`)
  type Shape = { spec: { template: { spec: { containers: { image: string }[] } } } }
  return (body as unknown as Shape).spec.template.spec.containers[0]?.image ?? ''
}

/** Changes something else than an image, in a dry run. */
async function update({ admin }: Installation, kind: Kind): Promise<void> {
  const { status, body } = await admin.call(
    'PATCH',
    `/apis/apps/v1/namespaces/${kind}/deployments/web?dryRun=All`,
    { spec: { template: { metadata: { annotations: { restarted: 'now' } } } } },
    'application/merge-patch+json',
  )
  if (status !== 200) throw new Error(`${kind}: ${status} ${body['message']}`)
}

async function measure(world: Installation, clients: number): Promise<Figure[]> {
  const { none, added } = await timesOf(KINDS, clients, (kind) => create(world, kind))
  const at = clients === 1 ? '1 client' : `${clients} clients`
  return [
    { name: `dry run without webhooks, ${at}`, value: none, unit: 'ms' },
    { name: `bare hooks that do nothing add, ${at}`, value: added('nothing'), unit: 'ms' },
    { name: `bare hooks with a fixed patch add, ${at}`, value: added('patching'), unit: 'ms' },
    { name: `Tagwarden adds where it verifies, ${at}`, value: added('verify'), unit: 'ms' },
    {
      name: `the same, ${at}`,
      value: added('verify') / added('nothing'),
      unit: 'x hooks that do nothing',
      limit: 1.5,
    },
    { name: `Tagwarden adds where it patches, ${at}`, value: added('track'), unit: 'ms' },
    {
      name: `the same, ${at}`,
      value: added('track') / added('patching'),
      unit: 'x hooks with a fixed patch',
      limit: 1.5,
    },
    {
      name: `the same, ${at}`,
      value: added('track') / added('nothing'),
      unit: 'x hooks that do nothing',
    },
  ]
}

async function measureUpdates(world: Installation, clients: number): Promise<Figure[]> {
  const { none, added } = await timesOf(SETTLED, clients, (kind) => update(world, kind))
  const at = clients === 1 ? '1 client' : `${clients} clients`
  return [
    { name: `update without webhooks, ${at}`, value: none, unit: 'ms' },
    { name: `bare hooks that do nothing add to it, ${at}`, value: added('nothing'), unit: 'ms' },
    { name: `Tagwarden adds to it under Track, ${at}`, value: added('track'), unit: 'ms' },
    {
      name: `the same, ${at}`,
      value: added('track') / added('nothing'),
      unit: 'x hooks that do nothing',
      limit: 1.5,
    },
  ]
}

/** Medians, in ms: of the namespace without webhooks, and what there is more in each other one. */
async function timesOf<K extends Kind>(
  kinds: readonly ('none' | K)[],
  clients: number,
  request: (kind: Kind) => Promise<unknown>,
): Promise<{ readonly none: number; readonly added: (kind: K) => number }> {
  const times = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]))
  for (let round = -4; round < ROUNDS; round += 1) {
    for (let turn = 0; turn < kinds.length; turn += 1) {
      // Each comes after each of the others as often.
      const kind = kinds[(turn + round + 4) % kinds.length] as Kind
      const client = async () => {
        for (let n = 0; n < BLOCK; n += 1) {
          const at = performance.now()
          await request(kind)
          if (round >= 0) times.get(kind)?.push(performance.now() - at)
        }
      }
      await Promise.all(Array.from({ length: clients }, client))
    }
  }
  const none = median(times.get('none') ?? [])
  return { none, added: (kind) => median(times.get(kind) ?? []) - none }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
