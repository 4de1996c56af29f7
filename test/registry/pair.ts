import type { Test } from 'tap'
import { TagwardenError } from '../../src/errors.ts'
import {
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
  type RegistrySettings,
} from '../../src/registry/index.ts'
import {
  type FakeRegistry,
  type FakeRegistryOptions,
  startFakeRegistry,
} from '../fakes/registry.ts'

/** A fake registry and a client that may speak plain HTTP to it. */
export interface Pair {
  readonly fake: FakeRegistry
  readonly client: RegistryClient
  /** the fake's name of a repository */
  name(path: string): string
  /** pauses that the client asked its clock for, in ms */
  readonly pauses: number[]
  /** what the client's clock shows; may be changed */
  time: { now: number }
}

/** Starts both, with a clock that does not really wait. */
export async function startPair(
  t: Test,
  fakeOptions: FakeRegistryOptions = {},
  settings: Partial<RegistrySettings> = {},
  options: Partial<RegistryClientOptions> = {},
): Promise<Pair> {
  const fake = await startFakeRegistry(fakeOptions)
  const pauses: number[] = []
  const time = { now: 1_800_000_000_000 }
  const clock = {
    now: () => time.now,
    sleep: async (ms: number, signal: AbortSignal | undefined) => {
      pauses.push(ms)
      signal?.throwIfAborted()
    },
  }
  const client = createRegistryClient({
    settings: [{ host: fake.host, insecure: true, ...settings }],
    clock,
    ...options,
  })
  t.teardown(async () => {
    await client.close()
    await fake.close()
  })
  return { fake, client, name: (path) => `${fake.host}/${path}`, pauses, time }
}

/** The failure that the promise ends with; anything else fails the test. */
export async function failureOf(work: Promise<unknown>): Promise<TagwardenError> {
  try {
    await work
  } catch (error) {
    if (error instanceof TagwardenError) return error
    throw error
  }
  throw new Error('it did not fail')
}

/** A Docker configuration file's text with one entry for the host. */
export function dockerConfig(host: string, entry: object): string {
  return JSON.stringify({ auths: { [host]: entry } })
}

/** `user:password` as `docker login` stores it. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
