import t from 'tap'
import { DEPLOYMENTS } from '../../src/cluster/index.ts'
import { finish } from '../../src/pieces/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { givenBack } from '../../src/promotion/field_ownership.ts'
import { type Found, planWave, type Reached } from '../../src/promotion/plan.ts'
import { targetOf as findingTarget, isContinuous } from '../../src/promotion/targets.ts'
import { policy as anyPolicy, digest, HOUR, NOW, snapshot } from '../fakes/facts.ts'

const targetOf = (...given: Parameters<typeof findingTarget>) => finish(findingTarget(...given))

const place = (name: string) => ({ resource: DEPLOYMENTS, namespace: 'shop', name })
const move = (name: string, ...versions: string[]) => ({ place: place(name), versions })
const found = (
  reached: Record<string, Partial<Reached>>,
  moves = [move('a', 'v2'), move('b', 'v2')],
): Found => ({
  moves,
  more: false,
  reached: new Map(
    Object.entries(reached).map(([version, each]) => [
      version,
      { available: 0, unavailable: [], rolledBack: undefined, ...each },
    ]),
  ),
})

t.test('how many are moved first, by what runs the new version already', (t) => {
  const rows: [
    what: string,
    reached: Record<string, Partial<Reached>>,
    canary: number,
    plan: object,
  ][] = [
    ['none runs it', {}, 1, { canaries: 1, first: [] }],
    [
      'no canary is asked for',
      { v2: { unavailable: [place('x')] } },
      0,
      { canaries: 0, first: [] },
    ],
    ['one is available', { v2: { available: 1 } }, 1, { canaries: 0, first: [] }],
    ['one of two', { v2: { available: 1 } }, 2, { canaries: 1, first: [] }],
    ['more than enough', { v2: { available: 9 } }, 2, { canaries: 0, first: [] }],
    [
      'one is not available',
      { v2: { unavailable: [place('x')] } },
      1,
      { canaries: 0, first: [place('x')] },
    ],
    ['another version counts nothing', { v1: { available: 9 } }, 1, { canaries: 1 }],
    [
      'rolled back from it',
      { v2: { available: 9, rolledBack: place('y') } },
      1,
      { stopped: { at: place('y') } },
    ],
    [
      'rolled back, without a canary',
      { v2: { rolledBack: place('y') } },
      0,
      { stopped: undefined },
    ],
  ]
  for (const [what, reached, canary, plan] of rows)
    t.match(planWave(found(reached), canary), plan, what)
  t.match(
    planWave(found({ v2: { rolledBack: place('y') } }, []), 1),
    { stopped: undefined },
    'nothing to do',
  )
  t.end()
})

t.test('who owned a field before a promotion owns it afterwards', (t) => {
  const own = { manager: 'tagwarden-promoter', operation: 'Update', fieldsV1: { image: {} } }
  const apply = (manager: string, fieldsV1: object) => ({ manager, operation: 'Apply', fieldsV1 })
  const update = (manager: string, fieldsV1: object) => ({ manager, operation: 'Update', fieldsV1 })
  const rest = apply('flux', { name: {} })
  const whole = apply('flux', { name: {}, image: {} })
  const status = update('kube-controller-manager', { status: {} })
  const rows: [what: string, before: object[], after: object[], now: object[], fields: unknown][] =
    [
      ['nothing of ours', [whole], [whole], [whole], undefined],
      ['an applier gets it back', [whole], [rest, own], [rest, own], [whole]],
      ['others stay', [whole], [rest, own], [rest, status, own], [whole, status]],
      [
        'an applier that has applied since keeps what it has now',
        [whole],
        [rest, own],
        [apply('flux', { image: {}, x: {} }), own],
        [apply('flux', { image: {}, x: {} })],
      ],
      [
        'an applier that owned nothing else',
        [apply('argo', { image: {} }), rest],
        [rest, own],
        [rest, own],
        [rest, apply('argo', { image: {} })],
      ],
      [
        'who did not apply does not own it any more',
        [update('kubectl', { image: {}, name: {} })],
        [update('kubectl', { name: {} }), own],
        [update('kubectl', { name: {} }), own],
        [update('kubectl', { name: {} })],
      ],
      ['what was before is not known', [], [rest, own], [rest, own], [rest]],
      ['an empty list would begin anew', [], [own], [own], undefined],
    ]
  for (const [what, before, after, now, fields] of rows) {
    t.strictSame(givenBack(before, after, now), fields, what)
  }
  t.end()
})

t.test('workloads are looked at again when the newest permitted version is another one', (t) => {
  const track = anyPolicy({ action: 'Track', promote: 'Continuously' })
  const follow = anyPolicy({ rule: { order: { digest: { follow: 'stable' } } } })
  const at = { now: NOW, since: NOW - HOUR }
  const key = (tags: Parameters<typeof snapshot>[1], policy = track, all = [policy], more = {}) =>
    targetOf(policy, snapshot('ghcr.io/acme/web', tags, more), all, at)?.key
  const two = { 'v1.4.1': {}, 'v1.4.2': {} }
  t.equal(
    key(two),
    key({ ...two, 'v2.0.0': {}, main: {} }),
    'what is not permitted does not matter',
  )
  t.equal(key(two), key({ 'v1.4.2': {} }))
  t.not(key(two), key({ ...two, 'v1.4.3': {} }))
  t.not(key(two), key({}))
  const byName = anyPolicy({ rule: { order: { alphabetical: { order: 'Ascending' } } } })
  const dates = { '20261101': {}, latest: {} }
  t.not(key(dates, byName), key({ ...dates, '20261102': {} }, byName), 'latest hides nothing')
  const failure = { code: 'ERR_REGISTRY_UNREACHABLE', message: 'x', at: NOW } as const
  t.equal(key(two, track, [track], { failure }), undefined, 'a registry that fails says nothing')
  t.equal(key(two, track, [track], { scannedAt: 0 }), undefined)
  t.equal(targetOf(track, undefined, [], at), undefined)
  const guard = anyPolicy({ kind: 'ClusterImagePolicy', minimumAge: HOUR })
  const young = { ...two, 'v1.4.3': { firstSeen: NOW - HOUR / 2 } }
  const target = targetOf(track, snapshot('ghcr.io/acme/web', young), [track, guard], at)
  t.equal(target?.ripensAt, NOW + HOUR / 2, 'when a guard rail finds it old enough')
  t.not(target?.key, key(two))
  const old = anyPolicy({ kind: 'ClusterImagePolicy', minimumAge: 2 * HOUR })
  const both = targetOf(track, snapshot('ghcr.io/acme/web', young), [old, guard], at)
  t.equal(both?.ripensAt, NOW + HOUR / 2, 'the next time that any of them changes its mind')
  const built = anyPolicy({ kind: 'ClusterImagePolicy', platforms: ['linux/arm64'] })
  const read = (revision: string, all: CompiledPolicy[]) =>
    targetOf(track, { ...snapshot('ghcr.io/acme/web', two), revision }, all, at)?.key
  t.not(read('1', [track, built]), read('2', [track, built]), 'a platform may be there by now')
  t.equal(read('1', [track]), read('2', [track]))
  const stable = (checkedAt: number, letter = 'a') =>
    key({ stable: { digest: digest(letter), checkedAt } }, follow)
  t.equal(
    stable(NOW - 2 * HOUR),
    '',
    'a digest that was read before this process led counts nothing',
  )
  t.not(stable(NOW), '')
  t.not(stable(NOW), stable(NOW, 'b'))
  t.end()
})

t.test('which policies move running workloads', (t) => {
  const rows: [Parameters<typeof anyPolicy>[0], boolean][] = [
    [{ action: 'Track', promote: 'Continuously' }, true],
    [{ action: 'Track', promote: 'Continuously', enforcement: 'Warn' }, true],
    [{ action: 'Track', promote: 'Continuously', enforcement: 'Audit' }, false],
    [{ action: 'Track', promote: 'OnApply' }, false],
    [{ action: 'Pin', promote: 'Continuously' }, false],
    [{ action: 'Verify', promote: 'Continuously' }, false],
  ]
  for (const [options, moves] of rows)
    t.equal(isContinuous(anyPolicy(options)), moves, JSON.stringify(options))
  t.end()
})
