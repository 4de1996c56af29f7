import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { waitFor } from '../test/cluster/control-plane.ts'
import type { Installation, Replica } from '../test/e2e/installation.ts'
import type { Figure } from './admission.ts'
import { addNamespace, applyPolicy, startClusterSite } from './cluster_site.ts'
import { review } from './reviews.ts'

const CHANGES = 20
const RANGES = [
  { range: '>=1.2.3 <1.4.0', tag: 'v1.3.0' },
  { range: '>=1.2.3 <2.0.0', tag: 'v1.4.2' },
] as const

/** Measures when a changed policy is in force on each of three replicas. */
export async function benchClusterChange(): Promise<Figure[]> {
  const site = await startClusterSite(3)
  try {
    return await measureChanges(site.world, 'a policy is changed')
  } finally {
    await site.close()
  }
}

/**
 * Changes a policy of the namespace shop, which it makes, and posts reviews to each replica until
 * each of them answers by the new one.
 */
export async function measureChanges(world: Installation, what: string): Promise<Figure[]> {
  await addNamespace(world, 'shop')
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } })
  const body = review({ images: [`${world.image('acme/web')}:v1.2.3`] })
  const answers = async ({ url }: Replica) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await request(`${url}/mutate`, { method: 'POST', dispatcher, headers, body })
    const { response } = (await answer.body.json()) as { response: { patch?: string } }
    return Buffer.from(response.patch ?? '', 'base64').toString()
  }
  const saysSo = async (replica: Replica, tag: string) =>
    (await answers(replica)).includes(`:${tag}@`)
  try {
    for (const { range, tag } of RANGES) {
      await applyPolicy(world, { namespace: 'shop', action: 'Track', range })
      for (const replica of world.replicas) {
        const options = { timeout: 60_000, what: `${replica.identity} answers ${tag}` }
        await waitFor(() => saysSo(replica, tag), options)
      }
    }
    const slowest: number[] = []
    for (let change = 0; change < CHANGES; change += 1) {
      const { range, tag } = RANGES[change % RANGES.length] as (typeof RANGES)[number]
      await applyPolicy(world, { namespace: 'shop', action: 'Track', range })
      const applied = performance.now()
      const takes = world.replicas.map(async (replica) => {
        while (!(await saysSo(replica, tag))) await delay(2)
        return performance.now() - applied
      })
      slowest.push(Math.max(...(await Promise.all(takes))))
    }
    slowest.sort((a, b) => a - b)
    const count = `${world.replicas.length} replicas`
    return [
      {
        name: `${what}: in force on ${count}, slowest of ${CHANGES}`,
        value: slowest.at(-1) ?? Number.NaN,
        unit: 'ms',
        limit: 1_000,
      },
      {
        name: `${what}: in force on ${count}, median`,
        value: slowest[CHANGES / 2] ?? Number.NaN,
        unit: 'ms',
      },
    ]
  } finally {
    await dispatcher.destroy()
  }
}
