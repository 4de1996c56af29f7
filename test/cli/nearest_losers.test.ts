import t from 'tap'
import { loserLines, nearestLosers, shortTag } from '../../src/cli/nearest_losers.ts'
import { funnelOf, plainQuestion } from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { DEFAULTS, digest, facts, HOUR, NOW, policy, snapshot } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'

function losersBy(policies: readonly CompiledPolicy[], tags: Parameters<typeof snapshot>[1]) {
  const image = parseReference(`${NAME}:v1.0.0`)
  const known = snapshot(NAME, tags)
  const [first] = policies
  const question = plainQuestion(image, policies, DEFAULTS)
  const funnel = funnelOf(question, first!, facts([known]))
  return nearestLosers(funnel, { policy: first!, policies, snapshot: known, now: NOW })
}

t.test('each tag that lost says what would have to be otherwise', (t) => {
  const semver = { semver: { range: '^1' } } as const
  const rows: [rule: object, more: object, tag: string, fact: object, why: string][] = [
    [{ pattern: '^v' }, {}, 'x', {}, 'does not match ^v'],
    [{ ignore: ['^b', '-rc'] }, {}, 'v1.1.0-rc', {}, 'matches -rc of tags.ignore'],
    [{}, {}, 'stable', {}, 'is not a version of three numbers'],
    [{}, {}, 'v1.2', {}, 'is not a version of three numbers'],
    [{}, {}, 'v2.0.0', {}, 'is outside ^1'],
    [{}, {}, 'v1.2.0-rc.1', {}, 'is a prerelease, which ^1 does not name'],
    [{}, {}, 'x.sig', {}, 'a signature, an attestation or an SBOM, not an image'],
    [{ order: { numerical: { order: 'Ascending' } } }, {}, 'x', {}, 'is not a decimal number'],
    [
      { order: { semver: { range: '^1', identifier: 'r-' } } },
      {},
      '1.0.0',
      {},
      'is not r- and a version of three numbers',
    ],
    [{ order: { digest: { allowed: [digest('a')] } } }, {}, 'x', {}, 'its digest is not known'],
    [
      { order: { digest: { allowed: [digest('a')] } } },
      {},
      'x',
      { digest: digest('b') },
      'has none of the permitted digests',
    ],
    [
      {},
      { minimumAge: 72 * HOUR },
      'v1.2.0',
      { firstSeen: NOW - 2 * HOUR },
      'first seen 2h ago, old enough in 2d',
    ],
    [
      {},
      { platforms: ['linux/arm64', 'linux/amd64'] },
      'v1.2.0',
      { digest: digest('a'), platforms: ['linux/amd64'] },
      'lacks linux/arm64; has linux/amd64',
    ],
  ]
  for (const [rule, more, tag, fact, why] of rows) {
    const of = policy({ rule: { order: semver, ...rule } as never, ...more })
    t.strictSame(
      losersBy([of], { [tag]: fact }).map((each) => [each.tag, each.why]),
      [[tag, why]],
    )
  }
  const first = policy({ name: 'a', rule: { order: semver } as never })
  const guard = policy({ name: 'guard', rule: { order: semver, ignore: ['^v1.2'] } as never })
  const [loser] = losersBy([first, guard], { 'v1.2.0': {}, 'v1.1.0': {} })
  t.match(loser, {
    tag: 'v1.2.0',
    reason: 'OtherPolicy',
    why: /guard: matches \^v1\.2 of tags\.ign/,
  })
  const old = policy({ name: 'old', minimumAge: HOUR, rule: { order: semver } as never })
  const [young] = losersBy([first, old], { 'v1.2.0': { firstSeen: NOW } })
  t.equal(young?.why, 'first seen 0s ago, old enough in 1h', 'for another policy')
  t.end()
})

t.test('ten are shown, and no reason hides another', (t) => {
  const numbers = Array.from({ length: 300 }, (_, index) => `v2.0.${index}`)
  const others = ['v1.2.0-rc.1', 'stable', 'x.sig', 'y.sig']
  const losers = losersBy(
    [policy({ rule: { order: { semver: { range: '^1' } } } as never })],
    Object.fromEntries([...numbers, ...others].map((tag) => [tag, {}])),
  )
  t.equal(losers.length, 10)
  t.strictSame(
    losers
      .map(({ tag }) => tag)
      .filter((tag) => others.includes(tag))
      .sort(),
    ['stable', 'v1.2.0-rc.1'],
    'what is no image is nearest to nothing',
  )
  t.equal(losers[0]?.tag, 'v2.0.299', 'the best first')
  t.strictSame(loserLines([]), [])
  t.equal(shortTag('x'.repeat(300)).length, 40)
  t.end()
})
