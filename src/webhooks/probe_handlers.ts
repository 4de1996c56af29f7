import { parseReview, type ReviewHandler, writeResponse } from '../admission/index.ts'
import { NONCE_ANNOTATION, SEEN_ANNOTATION } from './configuration.ts'

/** The paths of the probe, as names of handlers for the server. */
export type ProbePath = 'probe-mutate' | 'probe-validate'

/**
 * What answers the probe: the mutating one copies the nonce into a second annotation, and the
 * validating one lets only an object with both pass. Neither keeps anything.
 *
 * @example
 *   createServer({ handlers: { ...createReviewHandlers(options), ...createProbeHandlers() }, … })
 */
export function createProbeHandlers(): Record<ProbePath, ReviewHandler> {
  return {
    'probe-mutate': async (body) => {
      const { uid, nonce } = readProbe(body)
      const path = `/metadata/annotations/${SEEN_ANNOTATION.replaceAll('/', '~1')}`
      const patch = JSON.stringify([{ op: 'add', path, value: nonce }])
      return answer(
        nonce === ''
          ? { uid, allowed: true }
          : { uid, allowed: true, patch: Buffer.from(patch).toString('base64') },
      )
    },
    'probe-validate': async (body) => {
      const { uid, nonce, seen } = readProbe(body)
      return answer(
        nonce !== '' && nonce === seen
          ? { uid, allowed: true }
          : { uid, allowed: false, message: 'the mutating webhook was not called' },
      )
    },
  }
}

function readProbe(body: Buffer) {
  const { uid, object } = parseReview(body)
  const annotations = new Map(Object.entries(annotationsOf(object)))
  const text = (key: string) => {
    const value = annotations.get(key)
    return typeof value === 'string' ? value : ''
  }
  return { uid, nonce: text(NONCE_ANNOTATION), seen: text(SEEN_ANNOTATION) }
}

function annotationsOf(object: unknown): object {
  const { metadata } = (object ?? {}) as { metadata?: { annotations?: unknown } }
  const annotations = metadata?.annotations
  return typeof annotations === 'object' && annotations !== null ? annotations : {}
}

function answer(response: Parameters<typeof writeResponse>[0]) {
  return { status: 200, body: writeResponse(response) }
}
