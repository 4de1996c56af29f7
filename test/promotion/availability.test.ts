import t from 'tap'
import { CRON_JOBS, DAEMON_SETS, DEPLOYMENTS, STATEFUL_SETS } from '../../src/cluster/index.ts'
import { availabilityOf } from '../../src/promotion/availability.ts'

type State = 'available' | 'progressing' | 'failed'
type Row = [what: string, spec: object, status: unknown, state: State]

const at = (kind: { group: string; kind: string }, rows: readonly Row[]) => {
  for (const [what, spec, status, state] of rows) {
    const object = { metadata: { name: 'web', generation: 2 }, spec, status }
    t.equal(availabilityOf(kind, object).state, state, `${kind.kind}: ${what}`)
  }
}
const done = {
  ...{ observedGeneration: 2, replicas: 3, updatedReplicas: 3 },
  ...{ availableReplicas: 3, readyReplicas: 3 },
}
const exceeded = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }]

t.test('a Deployment is available as kubectl rollout status counts it', (t) => {
  at(DEPLOYMENTS, [
    ['all are there', { replicas: 3 }, done, 'available'],
    ['no status yet', { replicas: 3 }, undefined, 'progressing'],
    ['not observed yet', { replicas: 3 }, { ...done, observedGeneration: 1 }, 'progressing'],
    ['old ones are left', { replicas: 3 }, { ...done, replicas: 4 }, 'progressing'],
    ['too few are new', { replicas: 3 }, { ...done, updatedReplicas: 2 }, 'progressing'],
    ['too few are available', { replicas: 3 }, { ...done, availableReplicas: 2 }, 'progressing'],
    ['none are wanted', { replicas: 0 }, { observedGeneration: 2 }, 'available'],
    ['one is the default', {}, { ...done, replicas: 1, updatedReplicas: 1 }, 'available'],
    ['given up', { replicas: 3 }, { observedGeneration: 2, conditions: exceeded }, 'failed'],
    [
      'given up before',
      { replicas: 3 },
      { observedGeneration: 1, conditions: exceeded },
      'progressing',
    ],
    [
      'all there, though once given up',
      { replicas: 3 },
      { ...done, conditions: exceeded },
      'available',
    ],
    ['a status that is none', { replicas: 3 }, 'x', 'progressing'],
    [
      'conditions that are none',
      { replicas: 3 },
      { ...done, replicas: 4, conditions: {} },
      'progressing',
    ],
  ])
  t.end()
})

t.test('StatefulSets, DaemonSets and CronJobs', (t) => {
  const same = { ...done, updateRevision: 'a', currentRevision: 'a' }
  at(STATEFUL_SETS, [
    ['all are there', { replicas: 3 }, same, 'available'],
    ['rolling', { replicas: 3 }, { ...same, updateRevision: 'b' }, 'progressing'],
    ['not ready', { replicas: 3 }, { ...same, readyReplicas: 2 }, 'progressing'],
    [
      'a partition keeps the rest',
      { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
      { ...same, updateRevision: 'b', updatedReplicas: 1 },
      'available',
    ],
    [
      'a partition that is not reached',
      { replicas: 3, updateStrategy: { rollingUpdate: { partition: 1 } } },
      { ...same, updateRevision: 'b', updatedReplicas: 1 },
      'progressing',
    ],
    [
      'somebody else replaces the pods',
      { replicas: 3, updateStrategy: { type: 'OnDelete' } },
      { ...same, updateRevision: 'b' },
      'available',
    ],
    [
      'none are wanted',
      { replicas: 0 },
      { observedGeneration: 2, updateRevision: 'b' },
      'available',
    ],
  ])
  const daemon = {
    ...{ observedGeneration: 2, desiredNumberScheduled: 3 },
    ...{ numberAvailable: 3, updatedNumberScheduled: 3 },
  }
  at(DAEMON_SETS, [
    ['all are there', {}, daemon, 'available'],
    ['rolling', {}, { ...daemon, updatedNumberScheduled: 2 }, 'progressing'],
    ['not available', {}, { ...daemon, numberAvailable: 2 }, 'progressing'],
    [
      'somebody else replaces the pods',
      { updateStrategy: { type: 'OnDelete' } },
      { ...daemon, updatedNumberScheduled: 0 },
      'available',
    ],
  ])
  at(CRON_JOBS, [['nothing runs now', {}, undefined, 'available']])
  t.end()
})

t.test('a custom kind is available by its conditions or its phase', (t) => {
  const is = (type: string, status: string) => ({ conditions: [{ type, status }] })
  at({ group: 'argoproj.io', kind: 'Rollout' }, [
    ['no status at all', {}, undefined, 'available'],
    ['ready', {}, is('Ready', 'True'), 'available'],
    ['not ready', {}, is('Ready', 'False'), 'progressing'],
    ['ready is not known', {}, is('Ready', 'Unknown'), 'progressing'],
    ['available', {}, is('Available', 'True'), 'available'],
    ['not available', {}, is('Available', 'False'), 'progressing'],
    ['reconciling', {}, is('Reconciling', 'True'), 'progressing'],
    ['stalled', {}, is('Stalled', 'True'), 'failed'],
    ['given up', {}, { conditions: exceeded }, 'failed'],
    ['not observed', {}, { observedGeneration: 1, ...is('Ready', 'True') }, 'progressing'],
    ['not observed, as text', {}, { observedGeneration: '1', phase: 'Healthy' }, 'progressing'],
    ['healthy', {}, { observedGeneration: '2', phase: 'Healthy' }, 'available'],
    ['progressing', {}, { observedGeneration: '2', phase: 'Progressing' }, 'progressing'],
    ['paused', {}, { observedGeneration: '2', phase: 'Paused' }, 'progressing'],
    ['degraded', {}, { observedGeneration: '2', phase: 'Degraded' }, 'failed'],
    ['hostile', {}, { conditions: [null, 1, { type: '__proto__' }] }, 'available'],
  ])
  t.end()
})
