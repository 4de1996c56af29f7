import type { ImageField } from '../images/types.ts'

/** How the API server is to call the webhooks. */
export interface Registration {
  /** base URL that the API server reaches, such as `https://127.0.0.1:8443` */
  readonly url: string
  /** PEM */
  readonly caBundle: string
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** 1 to 30 */
  readonly timeoutSeconds: number
  /** custom kinds that are to be sent too */
  readonly fields: readonly ImageField[]
}

/** A cluster as far as the webhook configurations go. */
export interface ClusterRegistration {
  /** the API server's URL */
  readonly server: string
  /** configurations that an earlier run left behind, or another one has, and the URL of its hook */
  leftOver(): Promise<readonly { readonly title: string; readonly url: string | undefined }[]>
  /** Makes or replaces the configurations. */
  register(registration: Registration): Promise<void>
  /** Gives registered webhooks another CA bundle (PEM), without a moment in which there are none. */
  trust(caBundle: string): Promise<void>
  /** Removes them; what is gone already is no error. Returns what was removed. */
  unregister(): Promise<string[]>
}

/** A resource as the API server's discovery names it. */
export interface ResourceName {
  /** empty for the core group */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

/** Which object of a resource; without a namespace for what is cluster-scoped. */
export interface ObjectKey {
  readonly namespace?: string | undefined
  readonly name: string
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly object[]
  readonly finalizers?: readonly string[]
  readonly managedFields?: readonly object[]
}

/** Something in the cluster that others belong to: Kubernetes deletes them with it. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** An object as the API server gives it: plain JSON. */
export interface KubernetesObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: ObjectMeta
}

/** A JSON Patch (RFC 6902), a JSON Merge Patch (RFC 7386), or server-side apply. */
export type ObjectPatch =
  | { readonly type: 'json'; readonly body: readonly object[] }
  | { readonly type: 'merge'; readonly body: object }
  | { readonly type: 'apply'; readonly body: object; readonly force?: boolean }

/** The caller's own end of patience, beside the time limit that every request has. */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined
}

export interface WriteOptions extends RequestOptions {
  /** such as `status` */
  readonly subresource?: string | undefined
  readonly fieldManager?: string | undefined
  readonly dryRun?: boolean | undefined
}

export interface ListOptions {
  /** all namespaces without it */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** What is told of a watched resource. Nothing is kept: whoever needs an object keeps it. */
export interface WatchHandlers<T extends KubernetesObject> {
  /** it is there, new or changed; after a new list, only what changed since is told */
  readonly upsert: (object: T) => void
  readonly remove: (key: ObjectKey) => void
  /** the API server can't be asked; told once until `recovered` */
  readonly problem?: (error: Error) => void
  readonly recovered?: () => void
}

/** A list that is kept true for as long as it runs: list by pages, watch, list again after 410. */
export interface Watching {
  /** all that was there in the beginning has been told; pending for ever when it is closed before */
  readonly synced: Promise<void>
  readonly isSynced: () => boolean
  close(): Promise<void>
}

/**
 * A Kubernetes API server, for any resource. Every method rejects with a ClusterError; objects
 * are plain JSON and frozen for nobody: do not write to them.
 */
export interface Cluster {
  /** URL */
  readonly server: string
  /** the namespace of the pod's service account or of the kubeconfig's context */
  readonly namespace: string
  /** undefined when there is no such object, or no such resource */
  get<T extends KubernetesObject>(
    resource: ResourceName,
    key: ObjectKey,
    options?: RequestOptions,
  ): Promise<T | undefined>
  /** All of them, in pages of at most 500; a list whose continuation expired goes on without gaps. */
  pages<T extends KubernetesObject>(
    resource: ResourceName,
    options?: ListOptions,
  ): AsyncIterable<readonly T[]>
  /**
   * How many there are, by a list of one; undefined where the API server does not say, as with a
   * selector. For showing progress: others come and go meanwhile.
   */
  count(resource: ResourceName, options?: ListOptions): Promise<number | undefined>
  create<T extends KubernetesObject>(
    resource: ResourceName,
    object: T,
    options?: WriteOptions,
  ): Promise<T>
  /** Replaces it; with a resourceVersion in its metadata, only what that version says. */
  replace<T extends KubernetesObject>(
    resource: ResourceName,
    object: T,
    options?: WriteOptions,
  ): Promise<T>
  patch<T extends KubernetesObject>(
    resource: ResourceName,
    key: ObjectKey,
    patch: ObjectPatch,
    options?: WriteOptions,
  ): Promise<T>
  /** Whether there was one to delete. */
  remove(
    resource: ResourceName,
    key: ObjectKey,
    options?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined },
  ): Promise<boolean>
  watch<T extends KubernetesObject>(
    resource: ResourceName,
    options: ListOptions,
    handlers: WatchHandlers<T>,
  ): Watching
  /** Whether the API server serves it now (its CRD is there). */
  serves(resource: ResourceName): Promise<boolean>
  /** The resource of a kind, at the version that its group prefers; undefined when none serves it. */
  find(kind: { readonly group: string; readonly kind: string }): Promise<ResourceName | undefined>
  /** Calls with the answer now and at each change, such as a CRD that is installed later. */
  whenServed(resource: ResourceName, listener: (served: boolean) => void): () => void
  /** Ends all watches and closes the connections. */
  close(): Promise<void>
}

/** Who leads, by a Lease. */
export interface Election {
  readonly leading: () => boolean
  /** identity of the present leader; undefined while it is not known */
  readonly leader: () => string | undefined
  /** Gives the lease back, when it is held, so that another one need not wait for its end. */
  release(): Promise<void>
}

/** An event on an object, as `kubectl describe` shows it. */
export interface ClusterEvent {
  readonly about: {
    readonly apiVersion: string
    readonly kind: string
    readonly namespace?: string | undefined
    readonly name: string
    readonly uid?: string | undefined
  }
  readonly type: 'Normal' | 'Warning'
  /** UpperCamelCase */
  readonly reason: string
  /** at most 1,024 characters are shown */
  readonly message: string
}

/** Writes events. Equal ones become one with a count; each object has a limit of events a minute. */
export interface EventRecorder {
  /** Never waits, never throws. */
  record(event: ClusterEvent): void
  /** Writes what is not written yet. */
  close(): Promise<void>
}
