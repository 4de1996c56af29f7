import { repositoryKey } from '../catalog/index.ts'
import { IMAGE_REPOSITORIES, typeMetaOf } from '../cluster/index.ts'
import { TagwardenError } from '../errors.ts'
import { compilePolicies, readObjects } from '../policies/index.ts'
import { type ScanSettings, scanSettingsOf } from '../scanner/index.ts'
import type { ImageRepository, RepositoryFault, RepositorySecrets } from './types.ts'

/** How an ImageRepository is read. */
export interface Reading {
  /** of the catalog; undefined when it can't be read at all */
  readonly key: string | undefined
  /** how its spec wants it to be scanned */
  readonly settings: ScanSettings
  /** why it isn't read */
  readonly fault: RepositoryFault | undefined
  /** the fault is only that its Secrets are not known yet */
  readonly isPending: boolean
}

const TYPE = typeMetaOf(IMAGE_REPOSITORIES)
const NO_SETTINGS: ScanSettings = Object.freeze({})

/** Names of the Secrets that an ImageRepository names. */
export function secretNames({ spec }: ImageRepository): string[] {
  const { secretRef, certSecretRef, proxySecretRef } = spec
  return [secretRef, certSecretRef, proxySecretRef].flatMap((each) => each?.name ?? [])
}

/**
 * What an ImageRepository asks for. Never throws: what is wrong with it is part of the answer, in
 * the words that a file gets.
 */
export function readingOf(
  { metadata, spec }: ImageRepository,
  secrets: Pick<RepositorySecrets, 'repositoryAccess' | 'isReady'>,
): Reading {
  const { name, namespace = '' } = metadata
  const parsed = readObjects([{ ...TYPE, metadata: { name, namespace }, spec }])
  const compiled = compilePolicies(parsed.resources)
  const [repository] = compiled.set.repositories
  const [problem] = [...parsed.problems, ...compiled.problems]
  if (!repository || problem) {
    return {
      key: undefined,
      settings: NO_SETTINGS,
      fault: faultOf(problem ?? new TagwardenError('ERR_INVALID_POLICY', 'it cannot be read')),
      isPending: false,
    }
  }
  const access = secrets.repositoryAccess(namespace, { ...repository, name: repository.image })
  const lacks = access.problem
  return {
    key: repositoryKey(repository.image, access.id),
    settings: scanSettingsOf(repository),
    fault: lacks === undefined ? undefined : { reason: 'SecretNotFound', message: lacks },
    isPending: lacks !== undefined && !secrets.isReady(namespace),
  }
}

function faultOf({ message, remedy, position }: TagwardenError): RepositoryFault {
  const field = position?.field ?? 'spec'
  return {
    reason: field === 'spec.image' ? 'InvalidImage' : 'InvalidSpec',
    message: `${field}: ${message}${remedy ? `. ${remedy}` : ''}`,
  }
}
