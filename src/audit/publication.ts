import {
  CLUSTER_POLICY_REPORTS,
  CLUSTER_REPORTS,
  type Cluster,
  hasReason,
  type OwnerReference,
  POLICY_REPORTS,
  REPORTS,
  type ResourceName,
  typeMetaOf,
} from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import { HASH_ANNOTATION, INSTANCE, MANAGED_BY, type PolicyReport } from './policy_reports.ts'
import type { AuditLog } from './types.ts'

/** What one publication did. */
export interface Published {
  readonly written: number
  readonly removed: number
  /** those that said the same already */
  readonly kept: number
  readonly failed: number
}

/** Where reports are written to: the first that is served. */
const GROUPS = [
  { namespaced: REPORTS, clusterScoped: CLUSTER_REPORTS },
  { namespaced: POLICY_REPORTS, clusterScoped: CLUSTER_POLICY_REPORTS },
] as const

/** Of so many failures each is told; the rest is counted. */
const MOST_TOLD = 5

/**
 * Writes reports where they changed, and removes what an earlier audit left. Only objects that
 * carry the labels of this installation are ever replaced or removed.
 *
 * @param pause before each write, so that it goes at a low pace
 * @returns undefined: the cluster has no kind of report
 */
export async function publishReports(
  reports: readonly PolicyReport[],
  options: {
    readonly cluster: Pick<Cluster, 'serves' | 'pages' | 'create' | 'replace' | 'remove'>
    readonly name: string
    /** what reports belong to, and are deleted with */
    readonly owner?: OwnerReference | undefined
    readonly signal: AbortSignal
    readonly pause: () => Promise<void>
    readonly log?: AuditLog | undefined
  },
): Promise<Published | undefined> {
  const { cluster, name, owner, signal, pause, log } = options
  const counts = { written: 0, removed: 0, kept: 0, failed: 0 }
  let isChosen = false
  for (const { namespaced, clusterScoped } of GROUPS) {
    if (signal.aborted) break
    if (!(await cluster.serves(namespaced))) continue
    // What another group has is of a time when this one was not there yet.
    const wanted = isChosen ? [] : reports
    isChosen = true
    await settle(
      namespaced,
      wanted.filter(({ metadata }) => metadata.namespace !== undefined),
    )
    if (await cluster.serves(clusterScoped)) {
      await settle(
        clusterScoped,
        wanted.filter(({ metadata }) => metadata.namespace === undefined),
      )
    }
  }
  if (counts.failed > MOST_TOLD) {
    log?.warn({ code: 'ERR_CLUSTER' }, `${counts.failed} reports could not be written`)
  }
  return isChosen ? counts : undefined

  async function settle(resource: ResourceName, wanted: readonly PolicyReport[]): Promise<void> {
    const there = new Map<string, { hash: string | undefined; version: string | undefined }>()
    const labelSelector = `${MANAGED_BY}=tagwarden,${INSTANCE}=${name}`
    for await (const page of cluster.pages(resource, { labelSelector, signal })) {
      for (const { metadata } of page) {
        const hash = metadata.annotations?.[HASH_ANNOTATION]
        there.set(keyText(metadata), { hash, version: metadata.resourceVersion })
      }
    }
    for (const report of wanted) {
      const key = keyText(report.metadata)
      const known = there.get(key)
      there.delete(key)
      if (known && known.hash === report.metadata.annotations?.[HASH_ANNOTATION]) {
        counts.kept += 1
        continue
      }
      await attempt(resource, report.metadata, 'written', () => write(resource, report, known))
    }
    for (const key of there.keys()) {
      const [namespace, of = ''] = key.split('/')
      const at = { ...(namespace !== '' && { namespace }), name: of }
      await attempt(resource, at, 'removed', () => cluster.remove(resource, at))
    }
  }

  function write(
    resource: ResourceName,
    report: PolicyReport,
    known: { readonly version: string | undefined } | undefined,
  ): Promise<unknown> {
    const type = typeMetaOf(resource)
    const metadata = { ...report.metadata, ...(owner && { ownerReferences: [owner] }) }
    if (!known) return cluster.create(resource, { ...type, ...report, metadata }, { signal })
    const version = known.version === undefined ? {} : { resourceVersion: known.version }
    const next = { ...type, ...report, metadata: { ...metadata, ...version } }
    return cluster.replace(resource, next, { signal })
  }

  /** One that fails does not keep the others; the next audit tries again. */
  async function attempt(
    { kind }: ResourceName,
    at: { readonly namespace?: string; readonly name: string },
    what: 'written' | 'removed',
    work: () => Promise<unknown>,
  ): Promise<void> {
    if (signal.aborted) return
    await pause()
    try {
      await work()
      counts[what] += 1
    } catch (error) {
      // Its namespace went away meanwhile.
      if (hasReason(error, 'NotFound') || signal.aborted) return
      counts.failed += 1
      if (counts.failed > MOST_TOLD) return
      const title = `${kind} ${keyText(at)}`
      log?.warn({ code: 'ERR_CLUSTER' }, `${title} is not ${what}: ${describeError(error)}`)
    }
  }
}

function keyText({ namespace = '', name }: { namespace?: string; name: string }): string {
  return `${namespace}/${name}`
}
