import t from 'tap'
import {
  type CompiledException,
  exceptionState,
  exceptionStatus,
  nextState,
} from '../../src/policies/index.ts'
import { read } from './reading.ts'

const DAY = 86_400_000
const END = Date.UTC(2026, 11, 1)

function exception(expires = '2026-12-01T00:00:00Z') {
  return read(
    JSON.stringify({
      apiVersion: 'tagwarden.io/v1alpha1',
      kind: 'ImagePolicyException',
      metadata: { name: 'x', namespace: 'shop' },
      spec: { images: ['ghcr.io/acme/web'], reason: 'OPS-123', expires },
    }),
  )
}

const known = exception().set.allExceptions[0] as CompiledException

t.test('an exception is active, expires soon, and has expired, to the millisecond', (t) => {
  const rows: [now: number, state: string, next: number | undefined][] = [
    [0, 'Active', END - 7 * DAY],
    [END - 7 * DAY - 1, 'Active', END - 7 * DAY],
    [END - 7 * DAY, 'ExpiresSoon', END],
    [END - 1, 'ExpiresSoon', END],
    [END, 'Expired', undefined],
    [END + DAY, 'Expired', undefined],
  ]
  for (const [now, state, next] of rows) {
    t.equal(exceptionState(known, now), state, String(now - END))
    t.equal(nextState(known, now), next, String(now - END))
  }
  t.end()
})

t.test('its status says what it is, and what to do', (t) => {
  const facts = { exception: known, problems: [], generation: 3, before: undefined }
  const at = (now: number) => exceptionStatus({ ...facts, now })
  t.strictSame(at(END - 30 * DAY), {
    observedGeneration: 3,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Active',
        message: 'counts until 2026-12-01T00:00:00Z',
        observedGeneration: 3,
        lastTransitionTime: '2026-11-01T00:00:00Z',
      },
    ],
    expired: false,
  })
  t.match(at(END - DAY), {
    conditions: [{ status: 'True', reason: 'ExpiresSoon', message: /give it another end$/ }],
  })
  t.match(at(END), {
    conditions: [{ status: 'False', reason: 'Expired', message: /delete it, or give it/ }],
    expired: true,
  })
  t.end()
})

t.test('nothing is written where nothing changed, and the time of a change is kept', (t) => {
  const facts = { exception: known, problems: [], generation: 3 }
  const first = exceptionStatus({ ...facts, before: undefined, now: END - 30 * DAY })
  t.strictSame(exceptionStatus({ ...facts, before: first, now: END - 20 * DAY }), first)
  const soon = exceptionStatus({ ...facts, before: first, now: END - DAY })
  t.match(soon.conditions, [{ reason: 'ExpiresSoon', lastTransitionTime: '2026-11-01T00:00:00Z' }])
  const over = exceptionStatus({ ...facts, before: soon, now: END + 999 })
  t.match(over.conditions, [{ reason: 'Expired', lastTransitionTime: '2026-12-01T00:00:00Z' }])
  t.end()
})

t.test('what is wrong with one is in its status', (t) => {
  const { problems } = exception('2026-02-30T00:00:00Z')
  t.equal(problems.length, 1)
  const facts = { exception: undefined, generation: undefined, before: undefined, now: END }
  const status = exceptionStatus({ ...facts, problems })
  const says = { reason: 'Invalid', message: /spec\.expires: "2026-02-30T00:00:00Z" is no day/ }
  t.match(status, {
    conditions: [
      { type: 'Ready', status: 'False', ...says },
      { type: 'Stalled', status: 'True', ...says },
    ],
    expired: false,
  })
  t.notOk('observedGeneration' in status)
  const many = exceptionStatus({ ...facts, problems: Array(500).fill(problems[0]) })
  t.equal(many.conditions?.[0]?.message.length, 1024)
  t.end()
})
