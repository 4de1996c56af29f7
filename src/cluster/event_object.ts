import { randomBytes } from 'node:crypto'
import { microTime } from './lease.ts'
import { EVENTS, typeMetaOf } from './resources.ts'
import type { ClusterEvent, KubernetesObject } from './types.ts'

/** An event that is written, or is to be; equal ones only count. */
export interface CountedEvent {
  readonly event: ClusterEvent
  /** ms since the epoch */
  readonly first: number
  last: number
  count: number
}

/** Who reports. */
export interface Reporter {
  readonly controller: string
  readonly instance: string
}

/** Limits of the API server, in bytes. */
const LONGEST_NOTE = 1_024
const LONGEST_WORD = 128
/** Of a name, what leaves room for its end. */
const LONGEST_NAME = 230

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
export function eventObject(
  counted: CountedEvent,
  reporter: Reporter,
): KubernetesObject & Readonly<Record<string, unknown>> {
  const { event, first } = counted
  const { apiVersion, kind, namespace, name, uid } = event.about
  const reason = cut(event.reason, LONGEST_WORD)
  const start = name
    .slice(0, LONGEST_NAME)
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
  return {
    ...typeMetaOf(EVENTS),
    metadata: {
      // what is in no namespace has its events in this one
      namespace: namespace ?? 'default',
      name: [start, randomBytes(8).toString('hex')].filter(Boolean).join('.'),
    },
    eventTime: microTime(first),
    reportingController: reporter.controller,
    reportingInstance: cut(reporter.instance, LONGEST_WORD),
    action: reason,
    reason,
    regarding: { apiVersion, kind, namespace, name, uid },
    note: cut(event.message, LONGEST_NOTE),
    type: event.type,
    ...(counted.count > 1 && seriesOf(counted)),
  }
}

/** The part of an event that changes. */
export function seriesOf({ count, last }: CountedEvent): { readonly series: object } {
  return { series: { count, lastObservedTime: microTime(last) } }
}

/** Equal for events that are to become one. */
export function eventKey({ about, type, reason, message }: ClusterEvent): string {
  return JSON.stringify([objectKey(about), type, reason, cut(message, LONGEST_NOTE)])
}

export function objectKey({ kind, namespace = '', name, uid = '' }: ClusterEvent['about']): string {
  return `${kind} ${namespace}/${name} ${uid}`
}

/** At most so many bytes, without half a character at the end. */
function cut(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text
  const end = Buffer.from(text)
    .subarray(0, bytes - 3)
    .toString()
    .replace(/\ufffd+$/, '')
  return `${end}…`
}
