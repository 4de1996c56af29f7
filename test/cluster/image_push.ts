import { type Dispatcher, request } from 'undici'
import { addImage, createStoredRepository } from '../../src/embedded/index.ts'

/** Where and as whom to push. */
export interface PushTarget {
  readonly url: string
  readonly dispatcher: Dispatcher
  /** the header field Authorization */
  readonly authorization: string
}

/**
 * Pushes a small real image through the registry's API: one manifest, or an index where there
 * are several platforms. Returns the digest behind the tag. OCI dist-spec, section Push.
 */
export async function pushImage(
  target: PushTarget,
  repository: string,
  tag: string,
  platforms: readonly string[],
): Promise<string> {
  const stored = createStoredRepository()
  const digest = addImage(stored, { title: `${repository} ${tag}`, platforms })
  const base = `${target.url}/v2/${repository}`
  for (const [name, blob] of stored.blobs) {
    const upload = new URL(await send(target, 'POST', `${base}/blobs/uploads/`, 202), base)
    upload.searchParams.set('digest', name)
    await send(target, 'PUT', upload.href, 201, 'application/octet-stream', blob)
  }
  // An index comes after the manifests that it names.
  const manifests = [...stored.manifests].filter(([name]) => name !== digest)
  const top = stored.manifests.get(digest)
  if (top === undefined) throw new Error(`${digest} was not stored`)
  for (const [name, { mediaType, bytes }] of [...manifests, [tag, top] as const]) {
    await send(target, 'PUT', `${base}/manifests/${name}`, 201, mediaType, bytes)
  }
  return digest
}

/** Gives the header field Location; throws on another status than the one expected. */
async function send(
  target: PushTarget,
  method: 'POST' | 'PUT',
  url: string,
  expected: number,
  type = 'application/octet-stream',
  body: Buffer = Buffer.alloc(0),
): Promise<string> {
  const { dispatcher, authorization } = target
  const headers = { authorization, 'content-type': type }
  const answer = await request(url, { method, dispatcher, headers, body })
  const text = await answer.body.text()
  if (answer.statusCode !== expected) {
    throw new Error(`${method} ${url}: ${answer.statusCode} instead of ${expected}: ${text}`)
  }
  return String(answer.headers['location'] ?? '')
}
