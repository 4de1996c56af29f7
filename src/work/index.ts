export { unlessAborted, untilAborted } from './abort.ts'
export { setUnreferencedTimer, type Timer } from './timer.ts'
export { createWorkQueue, type WorkQueue, type WorkQueueOptions } from './work_queue.ts'
