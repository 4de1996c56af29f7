import {
  FLUX_IMAGE_POLICIES,
  FLUX_IMAGE_REPOSITORIES,
  keyText,
  type ObjectKey,
  type ResourceName,
  typeMetaOf,
} from '../cluster/index.ts'
import type { TagwardenError } from '../errors.ts'
import { joinFlux, type PolicyResource, readObjects } from '../policies/index.ts'
import type { ObjectReading } from './policy_compiler.ts'
import type { SpecObject } from './policy_object.ts'

/** Flux's objects, each policy joined with the repository that it names. */
export interface FluxObjects {
  /** Gives the keys of the policies that this may change. */
  putRepository(object: SpecObject): string[]
  removeRepository(key: ObjectKey): string[]
  /** Gives its key. */
  putPolicy(object: SpecObject): string
  removePolicy(key: ObjectKey): void
  /** What a policy is with its repository. */
  read(key: string): ObjectReading
}

interface KnownPolicy {
  readonly resources: readonly PolicyResource[]
  readonly problems: readonly TagwardenError[]
  /** key of the repository that it names, so far as that can be read */
  readonly repository: string
}

/** Keeps the objects; nothing is read of the cluster here. */
export function createFluxObjects(): FluxObjects {
  const repositories = new Map<string, readonly PolicyResource[]>()
  const policies = new Map<string, KnownPolicy>()
  const byRepository = new Map<string, Set<string>>()
  const naming = (repository: string) => [...(byRepository.get(repository) ?? [])]

  function drop(key: string): void {
    const { repository = '' } = policies.get(key) ?? {}
    policies.delete(key)
    byRepository.get(repository)?.delete(key)
    if (byRepository.get(repository)?.size === 0) byRepository.delete(repository)
  }

  return {
    putRepository(object) {
      const key = keyText(object.metadata)
      repositories.set(key, readAs(object, FLUX_IMAGE_REPOSITORIES).resources)
      return naming(key)
    },
    removeRepository(key) {
      repositories.delete(keyText(key))
      return naming(keyText(key))
    },
    putPolicy(object) {
      const key = keyText(object.metadata)
      const repository = repositoryOf(object)
      drop(key)
      policies.set(key, { ...readAs(object, FLUX_IMAGE_POLICIES), repository })
      byRepository.set(repository, (byRepository.get(repository) ?? new Set()).add(key))
      return key
    },
    removePolicy: (key) => drop(keyText(key)),
    read(key) {
      const policy = policies.get(key)
      if (!policy) return { resource: undefined, problems: [] }
      const repository = repositories.get(policy.repository) ?? []
      const { drafts, problems, notes } = joinFlux([...policy.resources, ...repository])
      const [draft] = drafts
      return {
        resource: draft && { type: 'policy', draft },
        problems: [...policy.problems, ...problems],
        note: notes[0],
      }
    },
  }
}

function repositoryOf({ metadata, spec }: SpecObject): string {
  const { imageRepositoryRef } = (spec ?? {}) as { imageRepositoryRef?: unknown }
  const { name, namespace } = (imageRepositoryRef ?? {}) as { name?: unknown; namespace?: unknown }
  return `${namespace ?? metadata.namespace}/${name}`
}

function readAs(object: SpecObject, resource: ResourceName) {
  return readObjects([object], typeMetaOf(resource))
}
