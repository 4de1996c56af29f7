import type { ResourceName } from '../cluster/index.ts'

/** Whether what a workload was told to run is there. */
export type Availability =
  | { readonly state: 'available' | 'progressing' }
  | { readonly state: 'failed'; readonly why: string }

interface Status {
  readonly [field: string]: unknown
}

const AVAILABLE: Availability = { state: 'available' }
const PROGRESSING: Availability = { state: 'progressing' }

/**
 * Whether every replica of a workload runs its present template and is available, by its status:
 * for the built-in kinds as `kubectl rollout status` counts it, for custom ones by the conditions
 * of kstatus and by Argo Rollouts' phase.
 *
 * @see https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
 */
export function availabilityOf(
  { group, kind }: Pick<ResourceName, 'group' | 'kind'>,
  object: object,
): Availability {
  const spec = part(object, 'spec')
  const status = part(object, 'status')
  // A new Job is made of it at its next time; nothing of it runs now.
  if (group === 'batch' && kind === 'CronJob') return AVAILABLE
  const builtIn = group === 'apps' ? BUILT_IN[kind] : undefined
  const observed = status['observedGeneration']
  const generation = count(part(object, 'metadata')['generation'])
  // Argo Rollouts writes it as text.
  if (observed === undefined ? builtIn !== undefined : Number(observed) < generation) {
    return PROGRESSING
  }
  return builtIn ? builtIn(spec, status) : custom(status)
}

const BUILT_IN: Readonly<Record<string, (spec: Status, status: Status) => Availability>> = {
  Deployment(spec, status) {
    const wanted = count(spec['replicas'] ?? 1)
    const progress = condition(status, 'Progressing')
    const done =
      count(status['updatedReplicas']) >= wanted &&
      count(status['replicas']) <= count(status['updatedReplicas']) &&
      count(status['availableReplicas']) >= wanted
    if (done) return AVAILABLE
    return progress?.status === 'False' ? failed(progress) : PROGRESSING
  },
  StatefulSet(spec, status) {
    const wanted = count(spec['replicas'] ?? 1)
    const ready =
      count(status['readyReplicas']) >= wanted &&
      count(status['availableReplicas'] ?? status['readyReplicas']) >= wanted
    const strategy = part(spec, 'updateStrategy')
    // Pods are replaced by somebody else, whenever that is.
    if (strategy['type'] === 'OnDelete') return ready ? AVAILABLE : PROGRESSING
    const partition = count(part(strategy, 'rollingUpdate')['partition'])
    const updated =
      partition > 0
        ? count(status['updatedReplicas']) >= wanted - partition
        : status['updateRevision'] === status['currentRevision'] || wanted === 0
    return ready && updated ? AVAILABLE : PROGRESSING
  },
  DaemonSet(spec, status) {
    const wanted = count(status['desiredNumberScheduled'])
    const available = count(status['numberAvailable']) >= wanted
    const onDelete = part(spec, 'updateStrategy')['type'] === 'OnDelete'
    const updated = onDelete || count(status['updatedNumberScheduled']) >= wanted
    return available && updated ? AVAILABLE : PROGRESSING
  },
}

function custom(status: Status): Availability {
  const stalled = condition(status, 'Stalled')
  if (stalled?.status === 'True') return failed(stalled)
  const phase = status['phase']
  if (phase === 'Degraded') return { state: 'failed', why: `its phase is ${phase}` }
  if (phase === 'Progressing' || phase === 'Paused') return PROGRESSING
  if (condition(status, 'Reconciling')?.status === 'True') return PROGRESSING
  const progress = condition(status, 'Progressing')
  if (progress?.status === 'False' && progress.reason === 'ProgressDeadlineExceeded') {
    return failed(progress)
  }
  for (const type of ['Ready', 'Available']) {
    const found = condition(status, type)
    if (found) return found.status === 'True' ? AVAILABLE : PROGRESSING
  }
  return AVAILABLE
}

interface Condition {
  readonly type: string
  readonly status?: unknown
  readonly reason?: unknown
  readonly message?: unknown
}

function condition(status: Status, type: string): Condition | undefined {
  const conditions = status['conditions']
  return Array.isArray(conditions) ? conditions.find((each) => each?.type === type) : undefined
}

function failed({ type, reason, message }: Condition): Availability {
  const text = [reason, message].filter((each) => typeof each === 'string' && each !== '')
  return { state: 'failed', why: `${[type, ...text].join(': ')}`.slice(0, 300) }
}

function part(object: object, key: string): Status {
  const value: unknown = Object.hasOwn(object, key) ? (object as Status)[key] : undefined
  return typeof value === 'object' && value !== null ? (value as Status) : {}
}

function count(value: unknown): number {
  return typeof value === 'number' && value > 0 ? value : 0
}
