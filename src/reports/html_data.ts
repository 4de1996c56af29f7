import { ROW_LEVELS, type Row } from './html_rows.ts'
import { isoTime } from './moment.ts'
import { plain } from './plain.ts'
import { FINDING_CODES, REASON_HELP } from './reason_help.ts'
import type { Report, ReportFunnel } from './types.ts'

const LONGEST_TEXT = 2000
const MAX_LOSERS = 10

/** What page/entries.ts calls PageData: each text once, rows as places in their list. */
export function pageData(report: Report, rows: readonly Row[]) {
  const places = new Map<string, number>([['', 0]])
  const texts = ['']
  const place = (text: string): number => {
    const known = places.get(text)
    if (known !== undefined) return known
    places.set(text, texts.length)
    return texts.push(plain(text, LONGEST_TEXT)) - 1
  }
  const keys = Object.keys(report.funnels)
  const funnels = new Map(keys.map((key, index) => [key, index]))
  const packed = rows.map((row) => [
    ROW_LEVELS.indexOf(row.level),
    ...[row.reason, row.message, row.subject, row.group, row.container, row.image].map(place),
    place(row.use),
    place(row.location?.file ?? ''),
    row.location?.line ?? 0,
    row.location?.column ?? 0,
    ...[row.policy, row.pointer, row.fingerprint].map(place),
    funnels.get(row.funnel ?? '') ?? -1,
  ])
  const used = new Set(rows.map(({ reason }) => reason))
  const reasons = FINDING_CODES.filter((code) => used.has(code)).map((code) => {
    const { short, meaning, remedy } = REASON_HELP[code]
    return [code, [`${short}.`, meaning, remedy]]
  })
  return {
    texts,
    rows: packed,
    reasons: Object.fromEntries(reasons),
    funnels: keys.map((key) => funnelData(report.funnels[key])),
  }
}

function funnelData(funnel: ReportFunnel | undefined) {
  if (funnel === undefined) return undefined
  const { repository, policy, steps, chosen, losers, scannedAt } = funnel
  return {
    repository: short(repository),
    policy: short(policy),
    steps: steps.map(({ label, count }) => [short(label), count]),
    chosen: chosen ? [short(chosen.tag), short(chosen.digest ?? '')] : null,
    losers: losers.slice(0, MAX_LOSERS).map(({ tag, reason }) => [short(tag), short(reason)]),
    scanned: scannedAt === undefined ? 'never read' : momentText(scannedAt),
  }
}

/** `2026-11-12 08:30 UTC`. */
export function momentText(ms: number): string {
  return `${isoTime(ms).slice(0, 16).replace('T', ' ')} UTC`
}

function short(text: string): string {
  return plain(text, LONGEST_TEXT)
}
