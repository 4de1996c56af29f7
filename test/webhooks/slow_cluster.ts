import type { Cluster, WatchHandlers } from '../../src/cluster/index.ts'

/** Something that waits until the test lets it happen. */
export interface Waiting {
  readonly what: string
  readonly go: () => void
}

/** A cluster as one replica sees it: what it asks and what it hears waits for the test. */
export interface SlowCluster {
  readonly cluster: Cluster
  /** requests on their way there, and answers on their way back */
  readonly calls: Waiting[]
  /** notices, the oldest first */
  readonly notices: Waiting[]
}

export function slowCluster(real: Cluster): SlowCluster {
  const calls: Waiting[] = []
  const notices: Waiting[] = []
  const turn = (what: string) =>
    new Promise<void>((resolve) => calls.push({ what, go: () => resolve() }))
  const slowly =
    <Args extends readonly unknown[], Result>(
      what: string,
      call: (...args: Args) => Promise<Result>,
    ) =>
    async (...args: Args): Promise<Result> => {
      await turn(`${what} goes out`)
      const answer = await call(...args).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      await turn(`${what} comes back`)
      if ('error' in answer) throw answer.error
      return answer.value
    }
  const cluster: Cluster = {
    ...real,
    get: slowly('get', real.get) as Cluster['get'],
    create: slowly('create', real.create) as Cluster['create'],
    replace: slowly('replace', real.replace) as Cluster['replace'],
    patch: slowly('patch', real.patch) as Cluster['patch'],
    watch: (resource, options, handlers) => {
      let synced = false
      const hear = (what: string, go: () => void) => void notices.push({ what, go })
      const slow: WatchHandlers<never> = {
        upsert: (object) => hear('upsert', () => handlers.upsert(object)),
        remove: (key) => hear('remove', () => handlers.remove(key)),
      }
      const watching = real.watch(resource, options, slow)
      const told = Promise.withResolvers<void>()
      void watching.synced.then(() =>
        hear('synced', () => {
          synced = true
          told.resolve()
        }),
      )
      return { synced: told.promise, isSynced: () => synced, close: watching.close }
    },
  }
  return { cluster, calls, notices }
}
