import type { ResourceName } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import { auditedKinds } from './kinds.ts'
import { createLook } from './look.ts'
import { createTally } from './tally.ts'
import type { Audited, AuditOptions } from './types.ts'
import { walkWorkloads } from './walk.ts'

/**
 * Judges what runs in a cluster, at the level at which people own it: see walkWorkloads(). A kind
 * that may not be read is a problem in the report, and the others are looked at.
 *
 * @throws ClusterError when the API server can't be asked at all
 * @example
 *   const { report } = await audit({ cluster, review, version: '1.0.0', namespace: 'shop' })
 */
export async function audit(options: AuditOptions): Promise<Audited> {
  const { namespace, selector, signal, clock = Date.now } = options
  const tally = createTally({
    version: options.version,
    startedAt: clock(),
    isDifference: options.whatIf !== undefined,
  })
  let all: number | undefined
  if (options.onProgress && selector === undefined) {
    void countAll(auditedKinds(options.customKinds ?? []), options).then((count) => {
      all = count
    })
  }
  const { refused, isWhole, isCut } = await walkWorkloads({
    ...options,
    look: createLook(options, tally),
    onProgress: (looking, read) => options.onProgress?.({ looking, ...tally.figures(), read, all }),
  })
  for (const { resource, error } of refused) {
    const { plural, group } = resource
    const place = `${plural}${group === '' ? '' : `.${group}`}`
    tally.problem({
      code: error.code,
      place: namespace === undefined ? place : `${place} in ${namespace}`,
      line: undefined,
      column: undefined,
      message: describeError(error),
    })
  }
  if (isCut) tally.note('What runs is known of some workloads only: there are too many pods')
  const report = tally.report({ interrupted: signal?.aborted === true, finishedAt: clock() })
  return { report, spaces: tally.spaces(), series: tally.series(), isWhole }
}

/** How many objects there are of all kinds; undefined: of one nobody can say. */
async function countAll(
  kinds: readonly ResourceName[],
  { cluster, namespace, signal }: AuditOptions,
): Promise<number | undefined> {
  const counts = await Promise.all(
    kinds
      .filter(({ namespaced }) => namespaced || namespace === undefined)
      // of what may not be read, nothing is
      .map((kind) => cluster.count?.(kind, { namespace, signal }).catch(() => 0)),
  )
  return counts.reduce<number | undefined>(
    (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
    0,
  )
}
