import t from 'tap'
import { timelineJson, timelineLines, timelineOf } from '../../src/cli/timeline.ts'
import type { RepositorySnapshot } from '../../src/decisions/index.ts'
import { digest, HOUR, NOW, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'

/** v1.0.0 was there from the beginning, and was pushed again. */
function moved(): RepositorySnapshot {
  const base = snapshot(NAME, {
    'v1.0.0': { digest: digest('b'), firstSeen: NOW - 5 * HOUR },
    'v0.9.0': { digest: digest('c'), firstSeen: NOW - 5 * HOUR },
    'v1.1.0': { digest: digest('d'), firstSeen: NOW - 2 * HOUR },
  })
  const history = [
    { digest: digest('a'), firstSeen: NOW - 5 * HOUR },
    { digest: digest('b'), firstSeen: NOW - HOUR },
  ]
  return { ...base, history: (tag) => (tag === 'v1.0.0' ? history : base.history(tag)) }
}

t.test('a timeline has what appeared, what was pushed again, and what was promoted', (t) => {
  const promotion = { at: NOW, policy: 'ImagePolicy shop/web', tag: 'v1.1.0', count: 1 }
  const events = timelineOf(moved(), [promotion])
  t.strictSame(timelineLines(NAME, events), [
    'timeline of ghcr.io/acme/web, as this index has seen it',
    '  2026-11-24 12:00Z  ImagePolicy shop/web moved 1 workload to v1.1.0',
    '  2026-11-24 11:00Z  v1.0.0 was pushed again, with another digest',
    `                     from ${digest('a')} (since 2026-11-24 07:00Z)`,
    `                     to   ${digest('b')}`,
    '  2026-11-24 10:00Z  first seen: v1.1.0',
    '  2026-11-24 07:00Z  the index began, with v0.9.0, v1.0.0',
  ])
  t.match(timelineJson(events), [
    { at: '2026-11-24T12:00:00.000Z', event: 'promoted', tag: 'v1.1.0', count: 1 },
    {
      event: 'moved',
      tag: 'v1.0.0',
      from: { digest: digest('a'), since: '2026-11-24T07:00:00.000Z' },
      to: digest('b'),
    },
    { event: 'seen', count: 1, tags: ['v1.1.0'] },
    { event: 'begun', count: 2 },
  ])
  t.end()
})

t.test('of a long timeline the newest events are shown, with how many there were before', (t) => {
  const tags = Object.fromEntries(
    Array.from({ length: 500 }, (_, at) => [`v1.0.${at}`, { firstSeen: NOW - at * HOUR }]),
  )
  const events = timelineOf(snapshot(NAME, tags))
  t.equal(timelineLines(NAME, events).length, 14)
  t.match(timelineLines(NAME, events).at(-1), /^ {2}and 488 before that$/)
  t.equal(timelineJson(events).length, 100)
  const together = Object.fromEntries(Object.keys(tags).map((tag) => [tag, { firstSeen: NOW }]))
  t.match(timelineLines(NAME, timelineOf(snapshot(NAME, together)))[1], /with 500 tags: .*, …$/)
  t.match(timelineJson(timelineOf(snapshot(NAME, together))), [{ count: 500 }])
  t.strictSame(timelineLines(NAME, timelineOf(undefined)), [], 'nothing is known')
  t.end()
})
