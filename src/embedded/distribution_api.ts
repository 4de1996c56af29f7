import type { StoredRepository } from './stored_repository.ts'

/** A request to the API: what of an HTTP request it looks at. */
export interface ApiRequest {
  readonly method: string
  /** path and query, such as `/v2/acme/web/tags/list?n=100` */
  readonly path: string
}

/** The answer, ready to be written. A HEAD answer has the headers of the GET and no body. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/**
 * The read-only half of the OCI distribution API over repositories in memory: version check,
 * catalog, tag list with `n` and `last`, manifests and blobs.
 *
 * Source: OCI distribution-spec, "Pull" and "Content Discovery".
 */
export function answerApi(
  repositories: ReadonlyMap<string, StoredRepository>,
  request: ApiRequest,
): ApiAnswer {
  const url = URL.parse(request.path, 'http://registry')
  if (url === null) return refuse(400, 'NAME_INVALID')
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'UNSUPPORTED')
  const answer = route(repositories, url)
  return request.method === 'HEAD' ? { ...answer, body: Buffer.alloc(0) } : answer
}

function route(repositories: ReadonlyMap<string, StoredRepository>, url: URL): ApiAnswer {
  if (url.pathname === '/v2/' || url.pathname === '/v2') return json({})
  if (url.pathname === '/v2/_catalog')
    return json({ repositories: [...repositories.keys()].sort() })
  const match = /^\/v2\/(.+)\/(tags|manifests|blobs)\/([^/]+)$/.exec(url.pathname)
  const [, name = '', kind, last = ''] = match ?? []
  if (match === null) return refuse(404, 'UNSUPPORTED')
  const repository = repositories.get(name)
  if (repository === undefined) return refuse(404, 'NAME_UNKNOWN')
  if (kind === 'tags')
    return last === 'list' ? tagList(name, repository, url) : refuse(404, 'UNSUPPORTED')
  const reference = last.replace(/%3a/i, ':')
  return kind === 'manifests' ? manifest(repository, reference) : blob(repository, reference)
}

function tagList(name: string, repository: StoredRepository, url: URL): ApiAnswer {
  const size = url.searchParams.get('n')
  const after = url.searchParams.get('last')
  if (size !== null && !/^\d{1,9}$/.test(size)) return refuse(400, 'PAGINATION_NUMBER_INVALID')
  const all = [...repository.tags.keys()].sort()
  const rest = after === null ? all : all.filter((tag) => tag > after)
  const page = size === null ? rest : rest.slice(0, Number(size))
  const last = page.at(-1)
  if (last === undefined || page.length === rest.length) return json({ name, tags: page })
  const next = `/v2/${name}/tags/list?n=${size}&last=${encodeURIComponent(last)}`
  return json({ name, tags: page }, { Link: `<${next}>; rel="next"` })
}

function manifest(repository: StoredRepository, reference: string): ApiAnswer {
  const stored = repository.manifests.get(repository.tags.get(reference) ?? reference)
  if (stored === undefined) return refuse(404, 'MANIFEST_UNKNOWN')
  return content(stored.bytes, stored.mediaType, stored.digest)
}

function blob(repository: StoredRepository, digest: string): ApiAnswer {
  const bytes = repository.blobs.get(digest)
  if (bytes === undefined) return refuse(404, 'BLOB_UNKNOWN')
  return content(bytes, 'application/octet-stream', digest)
}

function content(body: Buffer, type: string, digest: string): ApiAnswer {
  return answer(200, body, type, { 'Docker-Content-Digest': digest, ETag: `"${digest}"` })
}

function json(value: object, headers: Record<string, string> = {}): ApiAnswer {
  return answer(200, Buffer.from(JSON.stringify(value)), 'application/json', headers)
}

/** An error answer as the specification shapes it. */
export function refuse(
  status: number,
  code: string,
  headers: Record<string, string> = {},
): ApiAnswer {
  const message = code.toLowerCase().replaceAll('_', ' ')
  const body = JSON.stringify({ errors: [{ code, message }] })
  return answer(status, Buffer.from(body), 'application/json', headers)
}

function answer(
  status: number,
  body: Buffer,
  type: string,
  headers: Record<string, string>,
): ApiAnswer {
  return {
    status,
    headers: {
      'Docker-Distribution-Api-Version': 'registry/2.0',
      'Content-Type': type,
      'Content-Length': String(body.length),
      ...headers,
    },
    body,
  }
}
