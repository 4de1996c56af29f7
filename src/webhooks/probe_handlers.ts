import { encodePatch, parseReview, type ReviewHandler, reviewAnswer } from '../admission/index.ts'
import { escapeKey, valueAt } from '../images/index.ts'
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
      const patch = { op: 'add', path: pathOf(SEEN_ANNOTATION), value: nonce } as const
      return reviewAnswer({
        ...{ uid, allowed: true },
        patch: nonce === '' ? undefined : encodePatch([patch]),
      })
    },
    'probe-validate': async (body) => {
      const { uid, nonce, seen } = readProbe(body)
      return reviewAnswer(
        nonce !== '' && nonce === seen
          ? { uid, allowed: true }
          : { uid, allowed: false, message: 'the mutating webhook was not called' },
      )
    },
  }
}

function readProbe(body: Buffer) {
  const { uid, object } = parseReview(body)
  const text = (key: string) => {
    const value = valueAt(object, pathOf(key))
    return typeof value === 'string' ? value : ''
  }
  return { uid, nonce: text(NONCE_ANNOTATION), seen: text(SEEN_ANNOTATION) }
}

function pathOf(annotation: string): string {
  return `/metadata/annotations/${escapeKey(annotation)}`
}
