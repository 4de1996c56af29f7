import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { apiVersionOf, ClusterError } from '../../src/cluster/index.ts'
import type {
  KubernetesObject,
  ObjectKey,
  ObjectMeta,
  ObjectPatch,
  ResourceName,
  WriteOptions,
} from '../../src/cluster/types.ts'
import { jsonPatch, leaves, mergePatch, without } from './object_patch.ts'

/** Objects as an API server keeps them. Everything given in and out is a copy. */
export interface ObjectStore {
  all(resource: ResourceName): StoredObject[]
  get(resource: ResourceName, key: ObjectKey): StoredObject | undefined
  create(resource: ResourceName, object: KubernetesObject, options?: WriteOptions): StoredObject
  replace(resource: ResourceName, object: KubernetesObject, options?: WriteOptions): StoredObject
  patch(
    resource: ResourceName,
    key: ObjectKey,
    patch: ObjectPatch,
    options?: WriteOptions,
  ): StoredObject
  remove(
    resource: ResourceName,
    key: ObjectKey,
    options?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined },
  ): boolean
  /** Creates or replaces, status included, whatever its version. */
  put(resource: ResourceName, object: KubernetesObject): StoredObject
}

/** An object with all that the store gives it. */
export interface StoredObject extends KubernetesObject {
  readonly metadata: ObjectMeta & { readonly uid: string; readonly resourceVersion: string }
  readonly spec?: unknown
  readonly status?: unknown
}

const ANSWERS: Readonly<Record<string, number>> = {
  Unreachable: 0,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  AlreadyExists: 409,
  Expired: 410,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
}

/** What the API server would answer. */
export function failure(reason: string, message: string): ClusterError {
  return new ClusterError(message, { answer: ANSWERS[reason] ?? 400, reason })
}

/** `namespace/name`, or the name of what has no namespace. */
export function keyText({ namespace, name }: ObjectKey): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** `deployments.apps`, or `pods`. */
export function resourceText({ plural, group }: ResourceName): string {
  return group === '' ? plural : `${plural}.${group}`
}

// What the API server calls AllowUnconditionalUpdate, as far as it is used here.
const CONDITIONAL = /^(?:leases|(?:mutating|validating)webhookconfigurations)\.|\.(?!.*k8s\.io$)/
const UNCONDITIONAL = /\.(?:apps|batch)$/

/** @param onChange told of each object that is new, changed or removed */
export function createObjectStore(
  clock: () => number,
  onChange: (resource: ResourceName, object: StoredObject, removed: boolean) => void,
): ObjectStore {
  const objects = new Map<string, Map<string, StoredObject>>()
  const applied = new Map<string, ReadonlySet<string>>()
  let version = 100

  const stored = (resource: ResourceName): Map<string, StoredObject> => {
    const id = resourceText(resource)
    const found = objects.get(id) ?? new Map<string, StoredObject>()
    objects.set(id, found)
    return found
  }
  const existing = (resource: ResourceName, key: ObjectKey): StoredObject => {
    const found = stored(resource).get(keyText(key))
    if (found) return found
    throw failure('NotFound', `${resourceText(resource)} "${key.name}" not found`)
  }

  function keep(resource: ResourceName, next: StoredObject, dryRun = false): StoredObject {
    if (dryRun) return structuredClone(next)
    const of = stored(resource)
    const key = keyText(next.metadata)
    const { deletionTimestamp, finalizers = [] } = next.metadata
    if (deletionTimestamp !== undefined && finalizers.length === 0) {
      of.delete(key)
      onChange(resource, structuredClone(next), true)
    } else {
      of.set(key, next)
      onChange(resource, structuredClone(next), false)
    }
    return structuredClone(next)
  }

  function begin(resource: ResourceName, object: KubernetesObject, status: boolean): StoredObject {
    const { status: given, ...rest } = structuredClone(object) as StoredObject
    const { name, namespace } = rest.metadata
    if (!name) throw failure('Invalid', 'metadata.name: Required value')
    if (resource.namespaced !== (namespace !== undefined)) {
      throw failure('Invalid', `${resourceText(resource)} "${name}" has the wrong scope`)
    }
    version += 1
    return {
      ...rest,
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: {
        ...rest.metadata,
        uid: status ? (rest.metadata.uid ?? randomUUID()) : randomUUID(),
        resourceVersion: String(version),
        creationTimestamp: `${new Date(clock()).toISOString().slice(0, 19)}Z`,
        ...(hasGeneration(rest) && { generation: 1 }),
      },
      ...(status && given !== undefined && { status: given }),
    }
  }

  function change(
    resource: ResourceName,
    before: StoredObject,
    wanted: object,
    options: WriteOptions & { readonly all?: boolean } = {},
  ): StoredObject {
    const { subresource, dryRun, all = false } = options
    if (subresource !== undefined && subresource !== 'status') {
      throw failure('NotFound', 'the server could not find the requested resource')
    }
    const after = structuredClone(wanted) as StoredObject
    const ofMeta = after.metadata ?? before.metadata
    if (
      (ofMeta.resourceVersion ?? before.metadata.resourceVersion) !==
      before.metadata.resourceVersion
    ) {
      throw conflict(
        resource,
        before,
        'the object has been modified; please apply your changes to the latest version and try again',
      )
    }
    if ((ofMeta.uid ?? before.metadata.uid) !== before.metadata.uid) {
      throw conflict(resource, before, 'Precondition failed: UID in precondition differs')
    }
    const { generation = 0, uid, creationTimestamp, deletionTimestamp } = before.metadata
    const system = {
      uid,
      creationTimestamp,
      deletionTimestamp,
      resourceVersion: before.metadata.resourceVersion,
    }
    const body = subresource === 'status' ? before : after
    const status = subresource === 'status' || all ? after.status : before.status
    const { status: _, ...rest } = body
    const grown = isDeepStrictEqual(meaning(before), meaning(body)) ? generation : generation + 1
    const next = clean({
      ...rest,
      apiVersion: before.apiVersion,
      kind: before.kind,
      metadata: {
        ...(subresource === 'status' ? before.metadata : ofMeta),
        ...system,
        ...(hasGeneration(rest) && { generation: grown }),
      },
      status,
    })
    if (isDeepStrictEqual(next, before)) return structuredClone(before)
    version += 1
    const metadata = { ...next.metadata, resourceVersion: String(version) }
    return keep(resource, { ...next, metadata }, dryRun)
  }

  function apply(
    resource: ResourceName,
    key: ObjectKey,
    { body, force = false }: Extract<ObjectPatch, { type: 'apply' }>,
    options: WriteOptions,
  ): StoredObject {
    const { fieldManager } = options
    if (fieldManager === undefined)
      throw failure('BadRequest', 'fieldManager is required for apply patch')
    const at = `${resourceText(resource)} ${keyText(key)} ${options.subresource ?? ''} `
    const own = leaves(body)
    const before = stored(resource).get(keyText(key))
    for (const [manager, pointers] of applied) {
      if (!manager.startsWith(at) || manager === at + fieldManager) continue
      const contested = [...own].filter(
        ([pointer, value]) =>
          pointers.has(pointer) && !isDeepStrictEqual(leaves(before).get(pointer), value),
      )
      if (contested.length > 0 && !force) {
        throw failure(
          'Conflict',
          `Apply failed with ${contested.length} conflict with "${manager.slice(at.length)}"`,
        )
      }
    }
    const gone = [...(applied.get(at + fieldManager) ?? [])].filter((each) => !own.has(each))
    if (!options.dryRun) applied.set(at + fieldManager, new Set(own.keys()))
    if (before === undefined) {
      if (options.subresource !== undefined) existing(resource, key)
      const metadata = { ...(body as KubernetesObject).metadata, ...(key as { name: string }) }
      return keep(resource, begin(resource, { ...body, metadata }, false), options.dryRun)
    }
    const base = gone.reduce((object: object, pointer) => without(object, pointer), before)
    return change(resource, before, mergePatch(base, body) as object, options)
  }

  return {
    all: (resource) => structuredClone([...stored(resource).values()]),
    get: (resource, key) => structuredClone(stored(resource).get(keyText(key))),
    create(resource, object, options = {}) {
      if (stored(resource).has(keyText(object.metadata))) {
        const { name } = object.metadata
        throw failure('AlreadyExists', `${resourceText(resource)} "${name}" already exists`)
      }
      return keep(resource, begin(resource, object, false), options.dryRun)
    },
    replace(resource, object, options = {}) {
      const before = existing(resource, object.metadata)
      const id = resourceText(resource)
      if (
        object.metadata.resourceVersion === undefined &&
        CONDITIONAL.test(id) &&
        !UNCONDITIONAL.test(id)
      ) {
        throw failure(
          'Invalid',
          'metadata.resourceVersion: Invalid value: 0: must be specified for an update',
        )
      }
      return change(resource, before, object, options)
    },
    patch(resource, key, patch, options = {}) {
      if (patch.type === 'apply') return apply(resource, key, patch, options)
      const before = existing(resource, key)
      try {
        const wanted =
          patch.type === 'merge' ? mergePatch(before, patch.body) : jsonPatch(before, patch.body)
        return change(resource, before, wanted as object, options)
      } catch (error) {
        throw error instanceof ClusterError ? error : failure('Invalid', (error as Error).message)
      }
    },
    remove(resource, key, { uid, resourceVersion } = {}) {
      const found = stored(resource).get(keyText(key))
      if (found === undefined) return false
      const { metadata } = found
      if (
        (uid ?? metadata.uid) !== metadata.uid ||
        (resourceVersion ?? metadata.resourceVersion) !== metadata.resourceVersion
      ) {
        throw conflict(resource, found, 'Precondition failed')
      }
      if (metadata.deletionTimestamp !== undefined) return true
      version += 1
      const deletionTimestamp = `${new Date(clock()).toISOString().slice(0, 19)}Z`
      keep(resource, {
        ...found,
        metadata: { ...metadata, deletionTimestamp, resourceVersion: String(version) },
      })
      return true
    },
    put(resource, object) {
      const before = stored(resource).get(keyText(object.metadata))
      if (before === undefined) return keep(resource, begin(resource, object, true))
      const { resourceVersion: _, uid: __, ...metadata } = object.metadata
      return change(resource, before, { ...object, metadata }, { all: true })
    },
  }
}

function conflict(
  resource: ResourceName,
  { metadata }: KubernetesObject,
  why: string,
): ClusterError {
  return failure(
    'Conflict',
    `Operation cannot be fulfilled on ${resourceText(resource)} "${metadata.name}": ${why}`,
  )
}

function hasGeneration(object: object): boolean {
  return 'spec' in object || 'webhooks' in object
}

function meaning(object: object): object {
  const { metadata, status, apiVersion, kind, ...rest } = object as StoredObject
  return rest
}

function clean(object: object): StoredObject {
  return JSON.parse(JSON.stringify(object))
}
