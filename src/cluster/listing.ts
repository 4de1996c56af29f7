import type { Asking } from './asking.ts'
import { hasReason } from './cluster_error.ts'
import { refusal, unusableAnswer } from './failure.ts'
import { keyText, pathOf } from './path.ts'
import { typeMetaOf } from './resources.ts'
import type { KubernetesObject, ListOptions, ResourceName } from './types.ts'

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  /** of the list's first page: from here a watch misses nothing of any page */
  readonly resourceVersion: string
}

interface List<T> {
  readonly metadata?: {
    readonly resourceVersion?: string
    readonly continue?: string
    readonly remainingItemCount?: number
  }
  readonly items?: readonly T[] | null
}

/** An API server that says so again and again has lost its mind. */
const MOST_EXPIRED = 20

const FIRST_PAGE = 100
const LARGEST_PAGE = 500
/** Pages become as long as this allows: reading more in one piece would stop all else. */
const GOOD_BYTES = 2 * 1024 * 1024
/** A page that is larger is asked for in parts. */
const MOST_BYTES = 16 * 1024 * 1024

/**
 * All objects, page by page, each once. When the continuation has expired, what follows is of a
 * later moment; an object that was deleted in between may be missing, and one that was made may
 * be there, but none that was there all the time is left out.
 */
export async function* listPages<T extends KubernetesObject>(
  asking: Asking,
  resource: ResourceName,
  options: ListOptions,
): AsyncGenerator<Page<T>> {
  const { namespace, labelSelector, fieldSelector, signal } = options
  const where = namespace === undefined ? '' : ` in ${namespace}`
  const what = `list ${resource.plural}${where}`
  let limit = FIRST_PAGE
  let token: string | undefined
  let first: string | undefined
  let last: string | undefined
  let skipping = false
  let expired = 0

  for (;;) {
    const query = { limit, continue: token, labelSelector, fieldSelector }
    const path = pathOf(resource, { namespace }, { query })
    const said = await asking
      .hear({ what, method: 'GET', path, limit: MOST_BYTES, signal })
      .catch((error) => {
        if (!hasReason(error, 'TooLarge') || limit === 1) throw error
        return undefined
      })
    if (said === undefined) {
      limit = Math.ceil(limit / 4)
      continue
    }
    if (!said.good && said.code === 410 && token !== undefined && expired < MOST_EXPIRED) {
      expired += 1
      // The API server's own token to go on with, else from the start past what was given.
      token = said.status?.metadata?.continue || undefined
      skipping = token === undefined
      continue
    }
    if (!said.good) throw refusal(what, said.code, said.status)

    const { metadata = {}, items } = said.value as List<T>
    const all = completed(resource, items ?? [])
    if (all === undefined) throw unusableAnswer(what, 'it is no list')
    first ??= metadata.resourceVersion ?? ''
    const after = last
    const fresh =
      skipping && after !== undefined ? all.filter((each) => keyText(each.metadata) > after) : all
    const end = all.at(-1)
    if (end !== undefined && (last === undefined || keyText(end.metadata) > last))
      last = keyText(end.metadata)
    yield { items: fresh, resourceVersion: first }
    token = metadata.continue || undefined
    if (token === undefined) return
    const fitting = Math.floor((GOOD_BYTES * all.length) / said.bytes)
    limit = Math.max(1, Math.min(LARGEST_PAGE, fitting))
  }
}

/** The version of what the API server has now; empty when it does not say. */
export async function presentVersion(
  asking: Asking,
  resource: ResourceName,
  options: ListOptions,
): Promise<string> {
  const { metadata = {} } = await firstOf(asking, `look at ${resource.plural}`, resource, options)
  return metadata.resourceVersion ?? ''
}

/** How many objects there are, as far as the API server says; see `Cluster.count`. */
export async function countObjects(
  asking: Asking,
  resource: ResourceName,
  options: ListOptions,
): Promise<number | undefined> {
  const what = `count ${resource.plural}`
  const { metadata = {}, items } = await firstOf(asking, what, resource, options)
  const first = Array.isArray(items) ? items.length : 0
  // https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/list-meta/
  const { continue: more, remainingItemCount: rest } = metadata
  if (!more) return first
  return Number.isSafeInteger(rest) ? first + Number(rest) : undefined
}

/** A list of one. */
function firstOf(
  asking: Asking,
  what: string,
  resource: ResourceName,
  { namespace, labelSelector, fieldSelector, signal }: ListOptions,
): Promise<List<unknown>> {
  const query = { limit: 1, labelSelector, fieldSelector }
  return asking.ask({
    what,
    method: 'GET',
    path: pathOf(resource, { namespace }, { query }),
    signal,
  })
}

/** What the items of a list of built-in kinds lack; undefined when these are none. */
function completed<T extends KubernetesObject>(
  resource: ResourceName,
  items: readonly T[],
): readonly T[] | undefined {
  if (!Array.isArray(items) || !items.every((each) => each?.metadata?.name)) return undefined
  const own = typeMetaOf(resource)
  return items.map((each) => (each.kind === undefined ? { ...own, ...each } : each))
}
