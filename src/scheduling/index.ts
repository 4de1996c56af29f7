export { unlessAborted, untilAborted } from './abort.ts'
export { backgroundLane, inSlices, soon } from './slices.ts'
export { setUnreferencedTimer, type Timer } from './timer.ts'
export { createWorkQueue, type WorkQueue, type WorkQueueOptions } from './work_queue.ts'
