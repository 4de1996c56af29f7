import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type FakeRegistry, startFakeRegistry } from '../test/fakes/registry.ts'
import { type LoadResult, load } from './load.ts'
import { type Measured, SHIPPED, startOnCore } from './processes.ts'
import { review } from './reviews.ts'
import { startYardstick } from './yardstick_process.ts'

/** One measured figure. `limit` is what the issue asks for; undefined: for information. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly limit?: number | undefined
}

const ROOT = join(import.meta.dirname, '..')
const SERVER_CORE = 0
const TAGS = Array.from({ length: 200 }, (_, index) => `v1.${Math.floor(index / 10)}.${index % 10}`)
const REPOSITORIES = ['acme/web', 'acme/api', 'acme/side']

interface Site {
  readonly folder: string
  readonly registry: FakeRegistry
  readonly host: string
  readonly server: Measured & { readonly took: number }
  readonly url: string
  readonly ca: string
  close(): Promise<void>
}

/**
 * Starts a webhook with these policies, on the server's core, and a registry here.
 *
 * @param named further repositories that the policies name
 */
async function startSite(
  policies: (host: string) => string,
  named: readonly string[] = [],
): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-bench-'))
  const registry = await startFakeRegistry({
    repositories: Object.fromEntries([
      ...REPOSITORIES.map((name) => [name, TAGS]),
      ...named.map((name) => [name, ['v1.2.3']]),
    ]),
  })
  const host = registry.host
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies/all.yaml'), policies(host))
  writeFileSync(
    join(folder, 'tagwarden.yaml'),
    `listen: { port: 0 }\npolicies: [policies]\ncatalog: { path: catalog }\ncertificates: { path: certs }\nregistries: [{ host: "${host}", insecure: true }]\nlog: { level: error }\n`,
  )
  const server = await startOnCore(
    SERVER_CORE,
    [
      ...SHIPPED.flags,
      join(ROOT, 'bin/tagwarden.js'),
      'serve',
      '--config',
      join(folder, 'tagwarden.yaml'),
    ],
    /listens on (\S+) with/,
    SHIPPED.env,
  )
  const url = /listens on (\S+) with/.exec(server.output())?.[1] ?? ''
  return {
    folder,
    registry,
    host,
    server,
    url,
    ca: readFileSync(join(folder, 'certs/ca.crt'), 'utf8'),
    close: async () => {
      await server.stop()
      await registry.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function policy(
  name: string,
  namespace: string,
  images: readonly string[],
  spec = 'action: Track',
): string {
  return `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  images: ${JSON.stringify(images)}
  order: { semver: { range: ">=1.2.3 <2.0.0" } }
  ${spec}
---
`
}

const track = (host: string) =>
  policy(
    'all',
    'shop',
    REPOSITORIES.map((name) => `${host}/${name}`),
  )
const images = (host: string, tag: string) => REPOSITORIES.map((name) => `${host}/${name}:${tag}`)

interface Cost {
  /** CPU time of the server for one request, in ms */
  readonly each: number
  readonly result: LoadResult
}

/** The least that each cost in some rounds; taken in turn, so that a busy minute meets them all. */
async function leastOf<const Runs extends readonly (() => Promise<Cost>)[]>(
  rounds: number,
  runs: Runs,
): Promise<{ [Index in keyof Runs]: Cost }> {
  const least: Cost[] = []
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, run] of runs.entries()) {
      const cost = await run()
      const best = least[index]
      if (!best || cost.each < best.each) least[index] = cost
    }
  }
  return least as { [Index in keyof Runs]: Cost }
}

async function cpuEach(server: Measured, run: () => Promise<LoadResult>): Promise<Cost> {
  const before = server.cpu()
  const result = await run()
  if (result.failures > 0)
    throw new Error(`${result.failures} requests failed:\n${server.output()}`)
  return { each: (server.cpu() - before) / result.requests, result }
}

/** Reviews on a warm index against a bare server that answers a fixed patch. */
export async function benchReviews(count: number): Promise<Figure[]> {
  const site = await startSite(track)
  const many = await startSite((host) => track(host) + crowd(host), CROWD)
  const yardstick = await startYardstick(SERVER_CORE)
  try {
    const small = review({ images: images(site.host, 'v1.3.0') })
    const bad = review({ images: images(site.host, 'latest') })
    const large = review({ images: images(site.host, 'v1.3.0'), ballast: 1_500_000 })
    const crowded = review({ images: images(many.host, 'v1.3.0') })
    const post = (at: Site, path: string, body: Buffer, requests: number, connections = 16) =>
      load({ url: `${at.url}${path}`, ca: at.ca, body: () => body, connections, count: requests })
    const bare = (body: Buffer, requests: number, connections = 16) =>
      load({
        url: `${yardstick.url}/mutate`,
        ca: yardstick.ca,
        body: () => body,
        connections,
        count: requests,
      })
    await post(site, '/mutate', small, count)
    await post(site, '/validate', bad, count)
    await post(many, '/mutate', crowded, count)
    await bare(small, count)
    await rest(many.server)
    const few = Math.max(50, Math.floor(count / 100))
    const [base, resolved, denied, crowd_, baseLarge, ownLarge] = await leastOf(3, [
      () => cpuEach(yardstick.server, () => bare(small, count)),
      () => cpuEach(site.server, () => post(site, '/mutate', small, count)),
      () => cpuEach(site.server, () => post(site, '/validate', bad, count)),
      () => cpuEach(many.server, () => post(many, '/mutate', crowded, count)),
      () => cpuEach(yardstick.server, () => bare(large, few, 2)),
      () => cpuEach(site.server, () => post(site, '/mutate', large, few, 2)),
    ])
    await post(site, '/mutate', small, 100_000)
    const memory = site.server.memory()
    await post(site, '/mutate', small, 200_000)
    return [
      { name: 'yardstick: CPU of one review', value: base.each, unit: 'ms' },
      {
        name: 'three images resolved by Track',
        value: resolved.each / base.each,
        unit: 'x yardstick',
        limit: 2,
      },
      {
        name: 'the same, p99 at 16 connections',
        value: resolved.result.p99,
        unit: 'ms',
        limit: 10,
      },
      { name: 'yardstick, p99 at 16 connections', value: base.result.p99, unit: 'ms' },
      {
        name: 'a denial of three images',
        value: denied.each / base.each,
        unit: 'x yardstick',
        limit: 2,
      },
      {
        name: '10,000 policies in 1,000 namespaces',
        value: crowd_.each / resolved.each,
        unit: 'x one policy',
        limit: 1.2,
      },
      {
        name: 'a 1.5 MB object',
        value: ownLarge.each / baseLarge.each,
        unit: 'x yardstick',
        limit: 1.5,
      },
      {
        name: 'memory after 200,000 more reviews',
        value: site.server.memory() - memory,
        unit: 'MiB more',
        limit: 20,
      },
      { name: 'memory with 10,000 policies', value: many.server.memory(), unit: 'MiB' },
      { name: 'ready with 10,000 policies after', value: many.server.took, unit: 'ms' },
    ]
  } finally {
    await site.close()
    await many.close()
    await yardstick.close()
  }
}

/** Waits until a server has scanned all that its policies name: that is no cost of a review. */
async function rest(server: Measured): Promise<void> {
  for (let seconds = 0; seconds < 300; seconds += 1) {
    const before = server.cpu()
    await delay(1_000)
    if (server.cpu() - before <= 20) return
  }
  throw new Error('the server does not come to rest')
}

/** A repository for eight of ten policies in each of 1,000 namespaces. */
const CROWD = Array.from({ length: 8_000 }, (_, n) => `team-${Math.floor(n / 8)}/app-${n % 8}`)

function crowd(host: string): string {
  const policies = CROWD.map((name) => {
    const [namespace = '', app = ''] = name.split('/')
    return policy(app, namespace, [`${host}/${name}`])
  })
  for (let namespace = 0; namespace < 1_000; namespace += 1) {
    for (const name of ['all', 'more']) {
      policies.push(policy(name, `team-${namespace}`, [`${host}/team-${namespace}/*`]))
    }
  }
  return policies.join('')
}

const WARM_UP = 50

/** One review of three images that nobody asked for before, with the registry 50 ms away. */
export async function benchCold(): Promise<Figure[]> {
  const times: number[] = []
  for (let round = 0; round < 5; round += 1) {
    // Globs, so that nothing is scanned before it is asked for.
    const site = await startSite((host) => policy('all', 'shop', [`${host}/acme/*`]))
    try {
      // The registry stands for one that has been running for long.
      for (let index = 0; index < WARM_UP; index += 1) {
        await (await fetch(`${site.registry.origin}/v2/acme/web/tags/list`)).text()
        await fetch(`${site.registry.origin}/v2/acme/web/manifests/v1.3.0`, { method: 'HEAD' })
      }
      site.registry.faults = { delay: 50 }
      const warmUp = review({ images: ['other.example.com/x:v1', 'other.example.com/y:v1'] })
      const cold = review({ images: images(site.host, 'v1.3.0') })
      const result = await load({
        url: `${site.url}/mutate`,
        ca: site.ca,
        body: (index) => (index < WARM_UP ? warmUp : cold),
        connections: 1,
        count: WARM_UP + 1,
      })
      times.push(result.last)
    } finally {
      await site.close()
    }
  }
  times.sort((a, b) => a - b)
  return [
    {
      name: 'three cold images, registry 50 ms away (median of 5)',
      value: times[2] ?? Number.NaN,
      unit: 'ms',
      limit: 120,
    },
  ]
}

/** A registry that hangs, 64 connections for a while, every image another one. */
export async function benchHang(seconds: number): Promise<Figure[]> {
  const site = await startSite((host) => policy('all', 'shop', [`${host}/acme/*`]))
  try {
    const usual = review({ images: ['other.example.com/x:v1'] })
    const hanging = (index: number) =>
      review({ images: [0, 1, 2].map((image) => `${site.host}/acme/r${index}-${image}:v1.3.0`) })
    const url = `${site.url}/mutate?timeout=2s`
    await load({ url, ca: site.ca, body: () => usual, connections: 64, count: 20_000 })
    const before = site.server.memory()
    site.registry.faults = { hang: true }
    const result = await load({
      url,
      ca: site.ca,
      body: (index) => (index < WARM_UP * 20 ? usual : hanging(index)),
      connections: 64,
      warmUp: WARM_UP * 20,
      seconds,
    })
    return [
      {
        name: `registry hangs, 64 connections, ${seconds} s: slowest answer (2 s allowed)`,
        value: result.slowest,
        unit: 'ms',
        limit: 2000,
      },
      { name: 'the same: failures', value: result.failures, unit: '', limit: 0 },
      { name: 'the same: answers', value: result.requests, unit: '' },
      {
        name: 'the same: memory, from before it hung to the end',
        value: site.server.memory() - before,
        unit: 'MiB more',
        limit: 20,
      },
    ]
  } finally {
    await site.close()
  }
}

/** The embedded default, as `npm start` runs it. */
export async function benchStart(): Promise<Figure[]> {
  const times: number[] = []
  let idle = 0
  for (let round = 0; round < 5; round += 1) {
    const server = await startOnCore(
      SERVER_CORE,
      [...SHIPPED.flags, join(ROOT, 'scripts/start.js')],
      /Try/,
      { ...SHIPPED.env, TAGWARDEN_LISTEN_PORT: '0' },
    )
    times.push(server.took)
    if (round === 4) {
      await delay(5_000)
      idle = server.memory()
    }
    await server.stop()
  }
  times.sort((a, b) => a - b)
  return [
    {
      name: 'npm start: ready after (median of 5)',
      value: times[2] ?? Number.NaN,
      unit: 'ms',
      limit: 1000,
    },
    { name: 'npm start: idle', value: idle, unit: 'MiB', limit: 120 },
  ]
}
