import t from 'tap'
import {
  type Decision,
  decide,
  type FactFailure,
  plainQuestion,
  type Question,
  type RepositorySnapshot,
} from '../../src/decisions/index.ts'
import { parseReference } from '../../src/images/index.ts'
import {
  DEFAULTS,
  DOWN,
  digest,
  facts,
  GONE,
  HOUR,
  MINUTE,
  NOW,
  policy,
  snapshot,
} from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const TAGS = {
  'v1.2.2': {},
  'v1.2.3': { digest: digest('3') },
  'v1.3.0': { digest: digest('0') },
  'v1.4.1': { digest: digest('1') },
  'v1.4.2': { digest: digest('2') },
  'v1.5.0-rc.1': {},
  'v2.0.0': { digest: digest('f') },
  latest: { digest: digest('f') },
}
const INDEX = snapshot(NAME, TAGS)

function ask(image: string, question: Partial<Question> = {}): Question {
  return { ...plainQuestion(parseReference(image), [policy()], DEFAULTS), ...question }
}

function decided(
  image: string,
  question: Partial<Question> = {},
  snapshots: readonly RepositorySnapshot[] = [INDEX],
  failures: Record<string, FactFailure> = {},
): Decision {
  return decide(ask(image, question), facts(snapshots, failures))
}

/** Reasons with their enforcement, then what the image becomes. */
function brief(decision: Decision): string {
  const findings = decision.findings.map((finding) => `${finding.enforcement} ${finding.reason}`)
  const needs = decision.needs.map((need) => `needs ${need.fact}`)
  return [...findings, ...needs, ...(decision.change ? [`-> ${decision.change.to}`] : [])].join(
    ', ',
  )
}

t.test('Verify judges a tag by name and never changes it', async (t) => {
  const rows: [string, string][] = [
    ['v1.3.0', ''],
    ['v1.2.2', 'Enforce OutOfRange'],
    ['v2.0.0', 'Enforce OutOfRange'],
    ['v1.5.0-rc.1', 'Enforce Prerelease'],
    ['main-3f2a', 'Enforce NotAVersion'],
    ['latest', 'Enforce LatestTag'],
    ['', 'Enforce LatestTag'],
    ['v1.9.9', 'needs manifest'],
  ]
  for (const [tag, expected] of rows) {
    t.equal(brief(decided(tag ? `${NAME}:${tag}` : NAME)), expected, tag || '(no tag)')
  }
})

t.test('a denial names what is permitted, the newest, and what to write', async (t) => {
  const [finding] = decided('ghcr.io/acme/web:latest').findings
  t.equal(
    finding?.message,
    'ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; newest is v1.4.2 (seen 3m ago).',
  )
  t.equal(finding?.use, 'ghcr.io/acme/web:v1.4.2')
})

t.test('where policies leave nothing, a denial names those that have a say', async (t) => {
  const guard = (name: string) =>
    policy({ kind: 'ClusterImagePolicy', name, rule: { order: { semver: { range: '>=2.0.0' } } } })
  const rows: [string[], string][] = [
    [['a'], 'ClusterImagePolicy a counts too'],
    [['a', 'b'], 'ClusterImagePolicy a and ClusterImagePolicy b count too'],
    [
      ['a', 'b', 'c', 'd', 'e'],
      'ClusterImagePolicy a, ClusterImagePolicy b, ClusterImagePolicy c and 2 more count too',
    ],
  ]
  for (const [names, expected] of rows) {
    const policies = [policy(), ...names.map(guard)]
    const [finding] = decided(`${NAME}:v2.0.0`, { policies }).findings
    t.equal(
      finding?.message,
      `ImagePolicy shop/web permits semver >=1.2.3 <2.0.0; none of the 8 tags in the index is permitted by all policies: ${expected} (seen 3m ago).`,
    )
  }
})

t.test('the author keeps the spelling of the name', async (t) => {
  const track = policy({ action: 'Track', images: ['docker.io/library/web'] })
  const index = snapshot('docker.io/library/web', TAGS)
  t.equal(
    brief(decided('web:v1.3.0', { policies: [track] }, [index])),
    `-> web:v1.4.2@${digest('2')}`,
  )
})

t.test('actions and forms of reference', async (t) => {
  const rows: [Parameters<typeof policy>[0], string, string][] = [
    [{ action: 'Pin' }, ':v1.3.0', `:v1.3.0@${digest('0')}`],
    [{ action: 'Pin', reference: 'Digest' }, ':v1.3.0', `@${digest('0')}`],
    [{ action: 'Track' }, ':v1.3.0', `:v1.4.2@${digest('2')}`],
    [{ action: 'Track', reference: 'Tag' }, ':v1.3.0', ':v1.4.2'],
    [{ action: 'Track', reference: 'Digest' }, ':v1.3.0', `@${digest('2')}`],
    [{ action: 'Track', latest: 'Resolve' }, '', `:v1.4.2@${digest('2')}`],
    [{ action: 'Pin', latest: 'Resolve' }, ':latest', `:v1.4.2@${digest('2')}`],
  ]
  for (const [spec, from, to] of rows) {
    const decision = decided(NAME + from, { policies: [policy(spec)] })
    t.equal(brief(decision), `-> ${NAME}${to}`, JSON.stringify(spec))
  }
})

t.test('Track does not move what is denied: the request is judged first', async (t) => {
  const track = { policies: [policy({ action: 'Track' })] }
  t.equal(brief(decided(`${NAME}:v2.0.0`, track)), 'Enforce OutOfRange')
  t.equal(brief(decided(`${NAME}:latest`, track)), 'Enforce LatestTag')
})

t.test(
  'a tag that was pushed after the last scan is found, and wins when it is the newest',
  async (t) => {
    const track = { policies: [policy({ action: 'Track' })] }
    t.match(decided(`${NAME}:v1.6.0`, track).needs, [{ fact: 'manifest', tag: 'v1.6.0' }])
    const after = snapshot(NAME, TAGS, { unlisted: { 'v1.6.0': { digest: digest('6') } } })
    t.equal(brief(decided(`${NAME}:v1.6.0`, track, [after])), `-> ${NAME}:v1.6.0@${digest('6')}`)
    const older = snapshot(NAME, TAGS, { unlisted: { 'v1.3.9': { digest: digest('9') } } })
    t.equal(brief(decided(`${NAME}:v1.3.9`, track, [older])), `-> ${NAME}:v1.4.2@${digest('2')}`)
  },
)

t.test('a tag that the registry does not have is denied by name', async (t) => {
  const decision = decided(`${NAME}:v1.9.9`, {}, [INDEX], { [`${NAME}:v1.9.9`]: GONE })
  t.equal(brief(decision), 'Enforce TagNotFound')
  t.match(decision.findings[0]?.message, /has no v1\.9\.9: ghcr\.io answered 404/)
})

t.test('latest is never the newest, whatever the order, unless it is followed', async (t) => {
  const index = snapshot(NAME, { '1.2': { digest: digest('1') }, latest: { digest: digest('2') } })
  const order = { alphabetical: { order: 'Ascending' } } as const
  const rows = [
    [':1.2', { action: 'Track', reference: 'Tag', rule: { order } }, `-> ${NAME}:1.2`],
    [':1.2', { action: 'Track', rule: { order } }, `-> ${NAME}:1.2@${digest('1')}`],
    [
      ':latest',
      { action: 'Track', latest: 'Resolve', reference: 'Tag', rule: { order } },
      `-> ${NAME}:1.2`,
    ],
    ['', { action: 'Verify', rule: { order } }, 'Enforce LatestTag'],
    [
      ':latest',
      { action: 'Track', rule: { order: { digest: { follow: 'latest' } } } },
      `-> ${NAME}:latest@${digest('2')}`,
    ],
  ] as const
  for (const [tag, spec, expected] of rows) {
    const decision = decided(NAME + tag, { policies: [policy(spec)] }, [index])
    t.equal(brief(decision), expected, tag)
    t.notMatch(decision.findings[0]?.message, /newest is latest|Use .*latest/)
  }
  const without = snapshot(NAME, { '1.2': { digest: digest('1') } })
  const resolving = { policies: [policy({ action: 'Track', latest: 'Resolve', rule: { order } })] }
  t.equal(brief(decided(`${NAME}:latest`, resolving, [without])), `-> ${NAME}:1.2@${digest('1')}`)
})

t.test('a policy that only warns opens no way for latest past one that denies it', async (t) => {
  const guard = policy({ kind: 'ClusterImagePolicy', name: 'guard' })
  const soft = { action: 'Track', latest: 'Resolve', enforcement: 'Warn' } as const
  const none = policy({ ...soft, rule: { order: { semver: { range: '>=99' } } } })
  const down = { [NAME]: DOWN }
  for (const mode of ['resolve', 'check'] as const) {
    const nothing = decided(`${NAME}:latest`, { mode, policies: [none, guard] })
    t.equal(brief(nothing), 'Warn NoPermittedTag, Enforce LatestTag', mode)
    t.match(
      nothing.findings[1]?.message,
      /none of the 8 tags in the index is permitted by all policies/,
    )
    const failing = decided(NAME, { mode, policies: [policy(soft), guard] }, [], down)
    t.equal(brief(failing), 'Warn RegistryUnavailable, Enforce LatestTag', mode)
  }
  const rival = policy({ ...soft, enforcement: 'Enforce', name: 'x', reference: 'Digest' })
  const both = decided(`${NAME}:v1.3.0`, { policies: [policy(soft), rival] })
  t.equal(brief(both), 'Enforce PolicyConflict', 'a conflict counts as the stricter one does')
  const image = parseReference(`${NAME}:v1.4.4@${digest('9')}`)
  const previous = { image, record: undefined }
  const missed = {
    mode: 'check',
    previous,
    policies: [policy({ ...soft, enforcement: 'Enforce' })],
  } as const
  t.equal(brief(decided(NAME, missed)), 'Enforce LatestTag', 'what was not resolved stays denied')
})

t.test('a followed tag that is written without its digest is resolved once', async (t) => {
  const order = { digest: { follow: 'stable' } } as const
  const policies = [policy({ action: 'Track', reference: 'Tag', rule: { order } })]
  const index = snapshot(NAME, { stable: { digest: digest('1') } })
  const image = parseReference(`${NAME}:stable`)
  const previous = { image, record: { requested: `${NAME}:stable`, rolledBackFrom: undefined } }
  const { change } = decided(`${NAME}:stable`, { policies, previous }, [index])
  t.match(change, { to: `${NAME}:stable`, kept: true })
})

t.test('a tag that was deleted since the last scan stands in nobody’s way', async (t) => {
  const listed = snapshot(NAME, { ...TAGS, 'v1.4.3': {}, 'v1.4.4': {} })
  const tracked = (tag: string, gone: string[], more: Partial<Question> = {}) =>
    decided(
      `${NAME}:${tag}`,
      { policies: [policy({ action: 'Track' })], ...more },
      [listed],
      Object.fromEntries(gone.map((each) => [`${NAME}:${each}`, GONE])),
    )
  t.match(tracked('v1.3.0', []).needs, [{ fact: 'manifest', tag: 'v1.4.4' }])
  t.match(tracked('v1.3.0', ['v1.4.4']).needs, [{ fact: 'manifest', tag: 'v1.4.3' }])
  const both = tracked('v1.3.0', ['v1.4.4', 'v1.4.3'])
  t.equal(brief(both), `-> ${NAME}:v1.4.2@${digest('2')}`)
  t.equal(brief(tracked('v1.4.4', ['v1.4.4'])), 'Enforce TagNotFound', 'asked for by name')
  t.match(tracked('v1.4.4', ['v1.4.4']).findings[0]?.message, /newest is v1\.4\.3 /)
  const image = parseReference(`${NAME}:v1.4.4@${digest('9')}`)
  const previous = { image, record: undefined }
  const back = tracked('v1.3.0', ['v1.4.4', 'v1.4.3'], { previous })
  t.equal(brief(back), `Warn Downgrade, -> ${image.original}`, 'and moves nothing backwards')
})

t.test('where the whole repository is not there, that is said once', async (t) => {
  const gone = { [NAME]: GONE }
  const decision = decided(`${NAME}:v1.9.9`, { policies: [policy({ action: 'Verify' })] }, [], gone)
  t.equal(brief(decision), 'Enforce TagNotFound')
  t.equal(decision.findings[0]?.message.split('answered 404').length, 2)
  t.match(decision.findings[0]?.message, /the newest is not known yet\.$/)
})

/** As it is known right after the registry confirmed the newest permitted tag. */
const FRESH = snapshot(NAME, { ...TAGS, 'v1.4.2': { digest: digest('2'), checkedAt: NOW } })

t.test('a reference with a digest is judged and never moved', async (t) => {
  const track = { policies: [policy({ action: 'Track' })] }
  const rows: [string, string][] = [
    [`:v1.3.0@${digest('0')}`, ''],
    [`:v1.3.0@${digest('2')}`, 'needs manifest'],
    [`:v2.0.0@${digest('f')}`, 'Enforce OutOfRange'],
    [`@${digest('1')}`, ''],
    [`@${digest('f')}`, 'Enforce DigestUnknown'],
    [`@${digest('9')}`, 'Enforce DigestUnknown'],
    [`:latest@${digest('2')}`, ''],
    [`:latest@${digest('f')}`, 'Enforce DigestUnknown'],
  ]
  for (const [reference, expected] of rows) {
    t.equal(brief(decided(NAME + reference, track, [FRESH])), expected, reference)
  }
})

t.test('a bare digest that another replica may have resolved is asked for first', async (t) => {
  const asked = (question: Partial<Question>, snapshots = [INDEX], failures = {}) =>
    decided(`${NAME}@${digest('9')}`, question, snapshots, failures)
  const manifest = (tag: string) => ({ fact: 'manifest', name: NAME, tag, platforms: false })
  t.strictSame(asked({}).needs, [manifest('v1.4.2')], 'the one that would be chosen now')
  t.strictSame(asked({ hint: 'v1.3.5' }).needs, [manifest('v1.3.5'), manifest('v1.4.2')])
  t.strictSame(asked({ hint: 'v1.4.2' }).needs, [manifest('v1.4.2')], 'each once')
  t.strictSame(asked({ hint: 'v2.0.0' }).needs, [manifest('v1.4.2')], 'none that is not permitted')
  t.strictSame(asked({ hint: '__proto__' }).needs, [manifest('v1.4.2')])
  const found = snapshot(NAME, TAGS, { unlisted: { 'v1.3.5': { digest: digest('9') } } })
  t.equal(brief(asked({ hint: 'v1.3.5' }, [found])), '')
  t.equal(brief(asked({ hint: 'v1.3.0' }, [FRESH])), 'needs manifest')
  const gone = { [`${NAME}:v1.3.5`]: GONE, [`${NAME}:v1.4.2`]: GONE }
  t.equal(brief(asked({ hint: 'v1.3.5' }, [INDEX], gone)), 'Enforce DigestUnknown')
  const down = { [`${NAME}:v1.3.5`]: GONE, [`${NAME}:v1.4.2`]: DOWN }
  t.equal(brief(asked({ hint: 'v1.3.5' }, [INDEX], down)), 'Enforce RegistryUnavailable')
})

t.test(
  'a digest that never was the tag’s is a mismatch, once the registry confirmed it',
  async (t) => {
    const fresh = snapshot(NAME, { ...TAGS, 'v1.3.0': { digest: digest('0'), checkedAt: NOW } })
    const wrong = `${NAME}:v1.3.0@${digest('9')}`
    t.equal(brief(decided(wrong, {}, [fresh])), 'Enforce DigestMismatch')
    t.equal(
      brief(decided(wrong, { mode: 'judge', ownerReviewed: true }, [fresh])),
      'Warn DigestMismatch',
    )
    const strict = policy({ movedTags: 'Deny' })
    t.equal(
      brief(decided(wrong, { mode: 'judge', ownerReviewed: true, policies: [strict] }, [fresh])),
      'Enforce DigestMismatch',
    )
  },
)

t.test('a tag that moved is reported, unless the reference holds the first digest', async (t) => {
  const moved = snapshot(NAME, {
    ...TAGS,
    'v1.3.0': { digest: digest('9'), before: [digest('0')] },
  })
  const rows: [string, 'Deny' | 'Warn' | 'Allow', string][] = [
    [':v1.3.0', 'Warn', 'Warn TagMoved'],
    [':v1.3.0', 'Deny', 'Enforce TagMoved'],
    [':v1.3.0', 'Allow', ''],
    [`:v1.3.0@${digest('0')}`, 'Deny', ''],
    [`:v1.3.0@${digest('9')}`, 'Deny', 'Enforce TagMoved'],
    [`@${digest('9')}`, 'Deny', 'Enforce TagMoved'],
    [`:latest@${digest('9')}`, 'Deny', 'Enforce TagMoved'],
    [`@${digest('9')}`, 'Warn', 'Warn TagMoved'],
    [`@${digest('9')}`, 'Allow', ''],
    [`@${digest('0')}`, 'Deny', ''],
  ]
  for (const [reference, movedTags, expected] of rows) {
    const decision = decided(NAME + reference, { policies: [policy({ movedTags })] }, [moved])
    t.equal(brief(decision), expected, `${reference} ${movedTags}`)
  }
})

t.test('the same request again', async (t) => {
  const ran = (tag: string, letter: string, rolledBackFrom?: string) => ({
    image: parseReference(`${NAME}:${tag}@${digest(letter)}`),
    record: { requested: `${NAME}:v1.3.0`, rolledBackFrom },
  })
  const promotion = { windows: [], maxPerMinute: 0, canary: 1 }
  const paced = { action: 'Track', promote: 'Continuously', promotion } as const
  const rows: [string, Partial<Question>, Parameters<typeof policy>[0], string][] = [
    ['Pin keeps', { previous: ran('v1.3.0', '0') }, { action: 'Pin' }, `:v1.3.0@${digest('0')}`],
    [
      'Pin keeps a digest that moved on',
      { previous: ran('v1.3.0', '7') },
      { action: 'Pin' },
      `:v1.3.0@${digest('7')}`,
    ],
    [
      'Track keeps the newest',
      { previous: ran('v1.4.2', '2') },
      { action: 'Track' },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'Track keeps its digest',
      { previous: ran('v1.4.2', '7') },
      { action: 'Track' },
      `:v1.4.2@${digest('7')}`,
    ],
    [
      'Track moves on',
      { previous: ran('v1.4.1', '1') },
      { action: 'Track' },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'hold stays',
      { previous: ran('v1.4.1', '1'), hold: true },
      { action: 'Track' },
      `:v1.4.1@${digest('1')}`,
    ],
    [
      'what the promoter moves at its own pace stays',
      { previous: ran('v1.4.1', '1'), promoted: true },
      paced,
      `:v1.4.1@${digest('1')}`,
    ],
    [
      'that only goes back',
      { previous: ran('v1.4.1', '1'), promoted: true },
      { ...paced, allowDowngrade: true },
      `:v1.4.1@${digest('1')}`,
    ],
    [
      'and that it does',
      { previous: ran('v1.9.0', '9'), promoted: true },
      { ...paced, allowDowngrade: true },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'what it moves at once moves on',
      { previous: ran('v1.4.1', '1'), promoted: true },
      { action: 'Track', promote: 'Continuously' },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'OnApply moves on',
      { previous: ran('v1.4.1', '1'), promoted: true },
      { ...paced, promote: 'OnApply' },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'where there is no promoter, all moves on',
      { previous: ran('v1.4.1', '1') },
      paced,
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'a Job stays',
      { previous: ran('v1.4.1', '1'), immutable: true },
      { action: 'Track' },
      `:v1.4.1@${digest('1')}`,
    ],
    [
      'a newer one that was deleted stays',
      { previous: ran('v1.9.0', '9') },
      { action: 'Track' },
      `:v1.9.0@${digest('9')}`,
    ],
    [
      'allowDowngrade goes back',
      { previous: ran('v1.9.0', '9') },
      { action: 'Track', allowDowngrade: true },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'a rollback holds',
      { previous: ran('v1.4.1', '1', 'v1.4.2') },
      { action: 'Track' },
      `:v1.4.1@${digest('1')}`,
    ],
    [
      'what runs may be ignored by now: something newer is waited for',
      { previous: ran('v1.4.1', '1') },
      { action: 'Track', rule: { ignore: ['^v1\\.4\\.1$'] } },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'and something older is not',
      { previous: ran('v1.4.2', '2') },
      { action: 'Track', rule: { ignore: ['^v1\\.4\\.2$'] } },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'what runs may lie outside of the range by now',
      { previous: ran('v2.0.0', 'f') },
      { action: 'Track' },
      `:v2.0.0@${digest('f')}`,
    ],
    [
      'a rollback from what is ignored by now ends with something newer',
      { previous: ran('v1.3.0', '0', 'v1.4.1') },
      { action: 'Track', rule: { ignore: ['^v1\\.4\\.1$'] } },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'and not with what is older',
      { previous: ran('v1.3.0', '0', 'v1.4.2') },
      { action: 'Track', rule: { ignore: ['^v1\\.4\\.2$'] } },
      `:v1.3.0@${digest('0')}`,
    ],
    [
      'a rollback from above the range, which nothing can pass, is over',
      { previous: ran('v1.4.1', '1', 'v2.0.0') },
      { action: 'Track' },
      `:v1.4.2@${digest('2')}`,
    ],
    [
      'until something newer',
      { previous: ran('v1.3.0', '0', 'v1.4.1') },
      { action: 'Track' },
      `:v1.4.2@${digest('2')}`,
    ],
  ]
  for (const [title, question, spec, to] of rows) {
    const decision = decided(`${NAME}:v1.3.0`, { ...question, policies: [policy(spec)] })
    t.equal(decision.change?.to, NAME + to, title)
    t.strictSame(decision.findings, [], title)
  }
  t.test('is kept with the registry down and nothing in the index', async (t) => {
    const decision = decided(
      `${NAME}:v1.3.0`,
      { previous: ran('v1.4.1', '1'), policies: [policy({ action: 'Track' })] },
      [],
      { [NAME]: DOWN },
    )
    t.equal(decision.change?.to, `${NAME}:v1.4.1@${digest('1')}`)
  })
})

t.test('another request never goes back to an older version than runs', async (t) => {
  const previous = { image: parseReference(`${NAME}:v1.9.0@${digest('9')}`), record: undefined }
  const held = decided(`${NAME}:v1.3.0`, { previous, policies: [policy({ action: 'Track' })] })
  t.equal(brief(held), `Warn Downgrade, -> ${NAME}:v1.9.0@${digest('9')}`)
  const allowed = policy({ action: 'Track', allowDowngrade: true })
  t.equal(
    brief(decided(`${NAME}:v1.3.0`, { previous, policies: [allowed] })),
    `-> ${NAME}:v1.4.2@${digest('2')}`,
  )
})

t.test('a rollback is remembered, so that Track does not undo it', async (t) => {
  const previous = {
    image: parseReference(`${NAME}:v1.4.2@${digest('2')}`),
    record: { requested: `${NAME}:v1.3.0`, rolledBackFrom: undefined },
  }
  const policies = [policy({ action: 'Track' })]
  const back = decided(`${NAME}:v1.4.1@${digest('1')}`, { previous, policies })
  t.equal(back.rolledBackFrom, 'v1.4.2')
  t.equal(back.change, undefined)
  const forward = decided(`${NAME}:v1.4.2@${digest('2')}`, {
    policies,
    previous: { ...previous, image: parseReference(`${NAME}:v1.4.1@${digest('1')}`) },
  })
  t.equal(forward.rolledBackFrom, undefined)
  const ignoring = [policy({ action: 'Track', rule: { ignore: ['^v1\\.4\\.2$'] } })]
  const ruledOut = decided(`${NAME}:v1.3.0@${digest('0')}`, { previous, policies: ignoring })
  t.equal(ruledOut.rolledBackFrom, 'v1.4.2', 'also from what is ignored already')
  const beyond = decided(`${NAME}:v1.4.1@${digest('1')}`, {
    policies,
    previous: { ...previous, image: parseReference(`${NAME}:v2.0.0@${digest('f')}`) },
  })
  t.equal(beyond.rolledBackFrom, undefined, 'nothing permitted is newer than what is above all')
})

t.test('what an update leaves as it was only warns and asks nobody', async (t) => {
  t.equal(brief(decided(`${NAME}:v2.0.0`, { unchanged: true })), 'Warn OutOfRange')
  t.equal(brief(decided(`${NAME}:latest`, { unchanged: true })), 'Warn LatestTag')
  const track = [policy({ action: 'Track' })]
  t.equal(brief(decided(`${NAME}:v1.3.0`, { unchanged: true, policies: track })), '')
  t.equal(brief(decided(`${NAME}:v1.3.0`, { unchanged: true, policies: track }, [])), '')
})

t.test('what a controller owns is judged, never changed', async (t) => {
  const track = [policy({ action: 'Track' })]
  const owned = { mode: 'judge', ownerReviewed: true, policies: track } as const
  t.equal(brief(decided(`${NAME}:v1.3.0`, owned)), '')
  t.equal(brief(decided(`${NAME}:v2.0.0`, owned)), 'Enforce OutOfRange')
  const defaults = {
    latest: 'Deny',
    unmatched: 'Allow',
    enforcement: 'Enforce',
    ownedObjects: 'Warn',
  } as const
  t.equal(brief(decided(`${NAME}:v2.0.0`, { ...owned, defaults })), 'Warn OutOfRange')
  const pinned = `${NAME}:v1.3.0@${digest('0')}`
  const failures = { [NAME]: DOWN, [`${NAME}:v1.3.0`]: DOWN }
  t.equal(
    brief(decided(pinned, owned, [], failures)),
    'Warn RegistryUnavailable',
    'a cluster can restart',
  )
  const gone = { [`${NAME}:v1.3.5`]: GONE }
  const lost = `${NAME}:v1.3.5@${digest('5')}`
  const strict = { ...owned, policies: [policy({ action: 'Track', movedTags: 'Deny' })] }
  t.equal(brief(decided(lost, owned, [INDEX], gone)), 'Warn DigestUnknown', 'the tag is gone')
  t.equal(brief(decided(lost, strict, [INDEX], gone)), 'Enforce DigestUnknown')
  t.equal(brief(decided(lost, { policies: track }, [INDEX], gone)), 'Enforce DigestUnknown')
  t.equal(brief(decided(`${NAME}:v1.3.5`, owned, [INDEX], gone)), 'Warn TagNotFound')
  t.equal(brief(decided(`${NAME}:v1.3.5`, {}, [INDEX], gone)), 'Enforce TagNotFound')
  const operator = { ...owned, ownerReviewed: false, defaults }
  t.equal(brief(decided(`${NAME}:v2.0.0`, operator)), 'Enforce OutOfRange', 'nothing is forgiven')
  t.equal(brief(decided(pinned, operator, [], failures)), 'Enforce RegistryUnavailable')
})

t.test('several policies: all must permit, the most specific moves', async (t) => {
  const guard = policy({
    kind: 'ClusterImagePolicy',
    name: 'guard',
    rule: { order: { semver: { range: '<1.4.2' } } },
  })
  const track = policy({ action: 'Track' })
  t.equal(
    brief(decided(`${NAME}:v1.3.0`, { policies: [track, guard] })),
    `-> ${NAME}:v1.4.1@${digest('1')}`,
  )
  const denied = decided(`${NAME}:v1.4.2`, { policies: [track, guard] })
  t.equal(brief(denied), 'Enforce OutOfRange')
  t.equal(denied.findings[0]?.policy, guard)
  t.equal(denied.findings[0]?.use, `${NAME}:v1.4.1`, 'what both permit')
})

t.test(
  'two movers of the same rank that disagree are a conflict; that agree are none',
  async (t) => {
    const one = policy({ action: 'Track', name: 'one' })
    const two = policy({
      action: 'Track',
      name: 'two',
      rule: { order: { semver: { range: '~1.3' } } },
    })
    const same = policy({ action: 'Track', name: 'same' })
    t.equal(
      brief(decided(`${NAME}:v1.3.0`, { policies: [one, same] })),
      `-> ${NAME}:v1.4.2@${digest('2')}`,
    )
    const pin = policy({ action: 'Pin', name: 'pin' })
    const conflict = decided(`${NAME}:v1.3.0`, { policies: [one, pin] })
    t.equal(brief(conflict), 'Enforce PolicyConflict')
    t.match(conflict.findings[0]?.message, /shop\/one.*v1\.4\.2.*shop\/pin.*v1\.3\.0/s)
    t.match(brief(decided(`${NAME}:v1.3.0`, { policies: [two, pin] })), /->/, 'both come to v1.3.0')
  },
)

t.test('minimum age counts from when a tag was first seen', async (t) => {
  const young = snapshot(NAME, {
    ...TAGS,
    'v1.4.2': { digest: digest('2'), firstSeen: NOW - 5 * MINUTE },
  })
  const aged = policy({ action: 'Track', minimumAge: 24 * HOUR })
  t.equal(
    brief(decided(`${NAME}:v1.3.0`, { policies: [aged] }, [young])),
    `-> ${NAME}:v1.4.1@${digest('1')}`,
  )
  const denied = decided(`${NAME}:v1.4.2`, { policies: [aged] }, [young])
  t.equal(brief(denied), 'Enforce TooYoung')
  t.match(denied.findings[0]?.message, /first seen 5m ago and is permitted at 24h, in 23h/)
})

t.test('minimum age of a tag that was pushed again counts from then', async (t) => {
  const again = snapshot(NAME, {
    ...TAGS,
    'v1.4.2': { digest: digest('9'), before: [digest('2')], firstSeen: NOW - 2 * HOUR },
  })
  const rows: [string, Parameters<typeof policy>[0], string][] = [
    [':v1.3.0', {}, `-> ${NAME}:v1.4.1@${digest('1')}`],
    [':v1.4.2', {}, 'Enforce TooYoung, Warn TagMoved'],
    [`:v1.4.2@${digest('9')}`, {}, 'Enforce TooYoung, Warn TagMoved'],
    [`@${digest('9')}`, {}, 'Enforce TooYoung, Warn TagMoved'],
    [`:v1.4.2@${digest('2')}`, {}, ''],
    [`@${digest('2')}`, {}, ''],
    [':v1.4.2', { movedTags: 'Allow' }, `-> ${NAME}:v1.4.2@${digest('9')}`],
  ]
  for (const [reference, spec, expected] of rows) {
    const aged = policy({ action: 'Track', minimumAge: 1.5 * HOUR, ...spec })
    const decision = decided(NAME + reference, { policies: [aged] }, [again])
    t.equal(brief(decision), expected, reference)
    if (expected.includes('TooYoung')) {
      t.match(decision.findings[0]?.message, /^v1\.4\.2 was pushed again (60m|1h) ago/)
      t.match(decision.findings[0]?.use, `${NAME}:v1.4.1`)
    }
  }
  const followed = { digest: { follow: 'v1.4.2' } } as const
  const aged = policy({ action: 'Track', minimumAge: 1.5 * HOUR, rule: { order: followed } })
  t.equal(
    brief(decided(`${NAME}:v1.4.2`, { policies: [aged] }, [again])),
    `-> ${NAME}:v1.4.2@${digest('9')}`,
    'a tag that is followed is meant to move',
  )
})

t.test('where moved tags are denied, one is neither chosen nor advised', async (t) => {
  const again = snapshot(NAME, {
    ...TAGS,
    'v1.4.2': { digest: digest('9'), before: [digest('2')] },
  })
  const strict = [policy({ action: 'Track', movedTags: 'Deny' })]
  const decision = (image: string, policies = strict) => decided(image, { policies }, [again])
  t.equal(brief(decision(`${NAME}:v1.3.0`)), `-> ${NAME}:v1.4.1@${digest('1')}`)
  const denied = decision(`${NAME}:v1.4.2`)
  t.equal(brief(denied), 'Enforce TagMoved')
  t.equal(denied.findings[0]?.use, `${NAME}:v1.4.1`)
  t.equal(brief(decision(`${NAME}:v1.4.2@${digest('2')}`)), '')
  const guard = policy({ kind: 'ClusterImagePolicy', name: 'guard', movedTags: 'Deny' })
  t.equal(
    brief(decision(`${NAME}:v1.3.0`, [policy({ action: 'Track' }), guard])),
    `-> ${NAME}:v1.4.1@${digest('1')}`,
    'by a guard rail too',
  )
})

t.test('a version that lacks a platform is no candidate', async (t) => {
  const both = ['linux/amd64', 'linux/arm64']
  const index = snapshot(NAME, {
    'v1.3.0': { digest: digest('0'), platforms: both },
    'v1.4.1': { digest: digest('1'), platforms: both },
    'v1.4.2': { digest: digest('2'), platforms: ['linux/amd64'] },
  })
  const track = policy({ action: 'Track', platforms: both })
  t.equal(
    brief(decided(`${NAME}:v1.3.0`, { policies: [track] }, [index])),
    `-> ${NAME}:v1.4.1@${digest('1')}`,
  )
  t.equal(
    brief(decided(`${NAME}:v1.4.2`, { policies: [track] }, [index])),
    'Enforce PlatformMissing',
  )
  const unknown = decided(`${NAME}:v1.3.0`, { policies: [track] })
  t.match(unknown.needs[0], { fact: 'manifest', platforms: true })
})

t.test('a digest rule', async (t) => {
  const follow = { order: { digest: { follow: 'latest' } } }
  const track = policy({ action: 'Track', rule: follow })
  t.equal(
    brief(decided(`${NAME}:latest`, { policies: [track] })),
    `-> ${NAME}:latest@${digest('f')}`,
  )
  t.equal(brief(decided(`${NAME}:v1.3.0`, { policies: [track] })), 'Enforce NotFollowed')
  const allowed = policy({ rule: { order: { digest: { allowed: [digest('0')] } } } })
  t.equal(brief(decided(`${NAME}:v1.3.0`, { policies: [allowed] })), '')
  t.equal(brief(decided(`${NAME}:v1.4.2`, { policies: [allowed] })), 'Enforce DigestNotAllowed')
  t.equal(brief(decided(`${NAME}@${digest('0')}`, { policies: [allowed] }, [])), '')
  t.equal(
    brief(decided(`${NAME}@${digest('9')}`, { policies: [allowed] }, [])),
    'Enforce DigestNotAllowed',
  )
})

t.test('latest under a list of digests is the first that all permit, by any index', async (t) => {
  const rule = { order: { digest: { allowed: [digest('0'), digest('1')] } } }
  for (const action of ['Pin', 'Track'] as const) {
    const list = policy({ action, latest: 'Resolve', rule })
    for (const snapshots of [[], [INDEX]]) {
      for (const image of [NAME, `${NAME}:latest`]) {
        const first = `-> ${NAME}@${digest('0')}`
        t.equal(brief(decided(image, { policies: [list] }, snapshots)), first)
      }
    }
    const guard = (allowed: string) =>
      policy({
        kind: 'ClusterImagePolicy',
        name: 'guard',
        rule: { order: { digest: { allowed: [allowed] } } },
      })
    const some = decided(NAME, { policies: [list, guard(digest('1'))] })
    t.equal(brief(some), `-> ${NAME}@${digest('1')}`)
    const none = decided(NAME, { policies: [list, guard(digest('9'))] })
    t.match(brief(none), /^Enforce NoPermittedTag/)
  }
})

t.test('a guard with a list of digests is asked about tags whose digest nobody knows yet', (t) => {
  const rule = { order: { digest: { allowed: [digest('0'), digest('2')] } } }
  const guard = policy({ kind: 'ClusterImagePolicy', name: 'guard', rule })
  const policies = [policy({ action: 'Track' }), guard]
  const known = { 'v1.3.0': { digest: digest('0') }, 'v2.0.0': {} }
  const cold = decided(`${NAME}:v1.3.0`, { policies }, [snapshot(NAME, { ...known, 'v1.4.2': {} })])
  t.match(cold.needs, [{ fact: 'manifest', tag: 'v1.4.2' }])
  const newest = (letter: string) => {
    const tags = { ...known, 'v1.4.2': { digest: digest(letter) } }
    return brief(decided(`${NAME}:v1.3.0`, { policies }, [snapshot(NAME, tags)]))
  }
  t.equal(newest('2'), `-> ${NAME}:v1.4.2@${digest('2')}`)
  t.equal(newest('9'), `-> ${NAME}:v1.3.0@${digest('0')}`)
  t.end()
})

t.test('when the registry fails', async (t) => {
  const cold = { [NAME]: DOWN, [`${NAME}:v1.3.0`]: DOWN }
  const rows: ['UseCached' | 'Deny' | 'Allow', 'Verify' | 'Track', string][] = [
    ['UseCached', 'Verify', ''],
    ['Allow', 'Verify', ''],
    ['Deny', 'Verify', 'Enforce RegistryUnavailable'],
    ['UseCached', 'Track', 'Enforce RegistryUnavailable'],
    ['Allow', 'Track', 'Warn RegistryUnavailable'],
    ['Deny', 'Track', 'Enforce RegistryUnavailable'],
  ]
  for (const [whenRegistryFails, action, expected] of rows) {
    const policies = [policy({ whenRegistryFails, action })]
    const decision = decided(`${NAME}:v1.3.0`, { policies }, [], cold)
    t.equal(brief(decision), expected, `${whenRegistryFails} ${action}, nothing cached`)
  }
  const old = snapshot(NAME, TAGS, { failure: DOWN, scannedAt: NOW - 2 * HOUR })
  const cached = decided(`${NAME}:v1.3.0`, { policies: [policy({ action: 'Track' })] }, [old])
  t.equal(brief(cached), `Warn RegistryUnavailable, -> ${NAME}:v1.4.2@${digest('2')}`)
  t.match(cached.findings[0]?.message, /2h old.*ghcr\.io refused the connection/)
  const strict = [policy({ action: 'Track', whenRegistryFails: 'Deny' })]
  t.equal(
    brief(decided(`${NAME}:v1.3.0`, { policies: strict }, [old])),
    'Enforce RegistryUnavailable',
  )
})

t.test('a registry that refuses is no reason to try again', async (t) => {
  const rows = [
    [
      'ERR_REGISTRY_UNAUTHORIZED',
      /\. Give credentials that may read it \(a pull secret .*\), or set/,
    ],
    ['ERR_REGISTRY_NOT_FOUND', /\. Check the name, and the credentials: .*, or set/],
    ['ERR_REGISTRY_UNREACHABLE', /\. Try again when the registry answers, or set/],
  ] as const
  for (const [code, next] of rows) {
    const failure = { ...DOWN, code }
    const cold = { [NAME]: failure }
    const policies = [policy({ action: 'Track', latest: 'Resolve' })]
    t.match(decided(NAME, { policies }, [], cold).findings[0]?.message, next, code)
  }
})

t.test('enforcement of the policy is the enforcement of the finding', async (t) => {
  for (const enforcement of ['Enforce', 'Warn', 'Audit'] as const) {
    const policies = [policy({ enforcement })]
    t.equal(brief(decided(`${NAME}:v2.0.0`, { policies })), `${enforcement} OutOfRange`)
  }
  const audit = [policy({ enforcement: 'Audit', action: 'Track' })]
  t.equal(
    brief(decided(`${NAME}:v1.3.0`, { policies: audit })),
    '',
    'a policy that audits moves nothing',
  )
})

t.test('images that no policy covers get the defaults', async (t) => {
  const rows: ['Allow' | 'Warn' | 'Deny', string, string][] = [
    ['Allow', ':v1', ''],
    ['Allow', ':latest', 'Enforce LatestTag'],
    ['Allow', '', 'Enforce LatestTag'],
    ['Allow', `:latest@${digest('a')}`, ''],
    ['Warn', ':v1', 'Warn Unmatched'],
    ['Deny', ':v1', 'Enforce Unmatched'],
  ]
  for (const [unmatched, reference, expected] of rows) {
    const defaults = {
      latest: 'Deny',
      unmatched,
      enforcement: 'Enforce',
      ownedObjects: 'Enforce',
    } as const
    t.equal(
      brief(decided(`ghcr.io/other/x${reference}`, { policies: [], defaults })),
      expected,
      reference,
    )
  }
})

t.test('the validating hook does not let an unresolved latest through', async (t) => {
  const policies = [policy({ action: 'Track', latest: 'Resolve' })]
  t.equal(brief(decided(NAME, { policies, mode: 'check' })), 'Enforce LatestTag')
})
