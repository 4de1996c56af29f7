import type { Report } from './types.ts'
import { countOf } from './words.ts'

/** What a person wants to know first, and how bad it is. */
export interface Headline {
  readonly words: string
  readonly level: 'deny' | 'warn' | 'fine'
}

/** The worst that a report says, in a few words. */
export function headlineOf(report: Report): Headline {
  const { totals, problems, interrupted, difference } = report
  const { newlyDenied, newlyWarned } = difference ?? {}
  const denied = newlyDenied ?? totals.denied
  const warned = newlyWarned ?? totals.warned
  const would = difference ? 'would be newly denied' : 'not permitted'
  if (denied > 0) return { words: `${countOf(denied, 'image')} ${would}`, level: 'deny' }
  if (interrupted) return { words: 'Stopped before its end', level: 'warn' }
  const unseen = problems.length
  if (unseen > 0) return { words: `${countOf(unseen, 'place')} not looked at`, level: 'warn' }
  const more = difference ? 'would get new warnings' : 'with warnings'
  if (warned > 0) return { words: `${countOf(warned, 'image')} ${more}`, level: 'warn' }
  const words = difference ? 'Nothing would be newly denied' : 'Every image is permitted'
  return { words, level: 'fine' }
}
