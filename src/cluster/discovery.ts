import type { Asking } from './asking.ts'
import { refusal } from './failure.ts'
import type { ResourceName } from './types.ts'

interface ApiResource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
}

/**
 * The resource of a kind at the version that the API server prefers for its group.
 * https://kubernetes.io/docs/concepts/overview/kubernetes-api/#unaggregated-discovery
 *
 * @returns undefined when there is no such group or kind
 */
export async function findResource(
  asking: Asking,
  { group, kind }: { readonly group: string; readonly kind: string },
): Promise<ResourceName | undefined> {
  const what = `find the resource of kind ${kind}`
  async function read<T>(path: string): Promise<T | undefined> {
    const said = await asking.hear({ what, method: 'GET', path })
    if (said.good) return said.value as T
    if (said.code === 404) return undefined
    throw refusal(what, said.code, said.status)
  }
  const named = await read<{ preferredVersion?: { version?: string } }>(
    group === '' ? '/api/v1' : `/apis/${encodeURIComponent(group)}`,
  )
  const version = group === '' ? 'v1' : named?.preferredVersion?.version
  if (named === undefined || version === undefined) return undefined
  const path = group === '' ? '/api/v1' : `/apis/${encodeURIComponent(group)}/${version}`
  const list = await read<{ resources?: readonly ApiResource[] }>(path)
  const found = list?.resources?.find((each) => each.kind === kind && !each.name.includes('/'))
  return found && { group, version, plural: found.name, kind, namespaced: found.namespaced }
}
