import type { Readable } from 'node:stream'

/** A larger body waits for its turn, so that many at once do not fill the memory. */
export const LARGE_BODY = 1024 * 1024
/** So many bytes of large bodies are held at a time; a single one may be larger. */
const HELD = 64 * 1024 * 1024
/** The API server writes the uid first. */
const UID =
  /^\{"kind":"AdmissionReview","apiVersion":"admission\.k8s\.io\/v1","request":\{"uid":"([^"\\]{1,256})"/

const NOTHING = () => {}

/** Why a body is not given to anybody. */
export type BodyRefusal = 'too large' | 'too busy'

/** A body that was read, or why it was thrown away. */
export type ReadBody =
  | { readonly body: Buffer; readonly release: () => void }
  | { readonly refused: BodyRefusal; readonly uid: string | undefined }

/** Lets large bodies in, one after the other. */
export interface BodyQueue {
  /** @returns leaves; undefined when there was no room in time */
  enter(bytes: number, ms: number): Promise<(() => void) | undefined>
}

export function createBodyQueue(): BodyQueue {
  let held = 0
  const waiting: (() => boolean)[] = []
  const admit = () => {
    while (waiting[0]?.()) waiting.shift()
  }
  return {
    enter(bytes, ms) {
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>()
      const turn = () => {
        if (held > 0 && held + bytes > HELD) return false
        held += bytes
        clearTimeout(timer)
        let left = false
        resolve(() => {
          if (left) return
          left = true
          held -= bytes
          admit()
        })
        return true
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(turn), 1)
        resolve(undefined)
        admit()
      }, ms)
      waiting.push(turn)
      admit()
      return promise
    },
  }
}

/** Nearly every one; an iterator would cost more than the rest. */
function readSmall(payload: Readable): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const chunks: Buffer[] = []
  payload.on('data', (chunk: Buffer) => chunks.push(chunk))
  payload.once('end', () => resolve(Buffer.concat(chunks)))
  payload.once('error', reject)
  return promise
}

/**
 * Reads a body. One that is too large, or for which there is no room in time, is read to its end
 * all the same, so that whoever sends it hears the answer.
 *
 * @param length as the sender says; undefined: it does not
 * @param ms how long there may be no room
 */
export async function readBody(
  payload: Readable,
  how: {
    readonly length: number | undefined
    readonly limit: number
    readonly queue: BodyQueue
    readonly ms: number
  },
): Promise<ReadBody> {
  const { length, limit, queue, ms } = how
  if (length !== undefined && length <= Math.min(LARGE_BODY, limit)) {
    return { body: await readSmall(payload), release: NOTHING }
  }
  let chunks: Buffer[] = []
  let head: Buffer | undefined
  let size = 0
  let refused: BodyRefusal | undefined =
    length !== undefined && length > limit ? 'too large' : undefined
  let release = NOTHING
  try {
    for await (const chunk of payload as AsyncIterable<Buffer>) {
      if (head === undefined) {
        head = chunk.subarray(0, 512)
        if (refused === undefined && (length ?? limit) > LARGE_BODY) {
          const leave = await queue.enter(length ?? limit, ms)
          if (leave) release = leave
          else refused = 'too busy'
        }
      }
      size += chunk.length
      if (refused === undefined && size > limit) refused = 'too large'
      if (refused === undefined) chunks.push(chunk)
      else chunks = []
    }
  } catch (error) {
    release()
    throw error
  }
  if (refused === undefined) return { body: Buffer.concat(chunks, size), release }
  release()
  return { refused, uid: UID.exec(head?.toString('latin1') ?? '')?.[1] }
}
