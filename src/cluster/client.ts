import { type Credentials, openAccess } from './access.ts'
import { type Asking, createAsking, type Question } from './asking.ts'
import { type ClusterClock, systemClock } from './clock.ts'
import { findResource, isServed } from './discovery.ts'
import { inClusterCredentials } from './in_cluster.ts'
import { kubeconfigCredentials } from './kubeconfig.ts'
import { countObjects, listPages } from './listing.ts'
import type { ClusterLog } from './log.ts'
import { createOutage } from './outage.ts'
import { checkedKey, describeKey, keyOf, pathOf } from './path.ts'
import { typeMetaOf } from './resources.ts'
import { followServed } from './served.ts'
import type {
  Cluster,
  KubernetesObject,
  ListOptions,
  ObjectKey,
  ObjectPatch,
  ResourceName,
  WatchHandlers,
  Watching,
  WriteOptions,
} from './types.ts'
import { startWatch } from './watch.ts'

export interface ClusterOptions {
  /** path, or several that count together; without it, the service account of this pod */
  readonly kubeconfig?: string | readonly string[] | undefined
  readonly context?: string | undefined
  /** what `namespace` is to say instead */
  readonly namespace?: string | undefined
  /** ms for a request with its retries; 30 s */
  readonly timeLimit?: number | undefined
  readonly log?: ClusterLog | undefined
  readonly clock?: ClusterClock | undefined
  /** in place of the kubelet's folder of `token`, `ca.crt` and `namespace` */
  readonly serviceAccount?: string | undefined
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined
}

const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const
const FIELD_MANAGER = 'tagwarden'

/**
 * Opens a cluster. Nothing is asked of it yet.
 *
 * @throws ClusterError when there is no way to it: no pod and no kubeconfig, or an unusable one
 *
 * @example
 *   const cluster = await openCluster({ kubeconfig: '/home/me/.kube/config' })
 *   const watching = cluster.watch(IMAGE_POLICIES, {}, { upsert: keep, remove: forget })
 *   await watching.synced
 */
export async function openCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return (await connect(options)).cluster
}

/** The cluster, with a way to ask for what is no object. */
export async function connect(
  options: ClusterOptions,
): Promise<{ readonly cluster: Cluster; readonly asking: Asking }> {
  const { kubeconfig, timeLimit = 30_000, log, clock = systemClock } = options
  const env = options.environment ?? process.env
  const credentials: Credentials =
    kubeconfig === undefined
      ? await inClusterCredentials(env, options.serviceAccount)
      : await kubeconfigCredentials([kubeconfig].flat(), options.context, env)
  const { server, proxy } = credentials
  const access = await openAccess(credentials)
  const outage = createOutage(clock)
  const asking = createAsking({ server, proxy, access, clock, outage, timeLimit })
  const closers = new Set<() => unknown>()
  let closed = false

  function watch<T extends KubernetesObject>(
    resource: ResourceName,
    more: ListOptions,
    handlers: WatchHandlers<T>,
  ): Watching {
    if (closed) throw new TypeError('the cluster is closed')
    const watching = startWatch(
      { server, access, asking, clock, outage, log },
      resource,
      more,
      handlers,
    )
    const close = async () => {
      more.signal?.removeEventListener('abort', close)
      closers.delete(close)
      await watching.close()
    }
    more.signal?.addEventListener('abort', close, { once: true })
    closers.add(close)
    if (more.signal?.aborted) void close()
    return { ...watching, close }
  }

  function write<T>(
    verb: string,
    resource: ResourceName,
    key: ObjectKey,
    question: Pick<Question, 'method' | 'body' | 'contentType'>,
    more: WriteOptions & {
      readonly query?: Readonly<Record<string, string | boolean | undefined>>
    },
  ): Promise<T> {
    const { subresource, dryRun, signal, fieldManager = FIELD_MANAGER } = more
    const at = question.method === 'POST' ? { namespace: key.namespace } : key
    const query = { fieldManager, dryRun: dryRun ? 'All' : undefined, ...more.query }
    return asking.ask<T>({
      ...question,
      what: `${verb} ${describeKey(resource, key)}`,
      path: pathOf(resource, at, { subresource, query }),
      signal,
    })
  }

  const cluster: Cluster = {
    server,
    namespace: options.namespace ?? credentials.namespace ?? 'default',
    async get<T>(resource: ResourceName, key: ObjectKey, more: { signal?: AbortSignal } = {}) {
      const what = `read ${describeKey(resource, key)}`
      const path = pathOf(resource, checkedKey(resource, key))
      return asking.find<T>({ what, method: 'GET', path, signal: more.signal })
    },
    async *pages<T extends KubernetesObject>(resource: ResourceName, more: ListOptions = {}) {
      for await (const { items } of listPages<T>(asking, resource, more)) yield items
    },
    count: (resource, more = {}) => countObjects(asking, resource, more),
    create: async <T extends KubernetesObject>(
      resource: ResourceName,
      object: T,
      more: WriteOptions = {},
    ) => {
      const body = bodyOf(resource, object)
      return write<T>('create', resource, keyOf(resource, object), { method: 'POST', body }, more)
    },
    replace: async <T extends KubernetesObject>(
      resource: ResourceName,
      object: T,
      more: WriteOptions = {},
    ) => {
      const body = bodyOf(resource, object)
      return write<T>('replace', resource, keyOf(resource, object), { method: 'PUT', body }, more)
    },
    patch: async <T extends KubernetesObject>(
      resource: ResourceName,
      key: ObjectKey,
      patch: ObjectPatch,
      more: WriteOptions = {},
    ) => {
      const contentType = PATCH_TYPES[patch.type]
      const force = patch.type === 'apply' ? patch.force : undefined
      const body =
        patch.type === 'apply'
          ? bodyOf(resource, { ...patch.body, metadata: { ...metadataOf(patch.body), ...key } })
          : JSON.stringify(patch.body)
      const question = { method: 'PATCH', contentType, body } as const
      return write<T>('patch', resource, checkedKey(resource, key), question, {
        ...more,
        query: { force },
      })
    },
    async remove(resource, key, preconditions = {}) {
      const what = `delete ${describeKey(resource, key)}`
      const body = JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: 'Background',
        preconditions,
      })
      const path = pathOf(resource, checkedKey(resource, key))
      return (await asking.find({ what, method: 'DELETE', path, body })) !== undefined
    },
    watch,
    serves: (resource) => isServed(asking, resource),
    find: (kind) => findResource(asking, kind),
    whenServed(resource, listener) {
      const end = followServed({ asking, clock, watch }, resource, listener)
      const stop = () => {
        closers.delete(stop)
        end()
      }
      closers.add(stop)
      return stop
    },
    async close() {
      closed = true
      await Promise.all([...closers].map((each) => each()))
      await access.close()
    },
  }
  return { cluster, asking }
}

function bodyOf(resource: ResourceName, object: object): string {
  return JSON.stringify({ ...object, ...typeMetaOf(resource) })
}

function metadataOf(body: object): object {
  return (body as Partial<KubernetesObject>).metadata ?? {}
}
