import {
  CLUSTER_IMAGE_POLICIES,
  type Cluster,
  FLUX_IMAGE_POLICIES,
  FLUX_IMAGE_REPOSITORIES,
  IMAGE_POLICIES,
  IMAGE_POLICY_EXCEPTIONS,
  type ResourceName,
  typeMetaOf,
  type WatchHandlers,
} from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import { readObjects } from '../policies/index.ts'
import { createFluxObjects } from './flux_objects.ts'
import { asLastGood } from './last_good.ts'
import { followNamespaces, type Namespaces } from './namespaces.ts'
import type { ObjectReading } from './policy_compiler.ts'
import type { OwnResource, SpecObject } from './policy_object.ts'
import type { News, PolicyTable } from './policy_table.ts'
import { type ServedWatch, watchServed } from './served_watch.ts'

/** The part of a logger (such as pino) that is used. */
export interface SourceLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Everything of the cluster that policies are made of, watched. */
export interface PolicyWatches {
  readonly namespaces: Namespaces
  readonly synced: Promise<unknown>
  /** what is waited for, for people; undefined: nothing */
  missing(): string | undefined
  close(): Promise<void>
}

const OWN = [IMAGE_POLICIES, CLUSTER_IMAGE_POLICIES, IMAGE_POLICY_EXCEPTIONS] as const

/** Flux before 2.7 serves the same kinds as v1beta2 only. */
const versionsOf = (resource: ResourceName) => [resource, { ...resource, version: 'v1beta2' }]

/**
 * Watches the kinds of policies, and tells a table.
 *
 * @param onTold something changed, so that the table has something to tell, or a set to make
 */
export function watchPolicies(
  cluster: Pick<Cluster, 'watch' | 'whenServed' | 'get'>,
  table: PolicyTable,
  onTold: (news: News) => void,
  log: SourceLog | undefined,
): PolicyWatches {
  const flux = createFluxObjects()

  function follow(
    resource: ResourceName,
    versions: readonly ResourceName[],
    needed: boolean,
    handlers: Pick<WatchHandlers<SpecObject>, 'upsert' | 'remove'>,
  ): ServedWatch {
    return watchServed(cluster, versions, { ...health(resource, log), ...handlers }, needed)
  }

  function readAgain(keys: readonly string[]): void {
    for (const key of keys) table.readAgain(FLUX_IMAGE_POLICIES, key, () => flux.read(key))
    if (keys.length > 0) onTold('specification')
  }

  const namespaces = followNamespaces(cluster, health(NAMESPACE, log))
  const own = OWN.map((resource) => {
    const watch = follow(resource, [resource], true, {
      upsert: (object) => {
        const read = () => readOwn(object, resource)
        const news = table.put(resource, object, read)
        if (news) onTold(news)
      },
      remove: (key) => {
        table.remove(resource, key)
        onTold('specification')
      },
    })
    return { resource, watch }
  })
  const repositories = FLUX_IMAGE_REPOSITORIES
  const policies = FLUX_IMAGE_POLICIES
  const foreign = [
    follow(repositories, versionsOf(repositories), false, {
      upsert: (object) => readAgain(flux.putRepository(object)),
      remove: (key) => readAgain(flux.removeRepository(key)),
    }),
    follow(policies, versionsOf(policies), false, {
      upsert: (object) => {
        const key = flux.putPolicy(object)
        const news = table.put(policies, withoutStatus(object), () => flux.read(key))
        if (news) onTold(news)
      },
      remove: (key) => {
        flux.removePolicy(key)
        table.remove(policies, key)
        onTold('specification')
      },
    }),
  ]

  return {
    namespaces,
    synced: Promise.all([
      namespaces.synced,
      ...[...own.map(({ watch }) => watch), ...foreign].map(({ synced }) => synced),
    ]),
    missing() {
      const absent = own.find(({ watch }) => !watch.isSynced() && watch.served() === false)
      if (absent) {
        return `the API server does not serve ${nameOf(absent.resource)}: install the CRDs of Tagwarden`
      }
      const unread = own.find(({ watch }) => !watch.isSynced())
      if (unread) return `the ${nameOf(unread.resource)} have not been read yet`
      if (!namespaces.isSynced()) return 'the namespaces have not been read yet'
      return foreign.every((watch) => watch.isSynced())
        ? undefined
        : 'the image policies of Flux have not been read yet'
    },
    close: async () => {
      const watches = [namespaces, ...own.map(({ watch }) => watch), ...foreign]
      await Promise.all(watches.map((watch) => watch.close()))
    },
  }
}

const NAMESPACE = { plural: 'namespaces', group: '' }

function nameOf({ plural, group }: Pick<ResourceName, 'plural' | 'group'>): string {
  return group === '' ? plural : `${plural}.${group}`
}

/** What the watch of a resource tells beside its objects. */
function health(resource: Pick<ResourceName, 'plural' | 'group'>, log: SourceLog | undefined) {
  const name = nameOf(resource)
  return {
    problem: (error: Error) => {
      const why = describeError(error)
      log?.warn(
        { resource: name },
        `${name} cannot be watched: ${why}. What is known stays in force`,
      )
    },
    recovered: () => log?.info({ resource: name }, `${name} are watched again`),
  }
}

function readOwn(object: SpecObject, resource: ResourceName): ObjectReading {
  const type = typeMetaOf(resource)
  const { resources, problems } = readObjects([object], type)
  const own = resources.find(({ type }) => type === 'policy' || type === 'exception')
  return {
    ...{ resource: own as OwnResource | undefined, problems },
    before() {
      const good = asLastGood(object)
      const [before] = good ? readObjects([good.object], type).resources : []
      return good && before?.type === 'policy'
        ? { generation: good.generation, resource: before }
        : undefined
    },
  }
}

/** Flux's own business; it changes with every scan. */
function withoutStatus({ metadata, spec }: SpecObject): SpecObject {
  return { metadata, spec }
}
