import { type Cluster, hasReason, type KubernetesObject } from '../cluster/index.ts'
import type { Place } from './movable.ts'

/** The name under which promotions stand in an object's managedFields, for a moment. */
export const FIELD_MANAGER = 'tagwarden-promoter'
/** So often another writer may come between. */
const MOST_ATTEMPTS = 10

interface FieldsEntry {
  readonly manager?: string
  readonly operation?: string
  readonly apiVersion?: string
  readonly subresource?: string
}

type Fields = readonly FieldsEntry[]

/** Whether a promotion has left its name on fields of an object. */
export function hasOwnFields(object: KubernetesObject): boolean {
  return fieldsOf(object).some(isOwn)
}

/**
 * What managedFields become so that nobody meets a conflict over an image that was promoted: our
 * own entry goes, and who applies the image server-side owns it again, as before.
 *
 * @param before as they were before the promotion; unknown: nobody owns the image until somebody
 *   applies it again
 * @param after as the promotion left them
 * @returns undefined: there is nothing to give back
 */
export function givenBack(before: Fields, after: Fields, now: Fields): Fields | undefined {
  if (!now.some(isOwn)) return undefined
  const of = (list: Fields, entry: FieldsEntry) => list.find((each) => isSame(each, entry))
  const rest = now
    .filter((each) => !isOwn(each))
    .map((each) => {
      const untouched = JSON.stringify(of(after, each)) === JSON.stringify(each)
      return (each.operation === 'Apply' && untouched && of(before, each)) || each
    })
  const lost = before.filter(
    (each) => each.operation === 'Apply' && !of(after, each) && !of(now, each),
  )
  // An empty list would mean to the API server that tracking begins anew.
  return rest.length + lost.length === 0 ? undefined : [...rest, ...lost]
}

/** Gives the fields of a promoted object back; who writes in between is waited for. */
export async function giveBackFields(
  cluster: Cluster,
  { resource, namespace, name }: Place,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
): Promise<void> {
  let now: KubernetesObject | undefined = after
  for (let attempt = 0; now !== undefined && attempt < MOST_ATTEMPTS; attempt += 1) {
    const fields = givenBack(before ? fieldsOf(before) : [], fieldsOf(after), fieldsOf(now))
    if (fields === undefined) return
    const body = [
      { op: 'replace', path: '/metadata/resourceVersion', value: now.metadata.resourceVersion },
      { op: 'replace', path: '/metadata/managedFields', value: fields },
    ]
    try {
      const options = { fieldManager: FIELD_MANAGER }
      await cluster.patch(resource, { namespace, name }, { type: 'json', body }, options)
      return
    } catch (error) {
      if (!hasReason(error, 'Conflict')) throw error
      now = await cluster.get(resource, { namespace, name })
    }
  }
}

function fieldsOf({ metadata }: KubernetesObject): Fields {
  return metadata.managedFields ?? []
}

function isOwn({ manager }: FieldsEntry): boolean {
  return manager === FIELD_MANAGER
}

function isSame(a: FieldsEntry, b: FieldsEntry): boolean {
  return (
    a.manager === b.manager &&
    a.operation === b.operation &&
    a.apiVersion === b.apiVersion &&
    a.subresource === b.subresource
  )
}
