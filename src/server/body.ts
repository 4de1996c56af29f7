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
  /** @returns leaves: at once where there is room; undefined when there was none in time */
  enter(bytes: number, ms: number): (() => void) | Promise<(() => void) | undefined>
}

export function createBodyQueue(): BodyQueue {
  let held = 0
  const waiting: (() => boolean)[] = []
  const admit = () => {
    while (waiting[0]?.()) waiting.shift()
  }
  const hold = (bytes: number) => {
    held += bytes
    let left = false
    return () => {
      if (left) return
      left = true
      held -= bytes
      admit()
    }
  }
  const isRoom = (bytes: number) => held === 0 || held + bytes <= HELD
  return {
    enter(bytes, ms) {
      if (waiting.length === 0 && isRoom(bytes)) return hold(bytes)
      const { promise, resolve } = Promise.withResolvers<(() => void) | undefined>()
      const turn = () => {
        if (!isRoom(bytes)) return false
        clearTimeout(timer)
        resolve(hold(bytes))
        return true
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(turn), 1)
        resolve(undefined)
        admit()
      }, ms)
      waiting.push(turn)
      return promise
    },
  }
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
  const bytes = length ?? limit
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()
  let chunks: Buffer[] = []
  let head: Buffer | undefined
  let size = 0
  let refused: BodyRefusal | undefined = bytes > limit ? 'too large' : undefined
  let entering: ReturnType<BodyQueue['enter']> | undefined
  const take = (chunk: Buffer) => {
    if (head === undefined) {
      head = chunk
      if (refused === undefined && bytes > LARGE_BODY) {
        entering = queue.enter(bytes, ms)
        if (entering instanceof Promise) {
          payload.pause()
          void entering.then((leave) => {
            if (leave === undefined) refused = 'too busy'
            payload.resume()
          })
        }
      }
    }
    size += chunk.length
    if (refused === undefined && size > limit) refused = 'too large'
    if (refused === undefined) chunks.push(chunk)
    else chunks = []
  }
  payload.on('data', take)
  payload.once('end', resolve)
  payload.once('error', reject)
  let release = NOTHING
  try {
    await ended
  } catch (error) {
    void Promise.resolve(entering).then((leave) => leave?.())
    throw error
  } finally {
    payload.off('data', take)
    payload.off('end', resolve)
    payload.off('error', reject)
  }
  if (entering) release = (await entering) ?? NOTHING
  if (refused === undefined) return { body: Buffer.concat(chunks, size), release }
  release()
  const uid = UID.exec(head?.subarray(0, 512).toString('latin1') ?? '')?.[1]
  return { refused, uid }
}
