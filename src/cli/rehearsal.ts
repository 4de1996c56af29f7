import { createReviewHandlers } from '../admission/index.ts'
import { createCatalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import { startEmbeddedRegistry } from '../embedded/index.ts'
import { describeError } from '../errors.ts'
import { compilePolicies, parsePolicies } from '../policies/index.ts'
import { createRegistryClient } from '../registry/index.ts'
import { createScanner } from '../scanner/index.ts'
import type { Log } from './log.ts'
import { reviewSettings } from './review_settings.ts'

const HOST = 'registry.example.com'
const ROUNDS = 6

/**
 * Plays reviews through on the embedded registry, apart from everything real. Code that ran before
 * is loaded and compiled: without it the first review of a cold image takes 40 ms longer. Never
 * rejects.
 */
export function rehearse(config: Config, log: Log): Promise<void> {
  return play(config).catch((error) =>
    log.warn({ code: 'ERR_LISTEN' }, `the first review will be slower: ${describeError(error)}`),
  )
}

async function play(config: Config): Promise<void> {
  const registry = await startEmbeddedRegistry({ port: 0 })
  const settings = [{ host: HOST, address: registry.host, insecure: true }]
  const client = createRegistryClient({ settings })
  const catalog = createCatalog()
  const source = createScanner({ catalog, client, interval: 3_600_000 })
  try {
    const images = ['acme/web', 'acme/worker', 'acme/migrate'].map((name) => `${HOST}/${name}`)
    const { resources } = parsePolicies(JSON.stringify(policy(images)), 'rehearsal')
    const { set } = compilePolicies(resources)
    const { mutate, validate } = createReviewHandlers({
      policies: () => set,
      source,
      ...reviewSettings(config),
      deadline: 1000,
    })
    for (let round = 0; round < ROUNDS; round += 1) {
      const body = review(images.map((name) => `${name}:${round % 2 ? 'v1.4.2' : 'latest'}`))
      await mutate(body, { timeoutSeconds: 1, received: Date.now() })
      await validate(body, { timeoutSeconds: 1, received: Date.now() })
    }
  } finally {
    await source.stop()
    await client.close()
    await registry.close()
  }
}

function policy(images: readonly string[]): object {
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ClusterImagePolicy',
    metadata: { name: 'rehearsal' },
    spec: { images, tags: { pattern: '^v[0-9.]+$' }, order: { semver: { range: '>=1.0.0' } } },
  }
}

function review(images: readonly string[]): Buffer {
  const containers = images.map((image, index) => ({ name: `c${index}`, image }))
  return Buffer.from(
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: 'rehearsal',
        kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        operation: 'CREATE',
        namespace: 'default',
        name: 'rehearsal',
        object: { metadata: { name: 'rehearsal' }, spec: { template: { spec: { containers } } } },
      },
    }),
  )
}
