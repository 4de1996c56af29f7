import t from 'tap'
import { untilReachable } from '../../src/cli/reachable.ts'
import { ClusterError } from '../../src/cluster/index.ts'

const AWAY = new ClusterError('it refused the connection', { answer: 0, reason: 'Unreachable' })

function wait(answers: (ClusterError | undefined)[]) {
  let now = 0
  const lines: string[] = []
  const write = (_: object, text?: string) => void lines.push(text ?? '')
  let asked = 0
  const serves = async () => {
    const answer = answers[Math.min(asked, answers.length - 1)]
    asked += 1
    if (answer) throw answer
    return true
  }
  const done = untilReachable(
    { serves },
    { info: write, warn: write },
    {
      clock: () => now,
      sleep: async (ms) => {
        now += ms
      },
    },
  )
  return { done, lines, asked: () => asked, now: () => now }
}

t.test('an API server that comes later is waited for, and that is told once', async (t) => {
  const starting = new ClusterError('it answered 503', { answer: 503, reason: 'Unavailable' })
  const { done, lines, asked } = wait([AWAY, AWAY, starting, undefined])
  await done
  t.equal(asked(), 4)
  t.match(lines, [/^waiting: .*refused/, 'the API server answers'])
  t.equal(lines.length, 2)
})

t.test('roles that are not read yet are waited for, missing ones are not', async (t) => {
  const forbidden = new ClusterError('forbidden', { answer: 403, reason: 'Forbidden' })
  const early = wait([AWAY, forbidden, undefined])
  await early.done
  t.equal(early.asked(), 3)
  const never = wait([forbidden])
  await never.done
  t.ok(never.now() <= 12_000, 'what comes next says what is missing')
})

t.test('one that answers at once is asked once, in silence', async (t) => {
  const { done, lines, asked } = wait([undefined])
  await done
  t.equal(asked(), 1)
  t.strictSame(lines, [])
})

t.test('it is not waited for for ever, and a refusal ends it', async (t) => {
  const never = wait([AWAY])
  await t.rejects(never.done, /refused the connection/)
  t.ok(never.now() >= 150_000 && never.now() < 180_000, 'within the startup probe')
  const refused = new ClusterError('Unauthorized', { answer: 401, reason: 'Unauthorized' })
  const { done, asked } = wait([refused])
  await t.rejects(done, /Unauthorized/)
  t.equal(asked(), 1)
})
