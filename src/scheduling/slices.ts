import type { Work } from '../pieces/index.ts'

/** So long, in ms, work goes on before whatever else waits for the event loop goes first. */
const SLICE = 5
/** So long, in ms, one lane goes on before the next one does. */
const QUANTUM = 1
/** So much work of one lane is under way at a time: what is half done takes memory. */
const ABREAST = 2

interface Task {
  /** Goes on until that time; whether it is over then. */
  run(until: number): boolean
}

/** by name, those that had their turn last at the end; so is work within each */
const lanes = new Map<string, Task[]>()
let isScheduled = false

/**
 * Runs long work a few milliseconds at a time, so that it never keeps others waiting for longer. What
 * it does before it first yields is done at once. Lanes take turns; within one, two take turns
 * at a time, in the order in which they came.
 *
 * @param lane who pays for it: what is done for one namespace does not hold up another one's
 * @param signal gives the work up
 * @throws what the work throws, and the signal's reason when it aborts
 *
 * @example
 *   const ranking = await inSlices('shop', selector.ranking(tags), AbortSignal.timeout(8_000))
 */
export function inSlices<T>(lane: string, work: Work<T>, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const first = work.next()
    if (first.done) {
      resolve(first.value)
      return
    }
    const task: Task = {
      run(until) {
        try {
          do {
            const step = work.next()
            if (!step.done) continue
            signal?.removeEventListener('abort', giveUp)
            resolve(step.value)
            return true
          } while (performance.now() < until)
          return false
        } catch (error) {
          signal?.removeEventListener('abort', giveUp)
          reject(error)
          return true
        }
      },
    }
    const giveUp = () => {
      leave(lane, task)
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    const others = lanes.get(lane)
    if (others) others.push(task)
    else lanes.set(lane, [task])
    schedule()
  })
}

/** Like inSlices(), for who has no use for a promise: what takes no time is told at once. */
export function soon<T>(lane: string, work: Work<T>, then: (result: T) => void): void {
  const first = work.next()
  if (first.done) then(first.value)
  else void inSlices(lane, work).then(then)
}

/** The lane of what is done for a namespace while nobody waits: its reviews have another one. */
export function backgroundLane(namespace: string | undefined): string {
  return `${namespace ?? ''} in the background`
}

function leave(lane: string, task: Task): void {
  const tasks = lanes.get(lane)
  const index = tasks?.indexOf(task) ?? -1
  if (index >= 0) tasks?.splice(index, 1)
  if (tasks?.length === 0) lanes.delete(lane)
}

function schedule(): void {
  if (isScheduled) return
  isScheduled = true
  setImmediate(runSlice)
}

function runSlice(): void {
  isScheduled = false
  let now = performance.now()
  const end = now + SLICE
  for (const [lane, tasks] of lanes) {
    if (now >= end) break
    const [task] = tasks
    if (task?.run(Math.min(end, now + QUANTUM))) leave(lane, task)
    else tasks.splice(ABREAST - 1, 0, ...tasks.splice(0, 1))
    // at the end of the line, where this loop comes to it again if there is time
    if (lanes.delete(lane)) lanes.set(lane, tasks)
    now = performance.now()
  }
  if (lanes.size > 0) schedule()
}
