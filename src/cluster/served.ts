import type { Asking } from './asking.ts'
import { type ClusterClock, chancePause } from './clock.ts'
import { ClusterError } from './cluster_error.ts'
import { isServed } from './discovery.ts'
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
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      await isServed(asking, resource, signal).then(tell, () => {})
      const pause = chancePause(attempt, FIRST_LOOK_MS, LONGEST_LOOK_MS)
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
