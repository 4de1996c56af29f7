import {
  type Defaults,
  type FactFailure,
  type FactNeed,
  type FactSource,
  type Facts,
  type ManifestFact,
  needKey,
  type RepositorySnapshot,
} from '../../src/decisions/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { compileRule } from '../../src/tags/index.ts'
import type { TagRule } from '../../src/tags/types.ts'

/** The moment at which all tests decide. */
export const NOW = Date.UTC(2026, 10, 24, 12)
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/** What comes of asking a registry that is down, and of asking one for what it does not have. */
export const DOWN: FactFailure = {
  code: 'ERR_REGISTRY_UNREACHABLE',
  message: 'ghcr.io refused the connection',
  at: NOW,
}
export const GONE: FactFailure = {
  code: 'ERR_REGISTRY_NOT_FOUND',
  message: 'ghcr.io answered 404',
  at: NOW,
}

/** The built-in defaults, in their strictest form. */
export const DEFAULTS: Defaults = {
  latest: 'Deny',
  unmatched: 'Allow',
  enforcement: 'Enforce',
  ownedObjects: 'Enforce',
}

/** A digest that is easy to tell apart: `digest('a')` is 64 times a. */
export function digest(letter: string): string {
  return `sha256:${letter.repeat(64)}`
}

/** What the fake registry knows of a tag. */
export interface FakeTag {
  digest?: string
  /** digests it had before, oldest first */
  before?: string[]
  platforms?: string[]
  firstSeen?: number
  checkedAt?: number
}

/** A snapshot over plain data. */
export function snapshot(
  name: string,
  tags: Record<string, FakeTag>,
  more: { scannedAt?: number; failure?: FactFailure; unlisted?: Record<string, FakeTag> } = {},
): RepositorySnapshot {
  const listed = new Map(Object.entries(tags))
  const all = new Map([...listed, ...Object.entries(more.unlisted ?? {})])
  const scannedAt = more.scannedAt ?? NOW - 3 * MINUTE
  const manifest = (tag: string): ManifestFact | undefined => {
    const known = all.get(tag)
    return known?.digest === undefined
      ? undefined
      : {
          digest: known.digest,
          platforms: known.platforms,
          checkedAt: known.checkedAt ?? (listed.has(tag) ? scannedAt : NOW),
        }
  }
  const history = (tag: string) => {
    const known = all.get(tag)
    const digests = [...(known?.before ?? []), ...(known?.digest ? [known.digest] : [])]
    const first = known?.firstSeen ?? NOW - 48 * HOUR
    return digests.map((value, index) => ({ digest: value, firstSeen: first + index * HOUR }))
  }
  return {
    name,
    revision: 'f00d',
    scannedAt,
    tags: [...listed.keys()].sort(),
    change: undefined,
    has: (tag) => listed.has(tag),
    firstSeen: (tag) =>
      listed.has(tag)
        ? (listed.get(tag)?.firstSeen ?? NOW - 48 * HOUR)
        : history(tag)[0]?.firstSeen,
    manifest,
    history,
    tagsOf: (value) =>
      [...all.keys()].sort().filter((tag) => history(tag).some((seen) => seen.digest === value)),
    failure: more.failure,
  }
}

/** Facts in memory; needs that fail are given by key. */
export function facts(
  snapshots: readonly RepositorySnapshot[],
  failures: Record<string, FactFailure> = {},
): Facts {
  const byName = new Map(snapshots.map((entry) => [entry.name, entry]))
  return {
    snapshot: (name) => byName.get(name),
    failure: (need) => failures[needKey(need)],
    now: NOW,
  }
}

/** A source that has all it will ever have; what is asked for is written down. */
export function source(
  snapshots: readonly RepositorySnapshot[],
  gather: (need: FactNeed, signal: AbortSignal) => Promise<FactFailure | undefined> = async () => ({
    code: 'ERR_REGISTRY_UNREACHABLE',
    message: 'ghcr.io refused the connection',
    at: NOW,
  }),
): FactSource & { asked: string[]; snapshots: Map<string, RepositorySnapshot> } {
  const byName = new Map(snapshots.map((entry) => [entry.name, entry]))
  const asked: string[] = []
  return {
    asked,
    snapshots: byName,
    snapshot: (name) => byName.get(name),
    gather: (need, signal) => {
      asked.push(needKey(need))
      return gather(need, signal)
    },
  }
}

/** A compiled policy over exact names; semver `>=1.2.3 <2.0.0` unless told otherwise. */
export function policy(
  options: Partial<Omit<CompiledPolicy, 'selector'>> & { rule?: Partial<TagRule> } = {},
): CompiledPolicy {
  const { rule, ...rest } = options
  const images = rest.images ?? ['ghcr.io/acme/web']
  const kind = rest.kind ?? 'ImagePolicy'
  const name = rest.name ?? 'web'
  const namespace = kind === 'ImagePolicy' ? (rest.namespace ?? 'shop') : undefined
  return {
    kind,
    namespace,
    name,
    title: namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`,
    position: undefined,
    images,
    selector: compileRule({
      allow: [],
      ignore: [],
      order: { semver: { range: '>=1.2.3 <2.0.0' } },
      ...rule,
    }),
    action: 'Verify',
    reference: 'TagAndDigest',
    latest: 'Deny',
    enforcement: 'Enforce',
    whenRegistryFails: 'UseCached',
    movedTags: 'Warn',
    minimumAge: 0,
    allowDowngrade: false,
    platforms: [],
    promote: 'OnApply',
    promotion: { windows: [], maxPerMinute: 0, canary: 0 },
    onUnavailable: 'Allow',
    exceptions: kind === 'ImagePolicy' ? 'Allow' : 'Deny',
    kinds: [],
    namespaceSelector: undefined,
    covers: (image) => images.includes(image),
    judged: () => true,
    specificity: (image) => (images.includes(image) ? image.length : 0),
    ...rest,
  }
}

/** The policy, but it refuses what it had let be chosen, as none should: a net has to hold then. */
export function refusingResults(policy: CompiledPolicy): CompiledPolicy {
  const { selector } = policy
  const refused = (tag: string) => ({ permitted: false, tag, reason: 'OutOfRange' }) as const
  return {
    ...policy,
    selector: {
      rule: selector.rule,
      description: selector.description,
      judge: (tag, digestOf) => (digestOf ? selector.judge(tag, digestOf) : refused(tag)),
      outranks: (a, b) => selector.outranks(a, b),
      rank: (tags, digestOf) => selector.rank(tags, digestOf),
      rerank: (previous, change, digestOf) => selector.rerank(previous, change, digestOf),
      ranking: (tags, digestOf) => selector.ranking(tags, digestOf),
      reranking: (previous, change, digestOf) => selector.reranking(previous, change, digestOf),
    },
  }
}
