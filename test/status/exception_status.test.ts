import t from 'tap'
import { TagwardenError } from '../../src/errors.ts'
import type { CompiledException } from '../../src/policies/types.ts'
import { exceptionStateOf, exceptionStatusOf } from '../../src/status/index.ts'
import { HOUR, NOW } from '../fakes/facts.ts'

const DAY = 24 * HOUR

function object(expires: number, problems: readonly TagwardenError[] = []) {
  const exception = { expires } as CompiledException
  return { generation: 1, exception: problems.length > 0 ? undefined : exception, problems }
}

function told(expires: number, now: number): string {
  const { conditions = [], expired } = exceptionStatusOf(object(expires), undefined, now)
  const lines = conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`)
  return `${lines.join(', ')}, ${expired ? 'expired' : 'counts'}`
}

t.test('an exception says that it counts, that it ends soon, and that it ended', (t) => {
  const expires = NOW + 30 * DAY
  const rows: [at: number, expected: string][] = [
    [NOW, 'Ready=True Active, counts'],
    [expires - 7 * DAY - 1, 'Ready=True Active, counts'],
    [expires - 7 * DAY, 'Ready=True ExpiresSoon, counts'],
    [expires - 1, 'Ready=True ExpiresSoon, counts'],
    [expires, 'Ready=True Expired, expired'],
    [expires + 1_000 * DAY, 'Ready=True Expired, expired'],
  ]
  for (const [at, expected] of rows) t.equal(told(expires, at), expected)
  t.end()
})

t.test('it is known when that changes by itself', (t) => {
  const expires = NOW + 30 * DAY
  const at = (now: number) => exceptionStateOf(object(expires), now).until
  t.equal(at(NOW), expires - 7 * DAY)
  t.equal(at(expires - 7 * DAY), expires)
  t.equal(at(expires), undefined)
  t.end()
})

t.test('a wrong one says what is wrong and that it lets nothing through', (t) => {
  const wrong = new TagwardenError('ERR_INVALID_POLICY', 'is missing', {
    remedy: 'Say why, such as a ticket',
    position: { file: 'ImagePolicyException shop/x', field: 'spec.reason' },
  })
  const { conditions, expired } = exceptionStatusOf(object(NOW, [wrong]), undefined, NOW)
  t.equal(expired, false)
  t.match(conditions, [
    {
      type: 'Ready',
      status: 'False',
      reason: 'InvalidException',
      message:
        'spec.reason: is missing. Say why, such as a ticket. Until then it lets nothing through',
    },
    { type: 'Stalled', status: 'True' },
  ])
  t.end()
})

t.test('the end is told to the second', (t) => {
  const { conditions } = exceptionStatusOf(object(NOW + DAY), undefined, NOW)
  t.match(conditions?.[0]?.message, /^counts until 2026-11-25T12:00:00Z only\. /)
  t.end()
})
