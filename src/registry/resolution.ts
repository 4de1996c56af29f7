import { TagwardenError } from '../errors.ts'
import { isTag, platformOf } from '../images/index.ts'
import { digestLike, isDigest } from './digest.ts'
import type { Repository } from './endpoint.ts'
import type { HttpAnswer } from './http_message.ts'
import { contentType, jsonBody } from './json_body.ts'
import { isManifestType, isSchema1, MANIFEST_ACCEPT, parseManifest, schema1 } from './manifest.ts'
import { refusal } from './refusal.ts'
import type { Ask, RegistryAnswer } from './session.ts'
import type { ManifestDescription, RegistryClock, RegistryLimits } from './types.ts'

/** What a resolution works with. */
export interface ResolutionTools {
  readonly ask: Ask
  readonly limits: RegistryLimits
  readonly clock: RegistryClock
}

/** Answers to HEAD after which GET is asked: some registries and proxies know no HEAD. */
const HEAD_UNKNOWN = new Set([400, 403, 405, 406, 501])

/** Finds what a tag or digest names. */
export async function resolveReference(
  tools: ResolutionTools,
  repository: Repository,
  reference: string,
  platforms: boolean,
  signal: AbortSignal | undefined,
): Promise<ManifestDescription> {
  if (!isTag(reference) && !isDigest(reference)) {
    throw new TagwardenError(
      'ERR_INVALID_REFERENCE',
      `${JSON.stringify(reference.slice(0, 100))} is neither a tag nor a digest`,
      { remedy: 'Use a tag such as v1.4.2, or a digest such as sha256:<64 hex digits>' },
    )
  }
  const manifests = new URL(`/v2/${repository.path}/manifests/`, repository.endpoint.origin)
  const question = {
    repository,
    operation: 'pull',
    url: new URL(`./${reference}`, manifests),
    accept: MANIFEST_ACCEPT,
    limit: tools.limits.manifestBytes,
    signal,
  } as const
  const subject = nameOf(repository, reference)

  // only content can prove a digest, and only content tells platforms
  if (!platforms && !isDigest(reference)) {
    const head = await tools.ask({ ...question, method: 'HEAD' })
    const described = describeHead(head, subject)
    if (described !== undefined) return described
    if (head.status !== 200 && !asksForGet(head)) throw refused(head, subject, tools)
  }
  const answer = await tools.ask({ ...question, method: 'GET' })
  if (answer.status !== 200) throw refused(answer, subject, tools)
  const digest = checkedDigest(answer, reference, subject)
  const manifest = parseManifest(answer, subject)
  if (!platforms) return { digest, mediaType: manifest.mediaType, platforms: undefined }
  const found = manifest.platforms ?? (await configPlatform(tools, repository, manifest, signal))
  return { digest, mediaType: manifest.mediaType, platforms: found }
}

/** HEAD is enough when it names a digest and a media type that are known. */
function describeHead(head: HttpAnswer, subject: string): ManifestDescription | undefined {
  if (head.status !== 200) return undefined
  const mediaType = contentType(head)
  if (isSchema1(mediaType)) throw schema1(subject)
  const digest = digestHeader(head)
  if (!isDigest(digest) || !isManifestType(mediaType)) return undefined
  return { digest, mediaType, platforms: undefined }
}

function asksForGet({ status, headers }: HttpAnswer): boolean {
  const unexplained = status === 401 && headers['www-authenticate'] === undefined
  return unexplained || HEAD_UNKNOWN.has(status)
}

/** The content must hash to the digest that was asked for, and to the one that the header says. */
function checkedDigest(answer: HttpAnswer, reference: string, subject: string): string {
  const header = digestHeader(answer)
  for (const expected of [reference, header]) {
    if (!isDigest(expected)) continue
    const actual = digestLike(expected, answer.body)
    if (actual !== expected) throw wrongDigest(answer, subject, expected, actual)
  }
  if (isDigest(reference)) return reference
  return isDigest(header) ? header : digestLike(undefined, answer.body)
}

function digestHeader({ headers }: HttpAnswer): string | undefined {
  const value = headers['docker-content-digest']
  return typeof value === 'string' ? value : undefined
}

async function configPlatform(
  { ask, limits, clock }: ResolutionTools,
  repository: Repository,
  { config }: { readonly config: string | undefined },
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  if (!isDigest(config)) return []
  const subject = nameOf(repository, config)
  const answer = await ask({
    repository,
    operation: 'pull',
    method: 'GET',
    url: new URL(`/v2/${repository.path}/blobs/${config}`, repository.endpoint.origin),
    limit: limits.configBytes,
    elsewhere: true,
    signal,
  })
  if (answer.status !== 200) throw refused(answer, subject, { clock })
  const actual = digestLike(config, answer.body)
  if (actual !== config) throw wrongDigest(answer, subject, config, actual)
  const platform = platformOf(jsonBody(answer, subject))
  return platform === undefined ? [] : [platform]
}

function nameOf({ name }: Repository, reference: string): string {
  return `${name}${isDigest(reference) ? '@' : ':'}${reference}`
}

function refused(
  answer: RegistryAnswer,
  subject: string,
  { clock }: Pick<ResolutionTools, 'clock'>,
): TagwardenError {
  return refusal(answer, subject, answer, clock.now())
}

function wrongDigest(
  answer: HttpAnswer,
  subject: string,
  expected: string,
  actual: string,
): TagwardenError {
  return new TagwardenError(
    'ERR_REGISTRY_DIGEST',
    `${answer.url.host} sent content for ${subject} with digest ${actual} instead of ${expected}`,
    { remedy: 'Find out what stands between: the content was changed or damaged on its way' },
  )
}
