import type { Cluster, KubernetesObject } from '../cluster/index.ts'
import { formatSpan } from '../decisions/index.ts'
import { findImages, type ImageField } from '../images/index.ts'
import type { Timer } from '../scheduling/index.ts'
import { availabilityOf } from './availability.ts'
import { type Place, whyUnmoved } from './movable.ts'

/** How a wait ended. */
export type Waited =
  | { readonly end: 'available' | 'gone' | 'aborted' }
  | { readonly end: 'failed'; readonly why: string; readonly uid: string | undefined }

export interface WaitOptions {
  readonly cluster: Cluster
  readonly timer: Timer
  readonly fields: readonly ImageField[]
  /** ms from now */
  readonly within: number
  /** ms, for words */
  readonly limit: number
  /** the images that must still be there */
  readonly images: readonly string[]
}

/** Waits until a workload is available; one watch, for as long as that takes. */
export function waitUntilAvailable(
  { resource, namespace, name }: Place,
  { cluster, timer, fields, within, limit, images }: WaitOptions,
  signal: AbortSignal,
): Promise<Waited> {
  return new Promise((resolve) => {
    let uid: string | undefined
    let seen = false
    const end = (waited: Waited) => {
      cancel()
      signal.removeEventListener('abort', abort)
      void watching.close()
      resolve(waited)
    }
    const abort = () => end({ end: 'aborted' })
    const cancel = timer(
      () => end({ end: 'failed', uid, why: `it is not available after ${formatSpan(limit)}` }),
      Math.max(0, within),
    )
    const watching = cluster.watch<KubernetesObject>(
      resource,
      { namespace, fieldSelector: `metadata.name=${name}` },
      {
        upsert(object) {
          seen = true
          uid = object.metadata.uid
          // Held or paused, it counts no more, as in the plan of another leader.
          if (whyUnmoved(object) !== undefined) return end({ end: 'gone' })
          const found = new Set(findImages(object, resource, fields).map(({ value }) => value))
          if (!images.every((image) => found.has(image))) {
            return end({ end: 'failed', uid, why: 'somebody has changed its image since' })
          }
          const availability = availabilityOf(resource, object)
          if (availability.state === 'available') end({ end: 'available' })
          if (availability.state === 'failed') end({ end: 'failed', uid, why: availability.why })
        },
        remove: () => end({ end: 'gone' }),
      },
    )
    void watching.synced.then(() => {
      if (!seen) end({ end: 'gone' })
    })
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
  })
}
