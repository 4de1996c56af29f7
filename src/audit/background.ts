import type { ReviewOptions } from '../admission/index.ts'
import type { Cluster, OwnerReference, ResourceName } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import {
  createAutoResetEvent,
  pause,
  setUnreferencedTimer,
  type Timer,
} from '../scheduling/index.ts'
import { audit } from './audit.ts'
import { policyReportsOf } from './policy_reports.ts'
import { publishReports } from './publication.ts'
import type { AuditLog } from './types.ts'

export interface BackgroundAuditOptions {
  readonly cluster: Pick<Cluster, 'pages' | 'serves' | 'create' | 'replace' | 'remove'>
  readonly review: ReviewOptions
  /** of the installation, and of its reports */
  readonly name: string
  readonly version: string
  /** what reports belong to, and are deleted with */
  readonly owner?: () => Promise<OwnerReference | undefined>
  /** ms between two audits */
  readonly interval: number
  /** @returns ends it */
  readonly onPolicies: (listener: () => void) => () => void
  /** of the custom kinds that have configured image fields, as they are served now; rejects never */
  readonly customKinds: () => Promise<readonly ResourceName[]>
  readonly excludedNamespaces: ReadonlySet<string>
  readonly log?: AuditLog | undefined
  readonly clock?: () => number
  readonly timer?: Timer
}

/** What the last audit found, for metrics. */
export interface AuditState {
  /** by policy, namespace and reason, which are joined by NUL */
  readonly series: ReadonlyMap<string, number>
  /** ms since the epoch */
  readonly at: number
}

/** Audits again and again while it leads. */
export interface BackgroundAudit {
  /** Resolves when the signal aborts and nothing runs any more. Never rejects. */
  lead(signal: AbortSignal): Promise<void>
  /** undefined: this replica does not lead, or has not audited yet */
  readonly last: () => AuditState | undefined
}

/** A new leader has other things to do first, ms. */
const FIRST = 30_000
/** Policies that change together are audited together, ms. */
const QUIET = 15_000
/** However often policies change, ms. */
const LEAST_APART = 60_000
/** After one that did not see all, and after one that could not tell all, ms. */
const LOOK_AGAIN = 120_000
const TELL_AGAIN = 600_000
/** So many objects, then a pause: some 200 a second, and reviews go first. */
const BATCH = 20
const PAUSE = 100
/** Between two writes, ms. */
const WRITE_PAUSE = 50

/**
 * Makes the audit in the background: at an interval, and soon after a policy has changed. Its
 * result is one report for each namespace (Report of openreports.io, else PolicyReport of
 * wgpolicyk8s.io, where the cluster has one of them) and figures for metrics.
 */
export function createBackgroundAudit(options: BackgroundAuditOptions): BackgroundAudit {
  const { cluster, interval, name, log } = options
  const { clock = Date.now, timer = setUnreferencedTimer } = options
  let last: AuditState | undefined

  const sleep = (ms: number, signal: AbortSignal) => pause(ms, signal, timer)

  /** @returns ms until the next one */
  async function look(signal: AbortSignal): Promise<number> {
    const startedAt = clock()
    const audited = await audit({
      ...{ cluster, review: options.review, version: options.version, signal, clock },
      customKinds: await options.customKinds(),
      excludedNamespaces: options.excludedNamespaces,
      onlyWhole: true,
      batch: BATCH,
      pause: () => sleep(PAUSE, signal),
    })
    if (signal.aborted) return interval
    const { report, series, isWhole } = audited
    if (!isWhole) {
      const [problem] = report.problems.toReversed()
      log?.warn({ code: 'ERR_CLUSTER' }, `what runs was not all seen: ${problem?.message}`)
      return LOOK_AGAIN
    }
    last = { series, at: clock() }
    const published = await publishReports(policyReportsOf(audited, name), {
      ...{ cluster, name, signal, log },
      owner: await options.owner?.(),
      pause: () => sleep(WRITE_PAUSE, signal),
    })
    const { objects, denied, warned } = report.totals
    const took = clock() - startedAt
    for (const { place, message } of report.problems) {
      log?.warn({ code: 'ERR_CLUSTER' }, `${place} are not audited: ${message}`)
    }
    log?.info({ objects, denied, warned, took, ...published }, 'what runs was audited')
    return published && published.failed > 0 ? TELL_AGAIN : interval
  }

  return {
    last: () => last,
    async lead(signal) {
      const change = createAutoResetEvent()
      const stop = options.onPolicies(change.set)
      let wait = FIRST
      try {
        while (!signal.aborted) {
          // Policies that change are waited for until they have been quiet for a while.
          if (await change.wait(wait, signal, timer)) await sleep(QUIET, signal)
          if (signal.aborted) break
          // What changed while it was quiet waits no longer: the audit sees it all.
          change.reset()
          const next = await look(signal).catch((error) => {
            if (!signal.aborted) {
              log?.warn({ code: 'ERR_CLUSTER' }, `no audit: ${describeError(error)}`)
            }
            return LOOK_AGAIN
          })
          wait = Math.min(interval, next)
          if (!signal.aborted) await sleep(Math.min(LEAST_APART, wait), signal)
          wait = Math.max(0, wait - LEAST_APART)
        }
      } finally {
        stop()
        last = undefined
      }
    },
  }
}
