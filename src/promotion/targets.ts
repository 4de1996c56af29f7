import {
  firstSeen,
  followedTag,
  isAnswer,
  type RepositorySnapshot,
  ranking,
} from '../decisions/index.ts'
import type { Work } from '../pieces/index.ts'
import type { CompiledPolicy } from '../policies/index.ts'

/** What a policy would move to, as far as the index alone tells. */
export interface Target {
  /** changes whenever workloads may have to be looked at */
  readonly key: string
  /** when the key changes by time alone, in ms since the epoch */
  readonly ripensAt: number | undefined
}

/** So many tags are looked at before others may go first. */
const AT_ONCE = 256

/** Whether a policy moves running workloads. */
export function isContinuous({ promote, action, enforcement }: CompiledPolicy): boolean {
  return promote === 'Continuously' && action === 'Track' && enforcement !== 'Audit'
}

/**
 * What to compare after each scan, so that workloads are listed only when there may be something
 * to do.
 *
 * @param since when this process began to lead, ms since the epoch
 * @param all every policy that covers the repository: how old a tag must be, all of them say
 * @returns undefined while the registry fails, or nothing is known
 */
export function* targetOf(
  policy: CompiledPolicy,
  snapshot: RepositorySnapshot | undefined,
  all: readonly CompiledPolicy[],
  { now, since }: { readonly now: number; readonly since: number },
): Work<Target | undefined> {
  if (!snapshot || snapshot.scannedAt === 0 || snapshot.failure) return undefined
  if ('digest' in policy.selector.rule.order) {
    const tag = followedTag(policy)
    const fact = tag === undefined ? undefined : snapshot.manifest(tag)
    // What was read before this process led counts for nothing here: see isCertain.
    const fresh = fact !== undefined && fact.checkedAt >= since
    return { key: fresh ? `${tag} ${fact.digest}` : '', ripensAt: undefined }
  }
  const { permitted } = yield* ranking(policy.selector, snapshot)
  // by what they say of age: a tag that was pushed again is as old as that, unless it may move
  const elders = new Map(
    [...all, policy].map((each) => [`${each.minimumAge} ${each.movedTags === 'Allow'}`, each]),
  )
  const keys: string[] = []
  let ripensAt: number | undefined
  for (const elder of elders.values()) {
    const age = elder.minimumAge
    let ripe = ''
    for (const [index, { tag }] of permitted.entries()) {
      if (index % AT_ONCE === AT_ONCE - 1) yield
      if (!isAnswer(policy, tag)) continue
      const at = age === 0 ? now : firstSeen(snapshot, elder, tag, now) + age
      if (at <= now) {
        ripe = tag
        break
      }
      ripensAt = Math.min(at, ripensAt ?? at)
    }
    keys.push(ripe)
  }
  // Which platforms a tag has, only its manifest tells.
  const dependent = all.some(({ platforms }) => platforms.length > 0)
  return { key: keys.join(' ') + (dependent ? ` ${snapshot.revision}` : ''), ripensAt }
}
