import { TagwardenError } from '../errors.ts'
import { isTag } from '../images/index.ts'
import { eachOf, type Work } from '../pieces/index.ts'
import { inSlices } from '../scheduling/index.ts'
import type { Repository } from './endpoint.ts'
import type { HttpAnswer } from './http_message.ts'
import { jsonBody } from './json_body.ts'
import { nextLink } from './link.ts'
import { refusal } from './refusal.ts'
import type { Ask } from './session.ts'
import type { RegistryClock, RegistryLimits } from './types.ts'

const PAGE_SIZE = 1000
/** Characters that a tag may have on average. */
const LENGTH = 64
/** So many names of a page are looked at before others may go first: patterns take their time. */
const AT_ONCE = { bare: 1_000, excluding: 16 }

/**
 * Reads the whole tag list, page by page. Names that are no tags are left out, and what is excluded.
 * One that is longer than the limit is read no further.
 *
 * Source: OCI distribution-spec, "Listing Tags": `Link` may be relative.
 */
export async function readTagList(
  ask: Ask,
  repository: Repository,
  limits: RegistryLimits,
  clock: RegistryClock,
  excludes: ((tag: string) => boolean) | undefined,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const { name, path, endpoint } = repository
  const tags = new Set<string>()
  const read = new Set<string>()
  const page = (url: URL) =>
    ask({ repository, operation: 'tags', method: 'GET', url, limit: limits.tagPageBytes, signal })

  let room = limits.tags * LENGTH
  function* take(answer: HttpAnswer): Work<void> {
    const count = excludes ? AT_ONCE.excluding : AT_ONCE.bare
    yield* eachOf(namesOf(answer, name), count, (tag) => {
      if (typeof tag !== 'string') throw unusable(answer, name, 'is not a list of names')
      if (!isTag(tag) || tags.has(tag) || excludes?.(tag)) return
      tags.add(tag)
      room -= tag.length
      if (tags.size > limits.tags) throw tooLong(name, `${limits.tags} tags`, 'tags')
      if (room < 0) throw tooLong(name, `${limits.tags * LENGTH} characters`, 'tags')
    })
  }

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
    await inSlices(name, take(answer), signal)
    url = nextPage(answer, url, name)
    if (url !== undefined && read.has(url.href)) {
      throw unusable(answer, name, 'points to a page that was already read')
    }
  }
  return [...tags]
}

/** A registry without tags may say `null`; anything else that is no list of strings is refused. */
function namesOf(answer: HttpAnswer, name: string): readonly unknown[] {
  const { tags } = jsonBody(answer, `the tags of ${name}`)
  if (tags === null) return []
  if (Array.isArray(tags)) return tags
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
  // a status shows the message alone
  const message = `the tag list of ${name} is longer than ${limit}: leave out what no policy permits with the exclusionList of an ImageRepository`
  return new TagwardenError('ERR_REGISTRY_LIMIT', message, {
    remedy: `Delete old tags at the registry, or raise catalog.tagLimit; the limit on ${what} keeps memory bounded`,
  })
}
