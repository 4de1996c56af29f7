import { type CronSchedule, parseCron } from './cron.ts'
import { parseDuration } from './duration.ts'
import { type Flaw, quote } from './flaw.ts'
import type { ImagePolicySpec, Promotion } from './types.ts'

type Spec = ImagePolicySpec['promotion']

const known = new Set<string>()
/** There are some 600 zones, and each may be written in any letter case. */
const MOST_KNOWN = 2000

/** What is wrong with the windows of a policy whose fields are right in themselves. */
export function promotionFlaws({ windows }: Spec): Flaw[] {
  return windows.flatMap(({ schedule, timeZone }, index): Flaw[] => {
    const path = ['promotion', 'windows', index]
    const cron = parseCron(schedule)
    const wrong = 'message' in cron ? [{ path: [...path, 'schedule'], ...cron }] : []
    if (isTimeZone(timeZone)) return wrong
    const message = `${quote(timeZone)} is not a time zone that is known here`
    const remedy = 'Write a name of the IANA database, such as UTC or Europe/Berlin'
    return [...wrong, { path: [...path, 'timeZone'], message, remedy }]
  })
}

/** A sound spec, made ready. */
export function compilePromotion({ windows, maxPerMinute, canary }: Spec): Promotion {
  return Object.freeze({
    windows: Object.freeze(
      windows.map(({ schedule, timeZone, duration }) =>
        Object.freeze({
          schedule,
          cron: parseCron(schedule) as CronSchedule,
          timeZone,
          duration: parseDuration(duration)!,
        }),
      ),
    ),
    maxPerMinute,
    canary,
  })
}

function isTimeZone(name: string): boolean {
  if (known.has(name)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
  } catch {
    return false
  }
  if (known.size < MOST_KNOWN) known.add(name)
  return true
}
