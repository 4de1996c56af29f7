import { repositoryKey } from '../catalog/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import { parseReference } from '../images/index.ts'
import { parseDuration } from '../policies/index.ts'
import type { ScanSettings } from '../scanner/index.ts'
import { compilePattern } from '../tags/index.ts'
import type { ImageRepository, RepositoryFault, RepositorySecrets } from './types.ts'

/** How an ImageRepository is read. */
export interface Reading {
  /** of the catalog; undefined when it can't be read at all */
  readonly key: string | undefined
  /** how its spec wants it to be scanned */
  readonly settings: ScanSettings
  /** why it isn't read */
  readonly fault: RepositoryFault | undefined
}

/** Names of the Secrets that an ImageRepository names. */
export function secretNames({ spec }: ImageRepository): string[] {
  const { secretRef, certSecretRef, proxySecretRef } = spec
  return [secretRef, certSecretRef, proxySecretRef].flatMap((each) => each?.name ?? [])
}

type Secrets = Pick<RepositorySecrets, 'repositoryAccess'>

/** What an ImageRepository asks for. Never throws: what is wrong with it is part of the answer. */
export function readingOf(object: ImageRepository, secrets: Secrets): Reading {
  const { spec, metadata } = object
  try {
    const name = nameOf(spec.image)
    const excludes = excluding(spec.exclusionList ?? [])
    const access = secrets.repositoryAccess(metadata.namespace ?? '', { ...spec, name })
    const settings: ScanSettings = {
      interval: spec.interval === undefined ? undefined : parseDuration(spec.interval),
      timeout: spec.timeout === undefined ? undefined : parseDuration(spec.timeout),
      suspend: spec.suspend ?? false,
      ...(excludes && { excludes }),
    }
    const fault = access.problem && ({ reason: 'SecretNotFound', message: access.problem } as const)
    return { key: repositoryKey(name, access.id), settings, fault: fault || undefined }
  } catch (error) {
    return { key: undefined, settings: {}, fault: faultOf(error) }
  }
}

function nameOf(image: unknown): string {
  const reference = parseReference(image as string)
  if (reference.tag === undefined && reference.digest === undefined) {
    return reference.name.toLowerCase()
  }
  const message = `${reference.original} has a tag or digest`
  const remedy = 'Write the repository only: policies say which tags count'
  throw new TagwardenError('ERR_INVALID_REFERENCE', message, { remedy })
}

function excluding(list: readonly string[]): ((tag: string) => boolean) | undefined {
  const patterns = list.map((source, index) =>
    compilePattern(source, `spec.exclusionList[${index}]`),
  )
  return patterns.length === 0 ? undefined : (tag) => patterns.some((pattern) => pattern.test(tag))
}

function faultOf(error: unknown): RepositoryFault {
  if (!(error instanceof TagwardenError)) throw error
  const reason = error.code === 'ERR_INVALID_POLICY' ? 'InvalidExclusion' : 'InvalidImage'
  const { position, message, remedy } = error
  const field = position?.field ?? 'spec.image'
  return {
    reason,
    message: describeError(new TagwardenError(error.code, `${field}: ${message}`, { remedy })),
  }
}
