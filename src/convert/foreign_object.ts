import { formatPosition } from '../errors.ts'
import { groupOf } from '../images/index.ts'
import type { ObjectDocument } from '../policies/index.ts'
import type { Fields, Source } from './types.ts'

/** An object of somebody else's kind, as far as it can be relied on. */
export interface ForeignObject {
  readonly value: Fields
  readonly group: string
  readonly kind: string
  readonly name: string
  /** undefined where it names none that can be one */
  readonly namespace: string | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly source: Source
}

/** What is no workload: its labels are not those of the workloads that it speaks of. */
const SPEAKERS = new Set([
  ...['Application', 'ImageUpdater'],
  ...['ImagePolicy', 'ImageRepository', 'Kustomization'],
])
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Reads what is around a spec; undefined if it is no object of Kubernetes. */
export function foreignObject({ value, position }: ObjectDocument): ForeignObject | undefined {
  const object = fieldsOf(value)
  const { apiVersion, kind } = object
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined
  const metadata = fieldsOf(object['metadata'])
  const name = textOf(metadata['name']) ?? textOf(metadata['generateName']) ?? ''
  const namespace = textOf(metadata['namespace'])
  const labels = textsOf(metadata['labels'])
  const place = formatPosition({ ...position, column: undefined })
  const title = `${kind} ${namespace === undefined ? name : `${namespace}/${name}`} (${place})`
  return {
    value: object,
    group: groupOf(apiVersion),
    kind,
    name,
    namespace: namespace !== undefined && NAMESPACE.test(namespace) ? namespace : undefined,
    labels,
    annotations: textsOf(metadata['annotations']),
    source: { title, labels: SPEAKERS.has(kind) ? {} : labels },
  }
}

/** The value below some keys; undefined where there is none. */
export function below(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce((at: unknown, key) => fieldsOf(at)[key], value)
}

/** An object's own fields; none of anything else. */
export function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  return Object.assign(Object.create(null), value)
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A text that is not empty. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Keys with a text, a number or a truth, as YAML gives annotations that nobody put in quotes. */
function textsOf(value: unknown): Readonly<Record<string, string>> {
  const texts: Record<string, string> = Object.create(null)
  for (const [key, each] of Object.entries(fieldsOf(value))) {
    if (['string', 'number', 'boolean'].includes(typeof each)) texts[key] = String(each)
  }
  return texts
}
