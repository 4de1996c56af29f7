import type { TagwardenError } from '../errors.ts'
import { documentProblem, type ObjectDocument } from './document.ts'
import type { PolicyDraft } from './draft.ts'
import type { Flaw } from './flaw.ts'
import { DEFAULT_NAMESPACE } from './native.ts'
import type { FluxObject, PolicyResource, Reading } from './resource.ts'
import type { FluxImagePolicy as Policy, FluxImageRepository as Repository } from './schema/flux.ts'
import { FluxImagePolicy, FluxImageRepository, FluxMetadata } from './schemas.ts'
import { direction, exactImageFlaws } from './translation.ts'
import { validate } from './validation.ts'

/** Flux's own namespace. Policies there are for the workloads of the whole cluster. */
const FLUX_NAMESPACE = 'flux-system'

/** Reads the name of a Flux object; its spec is read when the pairs are joined. */
export function readFlux(
  document: ObjectDocument,
  type: 'FluxImagePolicy' | 'FluxImageRepository',
): Reading {
  const flaws = validate(FluxMetadata, document.value)
  if (flaws.length > 0) {
    return { resources: [], problems: flaws.map((flaw) => documentProblem(document, flaw)) }
  }
  const { metadata } = document.value as { metadata: { name: string; namespace?: string } }
  const namespace = metadata.namespace ?? DEFAULT_NAMESPACE
  return { resources: [{ type, namespace, name: metadata.name, document }], problems: [] }
}

/** The drafts that Flux's policies become with their repositories. */
export interface FluxPairs {
  readonly drafts: readonly PolicyDraft[]
  readonly problems: readonly TagwardenError[]
  /** for people: what is left out, and why */
  readonly notes: readonly string[]
}

const checked = new WeakMap<ObjectDocument, readonly Flaw[]>()
const joined = new WeakMap<ObjectDocument, { with: ObjectDocument; draft: PolicyDraft }>()

/** What is wrong with an object; looked for once. */
function flawsOf(document: ObjectDocument, look: () => readonly Flaw[]): readonly Flaw[] {
  const known = checked.get(document) ?? look()
  checked.set(document, known)
  return known
}

/** Joins each Flux ImagePolicy with the ImageRepository that it names. */
export function joinFlux(resources: readonly PolicyResource[]): FluxPairs {
  const drafts: PolicyDraft[] = []
  const problems: TagwardenError[] = []
  const notes: string[] = []
  const repositories = new Map<string, ObjectDocument | 'wrong'>()
  for (const resource of resources) {
    if (resource.type !== 'FluxImageRepository') continue
    const { document } = resource
    const flaws = flawsOf(document, () => repositoryFlaws(document))
    problems.push(...flaws.map((flaw) => documentProblem(document, flaw)))
    repositories.set(nameOf(resource), flaws.length > 0 ? 'wrong' : document)
  }
  for (const resource of resources) {
    if (resource.type !== 'FluxImagePolicy') continue
    const { document } = resource
    const flaws = flawsOf(document, () => validate(FluxImagePolicy, document.value))
    problems.push(...flaws.map((flaw) => documentProblem(document, flaw)))
    if (flaws.length > 0) continue
    const policy = document.value as Policy
    const { name, namespace = resource.namespace } = policy.spec.imageRepositoryRef
    const repository = repositories.get(`${namespace}/${name}`)
    if (repository === undefined) {
      const flaw = {
        path: ['spec', 'imageRepositoryRef', 'name'],
        message: `there is no ImageRepository ${namespace}/${name}`,
        remedy: 'Add it to the policies, or correct the name and namespace',
      }
      problems.push(documentProblem(document, flaw))
    } else if (repository !== 'wrong') {
      const suspended = suspension(policy, repository.value as Repository)
      if (suspended) notes.push(`ImagePolicy ${nameOf(resource)} is left out: ${suspended}`)
      else drafts.push(draftFor(resource, policy, repository))
    }
  }
  return { drafts, problems, notes }
}

/** The same draft for the same two objects, so that it is compiled once. */
function draftFor(object: FluxObject, policy: Policy, repository: ObjectDocument): PolicyDraft {
  const known = joined.get(object.document)
  if (known?.with === repository) return known.draft
  const draft = draftOf(object, policy, repository)
  joined.set(object.document, { with: repository, draft })
  return draft
}

function nameOf({ namespace, name }: FluxObject): string {
  return `${namespace}/${name}`
}

function repositoryFlaws(document: ObjectDocument): readonly Flaw[] {
  const flaws = validate(FluxImageRepository, document.value)
  if (flaws.length > 0) return flaws
  return exactImageFlaws((document.value as Repository).spec.image, ['spec', 'image'])
}

function suspension(policy: Policy, repository: Repository): string | undefined {
  if (policy.spec.suspend === true) return 'it is suspended'
  return repository.spec.suspend === true ? 'its ImageRepository is suspended' : undefined
}

function draftOf(object: FluxObject, policy: Policy, repository: ObjectDocument): PolicyDraft {
  const { image, exclusionList } = (repository.value as Repository).spec
  const { policy: order, filterTags, digestReflectionPolicy } = policy.spec
  const everywhere = object.namespace === FLUX_NAMESPACE
  return {
    kind: everywhere ? 'ClusterImagePolicy' : 'ImagePolicy',
    namespace: everywhere ? undefined : object.namespace,
    name: object.name,
    title: `ImagePolicy ${nameOf(object)}`,
    spec: {
      images: [image],
      tags: {
        // Flux takes an empty text for none
        pattern: filterTags?.pattern || undefined,
        extract: filterTags?.extract || undefined,
        ignore: exclusionList ?? [],
      },
      order: {
        semver: order.semver && { range: order.semver.range },
        alphabetical: direction(order.alphabetical),
        numerical: direction(order.numerical),
      },
      reference: digestReflectionPolicy === 'Never' ? 'Tag' : 'TagAndDigest',
      // Always asks for the newest digest of a tag that is pushed again
      movedTags: digestReflectionPolicy === 'Always' ? 'Allow' : 'Warn',
    },
    document: object.document,
    places: [
      { native: ['images', 0], document: repository, written: ['spec', 'image'] },
      { native: ['tags', 'ignore'], document: repository, written: ['spec', 'exclusionList'] },
      { native: ['tags'], written: ['spec', 'filterTags'] },
      { native: ['order'], written: ['spec', 'policy'] },
      { native: [], written: ['spec'] },
    ],
  }
}
