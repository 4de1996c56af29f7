import type { Access } from './access.ts'
import { ClusterError } from './cluster_error.ts'
import {
  late,
  refusal,
  statusOf,
  strangeAnswer,
  tooLarge,
  unreachable,
  unusableAnswer,
} from './failure.ts'
import { createLineSplitter } from './lines.ts'
import { open, readBody } from './transport.ts'
import type { KubernetesObject } from './types.ts'

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export interface WatchEvent<T extends KubernetesObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: T
}

export interface StreamRequest {
  readonly what: string
  readonly path: string
  readonly server: string
  readonly access: Access
  readonly signal: AbortSignal
  /** ms without a byte after which the connection counts as dead */
  readonly silence: () => number
}

/** More than etcd stores of one object. */
const LARGEST_EVENT = 8 * 1024 * 1024
const FIRST_WORD_MS = 30_000

/**
 * The events of one watch request, as many at once as came at once. The first that is given is
 * an empty list: the API server has agreed. A line that the connection cut is left out.
 *
 * @throws ClusterError also for an ERROR event, with the code and reason of its Status
 */
export async function* watchEvents<T extends KubernetesObject>(
  request: StreamRequest,
): AsyncGenerator<readonly WatchEvent<T>[]> {
  const { what, path, server, access, signal, silence } = request
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  let timer: NodeJS.Timeout | undefined
  let silent = 0
  const listen = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      silent = ms
      controller.abort()
    }, ms).unref()
  }
  try {
    listen(FIRST_WORD_MS)
    const timing = { signal: controller.signal, silence: 0 }
    const answer = await open(server, access, { method: 'GET', path }, timing)
    if (answer.status !== 200) {
      const { body } = await readBody(what, answer, LARGEST_EVENT)
      throw refusal(what, answer.status, statusOf(parsed(body)))
    }
    if (!/^application\/json\b/.test(String(answer.headers['content-type']))) {
      throw strangeAnswer(what, answer)
    }
    yield []
    const splitter = createLineSplitter(LARGEST_EVENT)
    listen(silence())
    for await (const chunk of answer.body) {
      listen(silence())
      const events = splitter.push(chunk as Buffer).map((line) => eventOf<T>(what, line))
      if (events.length > 0) yield events
    }
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(what, 200, LARGEST_EVENT)
    if (silent > 0) throw late(what, server, silent)
    throw unreachable(what, server, error)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    controller.abort()
  }
}

function eventOf<T extends KubernetesObject>(what: string, line: Buffer): WatchEvent<T> {
  const value = parsed(line)
  const { type, object } = (value ?? {}) as Partial<WatchEvent<T>> & { type?: string }
  switch (type as string) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      if (object?.metadata?.name && object.metadata.resourceVersion) break
      throw unusableAnswer(what, 'an event has no object')
    case 'BOOKMARK':
      if (object?.metadata?.resourceVersion) break
      throw unusableAnswer(what, 'a bookmark has no version')
    case 'ERROR': {
      const status = statusOf(object)
      const known = refusal(what, status?.code ?? 500, status)
      throw new ClusterError(known.message, {
        answer: known.answer,
        reason: known.answer === 410 ? 'Expired' : known.reason,
      })
    }
    default:
      throw unusableAnswer(what, 'a line is no event')
  }
  return value as WatchEvent<T>
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString())
  } catch {
    return undefined
  }
}
