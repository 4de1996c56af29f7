import type { ReviewOptions } from '../admission/index.ts'
import type { Cluster, ResourceName } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import { findImages, parseReference } from '../images/index.ts'
import { type Level, worstFirst } from '../reports/types.ts'
import { judgeRunning } from './injected.ts'
import { type Look, walkWorkloads } from './walk.ts'

/** Whose workloads are looked for, and with what. */
export interface AffectedOptions {
  readonly cluster: Pick<Cluster, 'pages'>
  /** policies, facts and defaults, as the webhook has them */
  readonly review: ReviewOptions
  /** normalised name of a repository, such as `ghcr.io/acme/web` */
  readonly name: string
  /** this one only */
  readonly namespace?: string | undefined
  readonly customKinds?: readonly ResourceName[] | undefined
  /** namespaces that the webhook is never asked about */
  readonly excludedNamespaces?: ReadonlySet<string> | undefined
  readonly signal?: AbortSignal | undefined
}

/** An image of a workload that runs, and what would be said of it if it were applied now. */
export interface AffectedImage {
  readonly kind: string
  readonly namespace: string | undefined
  readonly workload: string
  readonly container: string
  readonly image: string
  /** the worst of what is found; undefined: nothing is */
  readonly level: Level | undefined
  readonly reason: string | undefined
  readonly becomes: { readonly to: string; readonly policy: string } | undefined
}

/** Which workloads run images of a repository. */
export interface Affected {
  /** how many images; no more than a thousand are kept */
  readonly total: number
  readonly denied: number
  readonly warned: number
  readonly moved: number
  readonly images: readonly AffectedImage[]
  /** what could not be looked at, for people */
  readonly problems: readonly string[]
}

const MOST_KEPT = 1_000

/**
 * Finds the workloads whose images come from a repository, at the level at which people own them,
 * and what applying each of them again would come to; what is injected into their pods counts too,
 * as in an audit. Reads by pages, and keeps what it returns.
 *
 * @throws ClusterError when the API server can't be asked
 */
export async function affectedBy(options: AffectedOptions): Promise<Affected> {
  const { review } = options
  const name = options.name.toLowerCase()
  const images: AffectedImage[] = []
  const counts = { total: 0, denied: 0, warned: 0, moved: 0 }

  const look: Look = async (resource, object, running) => {
    const has =
      findImages(object, resource, review.fields).some(({ value }) => isOf(value, name)) ||
      running.some(({ image }) => isOf(image, name))
    if (!has) return
    const judged = await judgeRunning(resource, object, running, review)
    for (const { occurrence, findings, change } of judged) {
      if (!isOf(occurrence.value, name)) continue
      const [worst] = worstFirst(findings)
      counts.total += 1
      if (worst?.level === 'deny') counts.denied += 1
      if (worst?.level === 'warn') counts.warned += 1
      if (change) counts.moved += 1
      if (images.length === MOST_KEPT) continue
      images.push({
        ...{ kind: resource.kind, namespace: object.metadata.namespace },
        workload: object.metadata.name,
        container: occurrence.name ?? occurrence.field,
        ...{ image: String(occurrence.value), level: worst?.level, reason: worst?.reason },
        becomes: change,
      })
    }
  }

  const { refused } = await walkWorkloads({ ...options, look })
  options.signal?.throwIfAborted()
  const problems = refused.map(
    ({ resource, error }) => `${resource.plural}: ${describeError(error)}`,
  )
  return { ...counts, images, problems }
}

function isOf(value: unknown, name: string): boolean {
  // most images are others: what does not hold the last part of the name need not be read
  if (typeof value !== 'string' || !value.includes(name.slice(name.lastIndexOf('/') + 1))) {
    return false
  }
  try {
    return parseReference(value).name.toLowerCase() === name
  } catch {
    return false
  }
}
