import type { KubernetesObject, ResourceName } from '../cluster/index.ts'
import { availabilityOf } from '../promotion/index.ts'

interface Fields {
  readonly [field: string]: unknown
}

/**
 * Whether the pods of a workload should all be as it says by now. They need not while it rolls out,
 * while it is paused, where somebody else replaces its pods, and where each run has its own.
 */
export function isSettled(resource: ResourceName, object: KubernetesObject): boolean {
  const spec = part(object, 'spec')
  const strategy = part(spec, 'updateStrategy')
  const partition = part(strategy, 'rollingUpdate')['partition']
  if (resource.group === 'batch' && resource.kind === 'CronJob') return false
  if (spec['paused'] === true || strategy['type'] === 'OnDelete') return false
  if (typeof partition === 'number' && partition > 0) return false
  return availabilityOf(resource, object).state === 'available'
}

/** Whether a Pod or a Job has run to its end, and runs nothing any more. */
export function isFinished({ group, kind }: ResourceName, object: KubernetesObject): boolean {
  const status = part(object, 'status')
  if (group === '' && kind === 'Pod') {
    return status['phase'] === 'Succeeded' || status['phase'] === 'Failed'
  }
  if (group !== 'batch' || kind !== 'Job') return false
  const { conditions } = status
  return (
    Array.isArray(conditions) &&
    conditions.some((each) => /^(Complete|Failed)$/.test(each?.type) && each?.status === 'True')
  )
}

function part(object: object, key: string): Fields {
  const value: unknown = Object.hasOwn(object, key) ? (object as Fields)[key] : undefined
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}
