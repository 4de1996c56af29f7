import { groupOf } from '../images/index.ts'
import type { NamedObject, Workload } from '../policies/types.ts'
import { controllerReference } from './ownership.ts'
import { type AdmissionRequest, type JsonObject, objectAt, own } from './review.ts'

const NOBODY: readonly NamedObject[] = Object.freeze([])
/** The name of a Job that a CronJob made ends with the time in minutes. */
const CRON_JOB = /^(.+)-[0-9]{8,10}$/

/**
 * What an object under review is to those who match it.
 *
 * @param trusted whether the controller itself made it: its ownerReference then is no pretence
 */
export function workloadOf(
  request: AdmissionRequest,
  trusted: boolean,
  namespaceLabels: Workload['namespaceLabels'],
): Workload {
  const metadata = objectAt(request.object, 'metadata')
  const labels = objectAt(metadata, 'labels') as Workload['labels']
  return {
    namespace: request.namespace === '' ? undefined : request.namespace,
    groupKind: request.kind,
    name: nameOf(request, metadata),
    owners: trusted ? ownersOf(request.object, labels) : NOBODY,
    labels,
    namespaceLabels,
  }
}

function nameOf(request: AdmissionRequest, metadata: JsonObject): string | undefined {
  const written = own(metadata, 'name')
  if (typeof written === 'string' && written !== '') return written
  if (request.name !== '') return request.name
  const generated = own(metadata, 'generateName')
  return typeof generated === 'string' ? generated.replace(/-$/, '') : undefined
}

/** The owner, and whatever its name says of its own owner. */
function ownersOf(
  object: JsonObject | undefined,
  labels: Workload['labels'],
): readonly NamedObject[] {
  const reference = controllerReference(object)
  const [apiVersion, kind, name] = ['apiVersion', 'kind', 'name'].map(
    (key) => reference && own(reference, key),
  )
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') {
    return NOBODY
  }
  const owner = { group: groupOf(apiVersion), kind, name }
  const above = ownerAbove(owner, own(labels, 'pod-template-hash'))
  return above === undefined ? [owner] : [owner, above]
}

function ownerAbove({ group, kind, name }: NamedObject, hash: unknown): NamedObject | undefined {
  if (group === 'apps' && kind === 'ReplicaSet') {
    const known = typeof hash === 'string' && hash !== '' && name.endsWith(`-${hash}`)
    return known ? { group, kind: 'Deployment', name: name.slice(0, -hash.length - 1) } : undefined
  }
  const job = group === 'batch' && kind === 'Job' ? CRON_JOB.exec(name) : null
  return job ? { group, kind: 'CronJob', name: job[1]! } : undefined
}
