import { type Installation, NAMESPACE } from '../test/e2e/installation.ts'
import { nameOf, publishedObjects } from './cluster_index.ts'
import { addNamespace } from './cluster_site.ts'

const OWN = '/apis/tagwarden.io/v1alpha1/namespaces'
const POLICIES_PER_NAMESPACE = 40
const LANES = 16

/** How many of each are made. */
export interface Population {
  readonly policies: number
  readonly repositories: number
}

/**
 * Makes ImageRepositories with indexes, read just now and not due for a day, and policies for them:
 * a tenth are patterns, a fifth of the rules are unlike all others, and some select nothing.
 */
export async function populate(world: Installation, population: Population): Promise<void> {
  const { policies, repositories } = population
  const namespaces = Math.ceil(policies / POLICIES_PER_NAMESPACE)
  await inLanes(namespaces, (n) => addNamespace(world, `team-${n}`))
  const objects = await publishedObjects()
  await inLanes(repositories, (n) => addRepository(world, objects[n] as string))
  await inLanes(policies, (n) => addPolicy(world, n, repositories))
}

async function addRepository(world: Installation, text: string): Promise<void> {
  const { metadata, spec, status } = JSON.parse(text)
  const path = `${OWN}/${NAMESPACE}/imagerepositories`
  await write(world, 'POST', path, {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImageRepository',
    metadata: { name: metadata.name },
    spec: { ...spec, interval: '24h' },
  })
  const now = `${new Date().toISOString().slice(0, 19)}Z`
  const body = { status: { ...status, lastScanTime: now } }
  await write(world, 'PATCH', `${path}/${metadata.name}/status`, body)
}

async function addPolicy(world: Installation, n: number, repositories: number): Promise<void> {
  const name = nameOf(n % repositories)
  const namespace = `team-${Math.floor(n / POLICIES_PER_NAMESPACE)}`
  await write(world, 'POST', `${OWN}/${namespace}/imagepolicies`, {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicy',
    metadata: { name: `app-${n}` },
    spec: {
      images: [n % 10 === 0 ? `${name}*` : name],
      tags: { pattern: '^v(?P<version>[0-9.]+)$', extract: '$version' },
      order: { semver: { range: `>=0.${n % 5 === 0 ? n : n % 40}.0` } },
    },
  })
}

async function write(
  { admin }: Installation,
  method: string,
  path: string,
  body: object,
): Promise<void> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
  const answer = await admin.call(method, path, body, type)
  if (answer.status >= 300 || answer.status === 0) {
    throw new Error(`${method} ${path}: ${answer.status} ${answer.body['message']}`)
  }
}

async function inLanes(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async () => {
    for (let n = next++; n < count; n = next++) await work(n)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}
