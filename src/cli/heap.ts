import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** In bytes: so much the heap grows before all of it is collected … */
const ROOM = 50 * 1024 * 1024
/** … and one that is larger than this by so many percent. */
const LARGE = 128 * 1024 * 1024
const LARGE_GROWTH = 10

/**
 * Keeps the heap of a server near what it needs, from now on. Left to itself, V8 makes objects in
 * the old heap at once where others have lived long: after a second of waiting for a registry that
 * hangs, that is all that thousands of reviews a second leave behind. And it lets a heap that was
 * filled fast grow to four times what is in use.
 */
export function boundHeap(): void {
  setFlagsFromString('--no-allocation-site-pretenuring')
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMajor)) limitGrowth()
  })
  observer.observe({ entryTypes: ['gc'] })
}

function isMajor(entry: PerformanceEntry): boolean {
  const { detail } = entry as PerformanceEntry & { readonly detail?: { readonly kind?: number } }
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR
}

function limitGrowth(): void {
  const { used_heap_size: used } = getHeapStatistics()
  const percent = used > LARGE ? LARGE_GROWTH : Math.round((ROOM / used) * 100)
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}
