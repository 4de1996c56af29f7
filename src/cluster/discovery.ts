import type { Asking } from './asking.ts'
import type { ResourceName } from './types.ts'

interface Group {
  readonly preferredVersion?: { readonly version?: string }
  readonly versions?: readonly { readonly version: string }[]
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string
    readonly kind: string
    readonly namespaced: boolean
  }[]
}

/** Whether the API server's discovery names the resource. */
export async function isServed(
  asking: Asking,
  { group, version, plural }: ResourceName,
  signal?: AbortSignal,
): Promise<boolean> {
  const served = await resourcesOf(asking, { group, version }, signal)
  return served.some((each) => each.plural === plural)
}

/** The resources of a kind, one for each version of its group that is served. */
export async function resourcesOfKind(
  asking: Asking,
  { group, kind }: Pick<ResourceName, 'group' | 'kind'>,
): Promise<ResourceName[]> {
  const versions =
    group === '' ? [{ version: 'v1' }] : ((await groupOf(asking, group))?.versions ?? [])
  const served = await Promise.all(
    versions.map(({ version }) => resourcesOf(asking, { group, version })),
  )
  return served.flat().filter((each) => each.kind === kind)
}

/**
 * The resource of a kind at the version that the API server prefers for its group.
 *
 * @returns undefined when there is no such group or kind
 */
export async function findResource(
  asking: Asking,
  { group, kind }: Pick<ResourceName, 'group' | 'kind'>,
): Promise<ResourceName | undefined> {
  const version = group === '' ? 'v1' : (await groupOf(asking, group))?.preferredVersion?.version
  if (version === undefined) return undefined
  const served = await resourcesOf(asking, { group, version })
  return served.find((each) => each.kind === kind)
}

function groupOf(asking: Asking, group: string): Promise<Group | undefined> {
  return read<Group>(asking, `/apis/${encodeURIComponent(group)}`)
}

/** Without subresources; none when the group or its version is not served. */
async function resourcesOf(
  asking: Asking,
  { group, version }: Pick<ResourceName, 'group' | 'version'>,
  signal?: AbortSignal,
): Promise<ResourceName[]> {
  const base = group === '' ? '/api' : `/apis/${encodeURIComponent(group)}`
  const list = await read<ResourceList>(asking, `${base}/${version}`, signal)
  return (list?.resources ?? [])
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced }) => ({ group, version, plural: name, kind, namespaced }))
}

/** https://kubernetes.io/docs/concepts/overview/kubernetes-api/#unaggregated-discovery */
function read<T>(asking: Asking, path: string, signal?: AbortSignal): Promise<T | undefined> {
  return asking.find<T>({ what: `see what is served at ${path}`, method: 'GET', path, signal })
}
