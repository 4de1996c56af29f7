import type { DigestSeen, RepositorySnapshot } from '../decisions/index.ts'
import { shortTag } from './nearest_losers.ts'

/** Something that happened to a repository, as far as the index knows. Times are ms since the epoch. */
export type TimelineEvent =
  | { readonly at: number; readonly event: 'begun' | 'seen'; readonly tags: readonly string[] }
  | {
      readonly at: number
      readonly event: 'moved'
      readonly tag: string
      readonly from: DigestSeen
      readonly to: DigestSeen
    }
  | ({ readonly at: number; readonly event: 'promoted' } & PromotionFact)

/** Running workloads were moved. */
export interface PromotionFact {
  readonly policy: string
  readonly tag: string
  readonly count: number
}

/**
 * What the index has seen of a repository, the newest first: tags that appeared together are one
 * event, and the first of them is when the index began. A registry does not tell when tags were
 * pushed.
 */
export function timelineOf(
  snapshot: RepositorySnapshot | undefined,
  promotions: readonly (PromotionFact & { readonly at: number })[] = [],
): readonly TimelineEvent[] {
  const appeared = new Map<number, string[]>()
  const events: TimelineEvent[] = promotions.map((each) => ({ ...each, event: 'promoted' }))
  for (const tag of snapshot?.tags ?? []) {
    const at = snapshot?.firstSeen(tag)
    if (at === undefined) continue
    const together = appeared.get(at)
    if (together) together.push(tag)
    else appeared.set(at, [tag])
    const history = snapshot?.history(tag) ?? []
    for (const [index, to] of history.entries()) {
      const from = history[index - 1]
      if (from) events.push({ at: to.firstSeen, event: 'moved', tag, from, to })
    }
  }
  const first = Math.min(...appeared.keys())
  for (const [at, tags] of appeared) {
    events.push({ at, event: at === first ? 'begun' : 'seen', tags })
  }
  return events.sort((a, b) => b.at - a.at)
}

const SHOWN = 12
const SHOWN_TAGS = 5
const LISTED = 100
const LISTED_TAGS = 50

/** For people; empty when nothing is known. */
export function timelineLines(name: string, events: readonly TimelineEvent[]): string[] {
  if (events.length === 0) return []
  const more = events.length - SHOWN
  return [
    `timeline of ${name}, as this index has seen it`,
    ...events.slice(0, SHOWN).flatMap((each) => eventLines(each)),
    ...(more > 0 ? [`  and ${more} before that`] : []),
  ]
}

function eventLines(event: TimelineEvent): string[] {
  const at = `  ${minute(event.at)}  `
  switch (event.event) {
    case 'begun':
      return [`${at}the index began, with ${tagList(event.tags)}`]
    case 'seen':
      return [`${at}first seen: ${tagList(event.tags)}`]
    case 'promoted':
      return [
        `${at}${event.policy} moved ${event.count} ${event.count === 1 ? 'workload' : 'workloads'} to ${event.tag}`,
      ]
    case 'moved': {
      const { tag, from, to } = event
      const indent = ' '.repeat(at.length)
      return [
        `${at}${tag} was pushed again, with another digest`,
        `${indent}from ${from.digest} (since ${minute(from.firstSeen)})`,
        `${indent}to   ${to.digest}`,
      ]
    }
  }
}

function tagList(tags: readonly string[]): string {
  if (tags.length <= SHOWN_TAGS) return tags.map(shortTag).join(', ')
  return `${tags.length.toLocaleString('en')} tags: ${tags.slice(0, SHOWN_TAGS).map(shortTag).join(', ')}, …`
}

/** `2026-11-24 10:15Z` */
function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')}Z`
}

/** The documented JSON form, the newest 100 events. */
export function timelineJson(events: readonly TimelineEvent[]): readonly object[] {
  const iso = (ms: number) => new Date(ms).toISOString()
  return events.slice(0, LISTED).map((event) => {
    const base = { at: iso(event.at), event: event.event }
    if (event.event === 'promoted') {
      const { policy, tag, count } = event
      return { ...base, policy, tag, count }
    }
    if (event.event === 'moved') {
      const { tag, from, to } = event
      return {
        ...base,
        tag,
        from: { digest: from.digest, since: iso(from.firstSeen) },
        to: to.digest,
      }
    }
    return { ...base, count: event.tags.length, tags: event.tags.slice(0, LISTED_TAGS) }
  })
}
