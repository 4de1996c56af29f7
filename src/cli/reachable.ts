import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, ClusterError, IMAGE_POLICIES } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import type { Log } from './log.ts'

/** As long as that, in ms; the chart's startup probe waits a little longer. */
const PATIENCE = 150_000
/** An API server that has just started forbids everything until it has read the roles. */
const FORBIDDEN_PATIENCE = 10_000
const PAUSE = 2_000

/**
 * Waits until the API server answers: when a whole cluster starts, it may come after its pods, and
 * a process that ended would be started again ever later.
 *
 * @throws ClusterError when it does not answer in time, or does not know this account
 */
export async function untilReachable(
  cluster: Pick<Cluster, 'serves'>,
  log: Pick<Log, 'info' | 'warn'>,
  {
    clock = () => performance.now(),
    sleep = (ms: number): Promise<unknown> => delay(ms),
  }: { readonly clock?: () => number; readonly sleep?: (ms: number) => Promise<unknown> } = {},
): Promise<void> {
  const end = clock() + PATIENCE
  let forbiddenSince: number | undefined
  for (let isTold = false; ; isTold = true) {
    try {
      await cluster.serves(IMAGE_POLICIES)
      if (isTold) log.info({}, 'the API server answers')
      return
    } catch (error) {
      if (!(error instanceof ClusterError) || clock() >= end) throw error
      if (error.answer === 403) {
        forbiddenSince ??= clock()
        if (clock() - forbiddenSince >= FORBIDDEN_PATIENCE) return
      } else if (error.answer !== 0 && error.answer < 500) throw error
      if (!isTold) log.warn({ code: error.code }, `waiting: ${describeError(error)}`)
      await sleep(PAUSE)
    }
  }
}
