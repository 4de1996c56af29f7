import type { Asking } from './asking.ts'
import { backoff, type ClusterClock } from './clock.ts'
import { ClusterError } from './cluster_error.ts'
import { refusal } from './failure.ts'
import { CUSTOM_RESOURCE_DEFINITIONS } from './resources.ts'
import type {
  KubernetesObject,
  ListOptions,
  ResourceName,
  WatchHandlers,
  Watching,
} from './types.ts'

interface Definition extends KubernetesObject {
  readonly spec: {
    readonly versions?: readonly { readonly name: string; readonly served?: boolean }[]
  }
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

/** What this needs of a cluster. */
export interface ServedContext {
  readonly asking: Asking
  readonly clock: ClusterClock
  watch(resource: ResourceName, options: ListOptions, handlers: WatchHandlers<Definition>): Watching
}

/** Between two looks of those who may not watch definitions. */
const FIRST_LOOK_MS = 10_000
const LONGEST_LOOK_MS = 300_000

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
  resource: ResourceName,
  signal?: AbortSignal,
): Promise<boolean> {
  const { group, version, plural } = resource
  const served = await resourcesOf(asking, { group, version }, signal)
  return served.some((each) => each.plural === plural)
}

/** The resources of a kind, one for each version of its group that is served. */
export async function resourcesOfKind(
  asking: Asking,
  { group, kind }: { readonly group: string; readonly kind: string },
): Promise<ResourceName[]> {
  const found = await discovered<{ versions?: readonly { readonly version: string }[] }>(
    asking,
    group === '' ? '/api' : `/apis/${group}`,
  )
  const versions = group === '' ? [{ version: 'v1' }] : (found?.versions ?? [])
  const served = await Promise.all(
    versions.map(({ version }) => resourcesOf(asking, { group, version })),
  )
  return served.flat().filter((each) => each.kind === kind)
}

/** Without subresources; none when the group or its version is not served. */
async function resourcesOf(
  asking: Asking,
  { group, version }: Pick<ResourceName, 'group' | 'version'>,
  signal?: AbortSignal,
): Promise<ResourceName[]> {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const list = await discovered<ResourceList>(asking, path, signal)
  return (list?.resources ?? [])
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced }) => ({ group, version, plural: name, kind, namespaced }))
}

async function discovered<T>(
  asking: Asking,
  path: string,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const what = `see what is served at ${path}`
  const said = await asking.hear({ what, method: 'GET', path, signal })
  if (said.good) return said.value as T
  if (said.code === 404) return undefined
  throw refusal(what, said.code, said.status)
}

/**
 * Tells now and at each change whether a resource is served: by a watch of its one definition,
 * or, without the right to that, by looking at discovery, ever more rarely (10 s to 5 minutes).
 */
export function followServed(
  context: ServedContext,
  resource: ResourceName,
  listener: (served: boolean) => void,
): () => void {
  const { asking, clock } = context
  const ending = new AbortController()
  const { signal } = ending
  let last: boolean | undefined

  function tell(served: boolean): void {
    if (served === last || signal.aborted) return
    last = served
    listener(served)
  }

  async function look(): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      await isServed(asking, resource, signal).then(tell, () => {})
      const pause = backoff(attempt, FIRST_LOOK_MS, LONGEST_LOOK_MS)
      await clock.sleep(pause, signal).catch(() => {})
    }
  }

  const options = { fieldSelector: `metadata.name=${resource.plural}.${resource.group}` }
  const watching = context.watch(CUSTOM_RESOURCE_DEFINITIONS, options, {
    upsert: (definition) => tell(serves(definition, resource.version)),
    remove: () => tell(false),
    problem: (error) => {
      const forbidden = error instanceof ClusterError && [401, 403].includes(error.answer)
      if (!forbidden || last !== undefined) return
      void watching.close()
      void look()
    },
  })
  // Without a definition it may be built in, or served by another API server.
  void watching.synced.then(async () => {
    if (last === undefined) await isServed(asking, resource, signal).then(tell, () => tell(false))
  })
  return () => {
    ending.abort()
    void watching.close()
  }
}

function serves({ spec, status }: Definition, version: string): boolean {
  const established = status?.conditions?.some(
    (each) => each.type === 'Established' && each.status === 'True',
  )
  const named = spec.versions?.some((each) => each.name === version && each.served)
  return established === true && named === true
}
