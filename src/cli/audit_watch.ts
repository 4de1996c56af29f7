import {
  CLUSTER_IMAGE_POLICIES,
  CRON_JOBS,
  DAEMON_SETS,
  DEPLOYMENTS,
  IMAGE_POLICIES,
  IMAGE_POLICY_EXCEPTIONS,
  PODS,
  type ResourceName,
  STATEFUL_SETS,
} from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import type { Report } from '../reports/index.ts'
import { createAutoResetEvent, pause, setTimer } from '../scheduling/index.ts'
import type { AuditRun } from './audit.ts'
import { createAuditChanges } from './audit_changes.ts'
import { auditTable, screenOf } from './audit_table.ts'
import { isScreen, type Streams } from './output.ts'
import { exitCodeOf, INTERRUPTED, type ReportFile, writeReports } from './report_output.ts'

/** Whose changes are worth another look. */
const WATCHED: readonly ResourceName[] = [
  ...[DEPLOYMENTS, STATEFUL_SETS, DAEMON_SETS, CRON_JOBS, PODS],
]
const POLICIES = [IMAGE_POLICIES, CLUSTER_IMAGE_POLICIES, IMAGE_POLICY_EXCEPTIONS]

/** Changes that come together are looked at together, ms. */
const QUIET = 1_000
/** A look may take a sixth of the time, so that the API server has others to serve. */
const REST = 5
/** Tags move without the cluster knowing: it is looked at again after so long, ms. */
const LONGEST = 60_000

/**
 * Looks again whenever something changes, and shows what there is: a table that is drawn anew on a
 * terminal, else a line for each finding that is new (`+`) or gone (`-`). Ends with the signal.
 *
 * @returns 130; files of `--report` have what the last look gave
 */
export async function watchAudit(
  run: AuditRun,
  files: readonly ReportFile[],
  signal: AbortSignal,
  streams: Streams,
): Promise<number> {
  const { cluster, options } = run
  const isTerminal = isScreen(process.stdout)
  const change = createAutoResetEvent()
  const watches = [
    ...WATCHED.map((resource) => ({ resource, namespace: options.namespace })),
    ...POLICIES.map((resource) => ({ resource, namespace: undefined })),
  ].map(({ resource, namespace }) =>
    cluster.watch(
      resource,
      { namespace, signal },
      { upsert: change.set, remove: change.set, problem: () => {} },
    ),
  )
  let latest: Report | undefined
  const changes = createAuditChanges()
  while (!signal.aborted) {
    change.reset()
    const startedAt = Date.now()
    try {
      const { report } = await run.look(signal)
      if (signal.aborted) break
      if (isTerminal) streams.out(auditTable(report, screenOf(process.stdout)))
      else tellChanges(report)
      latest = report
    } catch (error) {
      if (signal.aborted) break
      // One that never worked is told as such; a cluster that is away for a while comes back.
      if (latest === undefined) throw error
      streams.err(`tagwarden: ${describeError(error)}\n`)
    }
    await pause(Math.max(QUIET, REST * (Date.now() - startedAt)), signal, setTimer)
    await change.wait(LONGEST, signal, setTimer)
  }
  await Promise.all(watches.map((each) => each.close()))
  if (latest && files.length > 0) {
    await writeReports(latest, files, exitCodeOf(latest, options.failOn), streams)
  }
  return INTERRUPTED

  function tellChanges(report: Report): void {
    const { lines, problems } = changes(report)
    for (const problem of problems) streams.err(`tagwarden: ${problem}\n`)
    for (const line of lines) streams.out(`${line}\n`)
  }
}
