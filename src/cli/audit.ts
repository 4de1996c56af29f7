import {
  type Audited,
  type AuditOptions,
  type AuditProgress,
  audit as auditCluster,
} from '../audit/index.ts'
import { type Cluster, NAMESPACES, openCluster } from '../cluster/index.ts'
import { type Config, excludedNamespaces, loadConfig } from '../config/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import type { PolicySet } from '../policies/types.ts'
import type { Form, Report, ReportProblem } from '../reports/index.ts'
import { type AuditPolicies, readAuditPolicies } from './audit_policies.ts'
import { chosenCluster } from './cluster_choice.ts'
import { openClusterFacts, ownIndex } from './cluster_facts.ts'
import { customKindsFinder } from './custom_kinds.ts'
import { onInterruption } from './interruption.ts'
import { outputClosed, type Streams } from './output.ts'
import { createProgress, timeLeft } from './progress.ts'
import { exitCodeOf, parseReportFiles, shownReport, writeReports } from './report_output.ts'
import { reviewSettings } from './review_settings.ts'
import { createStops } from './stops.ts'

/** Options of `tagwarden audit` as the command line gives them. */
export interface AuditCommandOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespace?: string
  readonly selector?: string
  readonly policy?: string
  readonly policies?: readonly string[]
  readonly whatIf?: readonly string[]
  readonly offline?: boolean
  readonly watch?: boolean
  readonly config?: string
  readonly failOn: 'deny' | 'warn'
  readonly output: Form
  readonly report?: readonly string[]
  readonly version: string
}

/** Everything that one look at the cluster takes. */
export interface AuditRun {
  readonly cluster: Cluster
  readonly config: Config
  readonly options: AuditCommandOptions
  /** Looks once; policies and index are read anew. */
  look(signal: AbortSignal): Promise<Audited>
}

/**
 * `tagwarden audit`: what runs in a cluster, judged as at admission.
 *
 * @returns exit code: 0 all right, 1 violations, 2 something could not be looked at, 130 stopped
 * @throws TagwardenError when nothing can be looked at
 */
export async function audit(options: AuditCommandOptions, streams: Streams): Promise<number> {
  const files = parseReportFiles(options.report ?? [])
  if (options.watch && options.whatIf) {
    throw new TagwardenError('ERR_USAGE', '--watch and --what-if do not go together')
  }
  const config = await loadConfig({ file: options.config, env: process.env, cwd: process.cwd() })
  const stops = createStops()
  const interruption = onInterruption()
  const { signal } = interruption
  stops.add(() => interruption.end())
  try {
    const cluster = await openCluster(chosenCluster(options, config))
    stops.add(() => cluster.close())
    const run: AuditRun = {
      ...{ cluster, config, options },
      look: (signal) => look({ cluster, config, options }, signal, streams),
    }
    if (options.watch) {
      const { watchAudit } = await import('./audit_watch.ts')
      const until = AbortSignal.any([signal, outputClosed])
      return await watchAudit(run, files, until, streams)
    }
    const { report } = await run.look(signal)
    const code = exitCodeOf(report, options.failOn)
    streams.out(shownReport(report, options.output, process.stdout))
    const written = await writeReports(report, files, code, streams)
    return written || report.interrupted ? code : 2
  } finally {
    await stops.all()
  }
}

async function look(
  { cluster, config, options }: Omit<AuditRun, 'look'>,
  signal: AbortSignal,
  streams: Streams,
): Promise<Audited> {
  const progress = createProgress(process.stderr)
  const startedAt = Date.now()
  const { namespace, selector } = options
  const onProblem = (message: string) => streams.err(`tagwarden: ${message}\n`)
  try {
    progress.show(() => 'reading policies')
    await checkNamespace(cluster, namespace, signal)
    const policies = await readAuditPolicies(cluster, config, options, signal)
    checkPolicy(policies, options.policy)
    progress.show(() => 'reading the index')
    const facts = await openClusterFacts({
      ...{ cluster, config, signal, onProblem },
      path: ownIndex(config),
      isShared: policies.isServed,
      offline: options.offline === true,
    })
    try {
      const customKinds = await customKindsFinder(cluster, config, onProblem)()
      const audited = await auditCluster({
        cluster,
        review: {
          policies: () => policies.set,
          source: facts.sourceFor,
          ...reviewSettings(config),
          namespaceLabels: policies.namespaceLabels,
        },
        ...{ whatIf: policies.whatIf, customKinds, namespace, selector, policy: options.policy },
        excludedNamespaces: new Set(excludedNamespaces(config.cluster)),
        version: options.version,
        signal,
        // who does not watch need not have everything counted
        onProgress: process.stderr.isTTY
          ? (now) => progress.show(() => progressLine(now, facts.lookUps(), Date.now() - startedAt))
          : undefined,
      })
      return { ...audited, report: withProblems(audited.report, policies) }
    } finally {
      await facts.close()
    }
  } catch (error) {
    if (signal.aborted) return await nothing(signal, startedAt, options.version)
    throw error
  } finally {
    progress.end()
  }
}

/** Stopped before anything was looked at. */
async function nothing(signal: AbortSignal, startedAt: number, version: string): Promise<Audited> {
  const options: Pick<AuditOptions, 'cluster' | 'review' | 'version' | 'signal'> = {
    cluster: { async *pages() {} },
    review: {} as AuditOptions['review'],
    version,
    signal,
  }
  const audited = await auditCluster(options)
  return { ...audited, report: { ...audited.report, startedAt } }
}

/** What is wrong with policies is said, and does not keep the others from counting. */
function withProblems(report: Report, { problems, notes }: AuditPolicies): Report {
  const wrong = problems.map(
    (error): ReportProblem => ({
      code: error.code,
      place: error.position?.file ?? 'policies',
      line: error.position?.line,
      column: error.position?.column,
      message: describeError(
        new TagwardenError(error.code, error.message, {
          remedy: error.remedy,
          position: error.position?.field ? { file: '', field: error.position.field } : undefined,
        }),
      ).replace(/^: /, ''),
    }),
  )
  return {
    ...report,
    problems: [...wrong, ...report.problems],
    notes: [...notes, ...(report.notes ?? [])],
  }
}

async function checkNamespace(
  cluster: Cluster,
  namespace: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (namespace === undefined) return
  const found = await cluster
    .get(NAMESPACES, { name: namespace }, { signal })
    .catch((error: { answer?: number }) => {
      if (error.answer === 403) return 'unknown'
      throw error
    })
  if (found === undefined) {
    throw new TagwardenError('ERR_USAGE', `there is no namespace ${namespace} in ${cluster.server}`)
  }
}

/** A name that no policy has would find nothing, as if all were well. */
function checkPolicy({ set, whatIf }: AuditPolicies, name: string | undefined): void {
  if (name === undefined) return
  const has = ({ policies }: PolicySet) =>
    policies.some((policy) => policy.name === name || policy.title === name)
  if (has(set) || (whatIf && has(whatIf))) return
  const known = [...set.policies, ...(whatIf?.policies ?? [])].slice(0, 10)
  throw new TagwardenError('ERR_USAGE', `no policy in force is called ${name}`, {
    remedy:
      known.length === 0
        ? 'There is none in force at all'
        : `Write a name, such as ${known[0]?.name}, or a title, such as "${known[0]?.title}"`,
  })
}

/** @param took ms */
function progressLine(now: AuditProgress, lookUps: number, took: number): string {
  const { looking, objects, findings, read, all } = now
  const number = (value: number) => value.toLocaleString('en')
  const parts = [
    `${looking}: ${number(read)}${all === undefined ? '' : ` of ${number(Math.max(read, all))}`} read`,
    `${number(objects)} objects`,
    `${number(findings)} findings`,
    ...(lookUps > 0 ? [`${number(lookUps)} registry look-ups`] : []),
    all === undefined ? '' : timeLeft(read, all, took),
  ]
  return parts.filter((part) => part !== '').join(', ')
}
