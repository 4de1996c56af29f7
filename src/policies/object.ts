import type { ObjectDocument } from './document.ts'
import { titleOf } from './draft.ts'
import { formatPath } from './flaw.ts'
import { readObject } from './kinds.ts'
import type { ParsedPolicies } from './parse.ts'

type Fields = Readonly<Record<string, unknown>>

/** What an object is, where it does not say so itself: the items of a list don't. */
export interface ObjectType {
  readonly apiVersion: string
  readonly kind: string
}

/**
 * Reads objects of the API server, or of a review: plain JSON, which is not written to. What is
 * wrong is said in the words that a file gets; a position names the object instead of a file,
 * such as `ImagePolicy shop/web`, and the field.
 *
 * @example
 *   const { resources, problems } = readObjects([object])
 *   const { set } = compilePolicies([...resources, ...others], { cache })
 */
export function readObjects(objects: Iterable<unknown>, type?: ObjectType): ParsedPolicies {
  const readings = Array.from(objects, (object) => readObject(documentOf(object, type)))
  return {
    resources: readings.flatMap((reading) => reading?.resources ?? []),
    problems: readings.flatMap((reading) => reading?.problems ?? []),
    skipped: readings.filter((reading) => reading === undefined).length,
  }
}

/**
 * One object, for readObject(). Checking fills in defaults, so it gets a copy of what it may write
 * to, and of no more. Keep its reading while the object does not change (its resourceVersion):
 * what was compiled of it is kept with it.
 */
export function documentOf(object: unknown, type?: ObjectType): ObjectDocument {
  const { apiVersion = type?.apiVersion, kind = type?.kind, metadata, spec } = fieldsOf(object)
  const { name, namespace, generateName } = fieldsOf(metadata)
  // before an object is made, it may have no name yet
  const known = name ?? (typeof generateName === 'string' ? generateName.replace(/\W+$/, '') : name)
  const file = titleOf(
    typeof kind === 'string' ? kind : 'object',
    typeof namespace === 'string' ? namespace : undefined,
    typeof known === 'string' ? known : '(no name)',
  )
  return {
    value: withoutAbsent({
      apiVersion,
      kind,
      metadata: withoutAbsent({ name: known, namespace }),
      spec: structuredClone(spec),
    }),
    position: { file },
    locate: (path) => ({ file, ...(path.length === 0 ? {} : { field: formatPath(path) }) }),
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {}
}

function withoutAbsent(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
