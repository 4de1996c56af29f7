import type { PromotionWindow } from '../policies/index.ts'
import { lastFiring, nextFiring } from './firing.ts'

/** Whether workloads may be moved at an instant. No windows at all: always. */
export function isOpen(windows: readonly PromotionWindow[], now: number): boolean {
  return windows.length === 0 || windows.some((window) => openedAt(window, now) !== undefined)
}

/** When the next window opens after an instant, in ms since the epoch; undefined if none does. */
export function opensAt(windows: readonly PromotionWindow[], now: number): number | undefined {
  const openings = windows.flatMap(({ cron, timeZone }) => nextFiring(cron, timeZone, now) ?? [])
  return openings.length === 0 ? undefined : Math.min(...openings)
}

function openedAt({ cron, timeZone, duration }: PromotionWindow, now: number): number | undefined {
  return lastFiring(cron, timeZone, now, now - duration)
}
