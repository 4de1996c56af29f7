import { setImmediate as turn } from 'node:timers/promises'
import { type Catalog, createCatalog } from '../../src/catalog/index.ts'
import { TagwardenError } from '../../src/errors.ts'
import type {
  ManifestDescription,
  RegistryAccess,
  RegistryClient,
} from '../../src/registry/types.ts'
import { createScanner, type Scanner, type ScannerOptions } from '../../src/scanner/index.ts'

export const WEB = 'registry.test/acme/web'
export const START = 1_800_000_000_000
export const INTERVAL = 600_000
/** For waiters that never leave. */
export const PATIENT = new AbortController().signal

/** Lets all go on that waits for nothing but its turn. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 30; turns += 1) await turn()
}

/** A clock and timers that only move when told to. */
export class FakeTime {
  now = START
  readonly #timers = new Set<{ at: number; run: () => void }>()

  clock = (): number => this.now

  timer = (run: () => void, ms: number): (() => void) => {
    const entry = { at: this.now + ms, run }
    this.#timers.add(entry)
    return () => this.#timers.delete(entry)
  }

  get pending(): number {
    return this.#timers.size
  }

  /** Lets the time pass, timers run at their time, and what they start go on. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    for (;;) {
      await settle()
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at)
      if (!next || next.at > end) break
      this.now = Math.max(this.now, next.at)
      this.#timers.delete(next)
      next.run()
    }
    this.now = end
    await settle()
  }
}

/** A registry in memory that does what the test says, and notes what it was asked. */
export class FakeClient implements RegistryClient {
  readonly calls: string[] = []
  readonly repositories = new Map<string, Map<string, string>>()
  readonly platforms = ['linux/amd64']
  /** thrown instead of an answer */
  failure: Error | undefined
  /** never answers, to calls that match if it is a pattern; if deaf, not even to the signal */
  hanging: boolean | 'deaf' | RegExp = false
  /** ids of accesses that get a 401 */
  readonly refused = new Set<string>()
  /** waited for before each answer */
  gate: PromiseWithResolvers<void> | undefined
  active = 0
  mostActive = 0

  async listTags(
    name: string,
    options: {
      signal?: AbortSignal | undefined
      access?: RegistryAccess | undefined
      excludes?: ((tag: string) => boolean) | undefined
    },
  ): Promise<string[]> {
    const tags = await this.#answer(name, `list ${name}`, options)
    return [...tags.keys()].filter((tag) => !options.excludes?.(tag))
  }

  async resolve(
    name: string,
    reference: string,
    options: {
      signal?: AbortSignal | undefined
      platforms?: boolean | undefined
      access?: RegistryAccess | undefined
    },
  ): Promise<ManifestDescription> {
    const what = `${options.platforms ? 'platforms' : 'head'} ${name}:${reference}`
    const digest = (await this.#answer(name, what, options)).get(reference)
    if (!digest) throw notFound(`${name}:${reference}`)
    const platforms = options.platforms ? this.platforms : undefined
    return { digest, mediaType: 'm', platforms }
  }

  async close(): Promise<void> {}

  /** What was asked since the last call. */
  taken(): string[] {
    return this.calls.splice(0).map((call) => call.replaceAll(WEB, 'web'))
  }

  async #answer(
    name: string,
    call: string,
    options: { signal?: AbortSignal | undefined; access?: RegistryAccess | undefined },
  ) {
    const { signal, access } = options
    this.calls.push(access ? `${call} (${access.id} ${access.version})` : call)
    this.active += 1
    this.mostActive = Math.max(this.mostActive, this.active)
    try {
      await turn()
      await this.gate?.promise
      if (access && this.refused.has(access.id)) {
        throw new TagwardenError('ERR_REGISTRY_UNAUTHORIZED', 'registry.test answered 401')
      }
      const { hanging } = this
      const hangs = hanging instanceof RegExp ? hanging.test(call) : hanging
      if (hangs) await hang(hangs === 'deaf' ? undefined : signal)
      if (this.failure) throw this.failure
      const tags = this.repositories.get(name)
      if (!tags) throw notFound(name)
      return tags
    } finally {
      this.active -= 1
    }
  }
}

function notFound(what: string): TagwardenError {
  return new TagwardenError('ERR_REGISTRY_NOT_FOUND', `registry.test has no ${what}`)
}

function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

export function unreachable(): TagwardenError {
  return new TagwardenError('ERR_REGISTRY_UNREACHABLE', 'registry.test refused the connection', {
    remedy: 'Start it',
  })
}

export function digest(hex: string): string {
  return `sha256:${hex.repeat(64)}`
}

export interface Stage {
  readonly time: FakeTime
  readonly client: FakeClient
  readonly catalog: Catalog
  readonly scanner: Scanner
  readonly log: string[]
}

/** A scanner with a fake registry that has WEB with v1 and v2, in a time of its own. */
export function setStage(options: Partial<ScannerOptions> = {}): Stage {
  const time = new FakeTime()
  const client = new FakeClient()
  const catalog = options.catalog ?? createCatalog()
  const log: string[] = []
  client.repositories.set(
    WEB,
    new Map([
      ['v1', digest('1')],
      ['v2', digest('2')],
    ]),
  )
  const note = (level: string) => (_: object, message: string) => log.push(`${level} ${message}`)
  const scanner = createScanner({
    catalog,
    client,
    interval: INTERVAL,
    clock: time.clock,
    timer: time.timer,
    random: () => 0.5,
    log: { debug: () => {}, info: note('info'), warn: note('warn') },
    ...options,
  })
  return { time, client, catalog, scanner, log }
}

export const listWeb = { fact: 'repository', name: WEB } as const

export function manifestOf(tag: string, platforms = false) {
  return { fact: 'manifest', name: WEB, tag, platforms } as const
}
