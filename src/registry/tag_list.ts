import { TagwardenError } from '../errors.ts'
import { isTag } from '../images/index.ts'
import type { Repository } from './endpoint.ts'
import type { HttpAnswer } from './http_message.ts'
import { jsonBody } from './json_body.ts'
import { nextLink } from './link.ts'
import { refusal } from './refusal.ts'
import type { Ask } from './session.ts'
import type { RegistryClock, RegistryLimits } from './types.ts'

const PAGE_SIZE = 1000

/**
 * Reads the whole tag list, page by page. Names that are no tags are left out.
 *
 * Source: OCI distribution-spec, "Listing Tags": `Link` may be relative.
 */
export async function readTagList(
  ask: Ask,
  repository: Repository,
  limits: RegistryLimits,
  clock: RegistryClock,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { name, path, endpoint } = repository
  const tags = new Set<string>()
  const read = new Set<string>()
  const page = (url: URL) =>
    ask({ repository, operation: 'tags', method: 'GET', url, limit: limits.tagPageBytes, signal })

  const first = new URL(`/v2/${path}/tags/list`, endpoint.origin)
  let url: URL | undefined = new URL(`?n=${PAGE_SIZE}`, first)
  while (url !== undefined) {
    if (read.size === limits.pages) throw tooLong(name, `${limits.pages} pages`, 'pages')
    let answer = await page(url)
    // some registries refuse a page size that is larger than their own
    if (read.size === 0 && (answer.status === 400 || answer.status === 405)) {
      answer = await page(first)
    }
    if (answer.status !== 200) {
      throw refusal(answer, `the tags of ${name}`, answer, clock.now())
    }
    read.add(url.href)
    for (const tag of tagsOf(answer, name)) if (isTag(tag)) tags.add(tag)
    if (tags.size > limits.tags) throw tooLong(name, `${limits.tags} tags`, 'tags')
    url = nextPage(answer, url, name)
    if (url !== undefined && read.has(url.href)) {
      throw unusable(answer, name, 'points to a page that was already read')
    }
  }
  return [...tags]
}

/** A registry without tags may say `null`; anything else that is no list of strings is refused. */
function tagsOf(answer: HttpAnswer, name: string): readonly string[] {
  const { tags } = jsonBody(answer, `the tags of ${name}`)
  if (tags === null) return []
  if (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string')) return tags
  throw unusable(answer, name, 'is not a list of names')
}

function nextPage(answer: HttpAnswer, from: URL, name: string): URL | undefined {
  const link = nextLink(answer.headers.link)
  if (link === undefined) return undefined
  const next = URL.parse(link, answer.url.href)
  if (next === null) throw unusable(answer, name, 'has a next page that is no URL')
  next.hash = ''
  if (next.origin === from.origin) return next
  throw new TagwardenError(
    'ERR_REGISTRY_REDIRECT',
    `the tag list of ${name} continues at ${next.origin}, which is not followed`,
    {
      remedy: "Correct the registry's external URL: it must be the host and scheme it is asked at",
    },
  )
}

function unusable(answer: HttpAnswer, name: string, problem: string): TagwardenError {
  const message = `${answer.url.host} sent a tag list of ${name} that ${problem}`
  return new TagwardenError('ERR_REGISTRY_RESPONSE', message)
}

function tooLong(name: string, limit: string, what: 'pages' | 'tags'): TagwardenError {
  const message = `the tag list of ${name} is longer than ${limit}`
  return new TagwardenError('ERR_REGISTRY_LIMIT', message, {
    remedy: `Delete old tags at the registry; the limit on ${what} keeps memory bounded`,
  })
}
