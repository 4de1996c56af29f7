import type { TagwardenError } from '../errors.ts'
import { documentProblem, type ObjectDocument } from './document.ts'
import { type Place, type PolicyDraft, titleOf } from './draft.ts'
import type { Flaw, Path } from './flaw.ts'
import type { PolicyResource, Reading } from './resource.ts'
import type { KustomizationEntry as Entry } from './schema/kustomization.ts'
import { KustomizationEntry } from './schemas.ts'
import { direction, exactImageFlaws } from './translation.ts'
import { validate } from './validation.ts'

/** The registry blocks that an entry may have. Where the image lives says how to log in. */
const PROVIDERS = ['aws', 'gcr', 'oci', 'dockerhub', 'azure', 'github'] as const

type Fields = Readonly<Record<string, unknown>>

/** Whether an object has a list of image policies, and where. */
export function imagePolicyLists(value: unknown): readonly Path[] {
  const object = value as Fields
  const spec = object['spec'] as Fields | null | undefined
  return [
    ...((spec?.['imagePolicies'] ?? undefined) === undefined ? [] : [['spec', 'imagePolicies']]),
    ...((object['imagePolicies'] ?? undefined) === undefined ? [] : [['imagePolicies']]),
  ]
}

/**
 * Reads the image policies of a Kustomization. They are for the namespace that the Kustomization
 * puts its objects in, and for every namespace if it names none.
 */
export function readKustomization(document: ObjectDocument): Reading {
  const resources: PolicyResource[] = []
  const problems: TagwardenError[] = []
  for (const path of imagePolicyLists(document.value)) {
    const list = path.reduce((value: unknown, key) => (value as Fields)[key], document.value)
    if (!Array.isArray(list)) {
      const flaw = { path, message: 'must be a list', remedy: 'Begin each entry with "- name: …"' }
      problems.push(documentProblem(document, flaw))
      continue
    }
    for (const [index, entry] of list.entries()) {
      const at = [...path, index]
      const flaws = [...validate(KustomizationEntry, entry, at)]
      if (flaws.length === 0) flaws.push(...entryFlaws(entry, at))
      if (flaws.length > 0) problems.push(...flaws.map((flaw) => documentProblem(document, flaw)))
      else resources.push({ type: 'policy', draft: draftOf(document, entry, at) })
    }
  }
  return { resources, problems }
}

function entryFlaws(entry: Entry, at: Path): readonly Flaw[] {
  const given = PROVIDERS.filter((provider) => entry[provider] !== undefined)
  const [provider] = given
  if (provider === undefined || given.length > 1) {
    return [
      {
        path: at,
        message: `must have exactly one of ${PROVIDERS.join(', ')}`,
        remedy:
          given.length > 1
            ? `Keep one of ${given.join(', ')}`
            : 'Add one, such as oci, with its image',
      },
    ]
  }
  const block = entry[provider]!
  const flaws = exactImageFlaws(block.image, [...at, provider, 'image'])
  if (block.policy?.tags?.regex !== undefined && block['policy.tags.regex'] !== undefined) {
    const path = [...at, provider, 'policy.tags.regex']
    flaws.push({ path, message: 'is given in two spellings', remedy: 'Keep one of the two' })
  }
  return flaws
}

function draftOf(document: ObjectDocument, entry: Entry, at: Path): PolicyDraft {
  const provider = PROVIDERS.find((name) => entry[name] !== undefined)!
  const block = entry[provider]!
  const dotted = block['policy.tags.regex']
  const namespace = namespaceOf(document.value as Fields)
  const kind = namespace === undefined ? 'ClusterImagePolicy' : 'ImagePolicy'
  const title = titleOf(kind, namespace, entry.name)
  const places: readonly Place[] = [
    { native: ['images', 0], written: [...at, provider, 'image'] },
    {
      native: ['tags', 'pattern'],
      written: [
        ...at,
        provider,
        ...(dotted === undefined ? ['policy', 'tags', 'regex'] : ['policy.tags.regex']),
      ],
    },
    { native: ['tags', 'allow'], written: [...at, provider, 'allowTags'] },
    { native: ['tags', 'ignore'], written: [...at, provider, 'ignoreTags'] },
    { native: ['order'], written: [...at, 'policy'] },
    { native: [], written: at },
  ]
  const spec = {
    images: [block.image],
    tags: {
      pattern: dotted ?? block.policy?.tags?.regex,
      allow: [block.allowTags ?? []].flat(),
      ignore: [block.ignoreTags ?? []].flat(),
    },
    order: orderOf(entry.policy),
  }
  return { kind, namespace, name: entry.name, title, spec, document, places }
}

function orderOf({ semver, digest, alphabetical, numerical }: Entry['policy']) {
  const list = typeof digest === 'string' || Array.isArray(digest)
  return {
    semver,
    digest: list ? { allowed: [digest].flat() } : digest,
    alphabetical: direction(alphabetical),
    numerical: direction(numerical),
  }
}

/** kustomize has `namespace` at the top, Flux's Kustomization `spec.targetNamespace`. */
function namespaceOf(object: Fields): string | undefined {
  const spec = object['spec'] as Fields | undefined
  const metadata = object['metadata'] as Fields | undefined
  const found = spec?.['targetNamespace'] ?? object['namespace'] ?? metadata?.['namespace']
  return typeof found === 'string' && found !== '' ? found : undefined
}
