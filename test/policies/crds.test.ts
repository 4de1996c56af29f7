import t from 'tap'
import { describeError } from '../../src/errors.ts'
import { compilePolicies, readObjects } from '../../src/policies/index.ts'
import { generatedFiles } from '../../src/policies/schema/generated_files.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { startControlPlane } from '../cluster/control-plane.ts'
import { awaitKinds } from '../cluster/kinds.ts'

const skip = skipWithoutControlPlane()
const DIGEST = `sha256:${'a'.repeat(64)}`

type Spec = Record<string, unknown>
type Kind = 'ImagePolicy' | 'ClusterImagePolicy' | 'ImageRepository' | 'ImagePolicyException'

/** The least that each kind needs. */
const LEAST: Readonly<Record<Kind, Spec>> = {
  ImagePolicy: { images: ['ghcr.io/acme/web'], order: { semver: { range: '1.x' } } },
  ClusterImagePolicy: { images: ['ghcr.io/acme/web'], order: { semver: { range: '1.x' } } },
  ImageRepository: { image: 'ghcr.io/acme/web' },
  ImagePolicyException: {
    images: ['ghcr.io/acme/web'],
    reason: 'OPS-123',
    expires: '2099-12-01T00:00:00Z',
  },
}

function object(kind: Kind, spec: Spec, name = 'web'): string {
  const namespace = kind === 'ClusterImagePolicy' ? {} : { namespace: 'default' }
  return JSON.stringify({
    apiVersion: 'tagwarden.io/v1alpha1',
    kind,
    metadata: { name, ...namespace },
    spec: { ...LEAST[kind], ...spec },
  })
}

function list(objects: readonly string[]): string {
  return `{ "apiVersion": "v1", "kind": "List", "items": [${objects.join()}] }`
}

const window = (part: Spec) => ({
  promote: 'Continuously',
  promotion: { windows: [{ schedule: '0 2 * * 1-5', duration: '3h', ...part }] },
})

const REFUSED: [kind: Kind, spec: Spec, says: RegExp][] = [
  ['ImagePolicy', { images: [] }, /spec\.images: .*at least 1 items/],
  ['ImagePolicy', { images: null }, /spec\.images: Required value/],
  ['ImagePolicy', { order: {} }, /spec\.order: .*exactly one of semver, alphabetical/],
  ['ImagePolicy', { order: { numerical: {}, semver: { range: '1' } } }, /order: .*exactly one of/],
  ['ImagePolicy', { order: { digest: {} } }, /order\.digest: .*exactly one of allowed, follow/],
  [
    'ImagePolicy',
    { order: { digest: { allowed: [DIGEST], follow: 'stable' } } },
    /order\.digest: .*exactly one of allowed, follow/,
  ],
  ['ImagePolicy', { tags: { extract: '$1' } }, /spec\.tags\.extract: .*needs a pattern/],
  ['ImagePolicy', { latest: 'Resolve', action: 'Verify' }, /spec\.latest: .*cannot be Resolve/],
  ['ImagePolicy', { reference: 'Tag', action: 'Pin' }, /spec\.reference: .*cannot be Tag/],
  [
    'ImagePolicy',
    { reference: 'Tag', order: { digest: { follow: 'stable' } } },
    /spec\.reference: .*order digest/,
  ],
  [
    'ImagePolicy',
    { promote: 'Continuously', action: 'Pin' },
    /spec\.promote: .*unless the action is Track/,
  ],
  ['ImagePolicy', { promote: 'Always' }, /supported values: "OnApply", "Continuously"/],
  ['ImagePolicy', { onUnavailable: 'Fail' }, /supported values: "Deny", "Allow"/],
  ['ImagePolicy', window({ schedule: '0 2 * *' }), /windows\[0\]\.schedule: .*should match/],
  ['ImagePolicy', window({ schedule: null }), /windows\[0\]\.schedule: Required value/],
  ['ImagePolicy', window({ duration: null }), /windows\[0\]\.duration: Required value/],
  ['ImagePolicy', window({ duration: '30s' }), /windows\[0\]\.duration: .*from 1m to 168h/],
  ['ImagePolicy', window({ duration: '169h' }), /windows\[0\]\.duration: .*from 1m to 168h/],
  ['ImagePolicy', window({ duration: '7d' }), /windows\[0\]\.duration: .*should match/],
  ['ImagePolicy', window({ timeZone: 'Europe / Berlin' }), /windows\[0\]\.timeZone: .*should/],
  ['ImagePolicy', { promotion: { canary: -1 } }, /promotion\.canary: .*greater than or equal to 0/],
  ['ImagePolicy', { promotion: { maxPerMinute: 1.5 } }, /maxPerMinute: .*must be of type integer/],
  ['ClusterImagePolicy', { exceptions: 'Maybe' }, /supported values: "Deny", "Allow"/],
  ['ImageRepository', { image: null }, /spec\.image: Required value/],
  ['ImageRepository', { image: '' }, /spec\.image: .*at least 1 chars/],
  ['ImageRepository', { image: 'https://ghcr.io/acme/web' }, /spec\.image: .*has a scheme/],
  ['ImageRepository', { image: 'ghcr.io/acme/web:v1' }, /spec\.image: .*has a tag or digest/],
  ['ImageRepository', { image: `ghcr.io/acme/web@${DIGEST}` }, /image: .*has a tag or digest/],
  ['ImageRepository', { image: 'ghcr.io/acme/*' }, /spec\.image: .*must be one repository/],
  ['ImageRepository', { image: 'ghcr.io/acme web' }, /spec\.image: .*is not an image repository/],
  ['ImageRepository', { image: 'ghcr.io/acme/' }, /spec\.image: .*is not an image repository/],
  ['ImageRepository', { interval: '500ms' }, /spec\.interval: .*must be from 1s to 720h/],
  ['ImageRepository', { interval: '721h' }, /spec\.interval: .*must be from 1s to 720h/],
  ['ImageRepository', { interval: '10' }, /spec\.interval: .*should match/],
  ['ImageRepository', { interval: '99999999999999999h' }, /spec\.interval/],
  ['ImageRepository', { timeout: '11m' }, /spec\.timeout: .*must be from 1s to 10m/],
  ['ImageRepository', { provider: 'aws' }, /supported values: "generic"/],
  ['ImageRepository', { secretRef: {} }, /spec\.secretRef\.name: Required value/],
  ['ImageRepository', { secretRef: { name: 'A b' } }, /spec\.secretRef\.name: .*should match/],
  ['ImageRepository', { exclusionList: Array(26).fill('x') }, /exclusionList: .*at most 25 items/],
  ['ImagePolicyException', { images: [] }, /spec\.images: .*at least 1 items/],
  ['ImagePolicyException', { images: ['https://x/y'] }, /spec\.images: .*no scheme and no digest/],
  ['ImagePolicyException', { images: [`x/y@${DIGEST}`] }, /spec\.images: .*no scheme and no/],
  ['ImagePolicyException', { reason: null }, /spec\.reason: Required value/],
  ['ImagePolicyException', { reason: ' \n ' }, /spec\.reason: .*should match/],
  [
    'ImagePolicyException',
    { reason: 'x'.repeat(1025) },
    /spec\.reason: .*may not be (more|longer)/,
  ],
  ['ImagePolicyException', { expires: null }, /spec\.expires: Required value/],
  ['ImagePolicyException', { expires: '2099-12-01' }, /spec\.expires: .*(should match|date-time)/],
  ['ImagePolicyException', { expires: 'never' }, /spec\.expires: .*(should match|date-time)/],
]

const ACCEPTED: [kind: Kind, spec: Spec][] = [
  ['ImagePolicy', { order: { digest: { allowed: Array(1000).fill(DIGEST) } } }],
  ['ImagePolicy', { images: Array(256).fill('ghcr.io/acme/web') }],
  ['ImagePolicy', window({ schedule: '@daily', timeZone: 'America/Argentina/Buenos_Aires' })],
  ['ClusterImagePolicy', { exceptions: 'Allow', onUnavailable: 'Deny' }],
  ['ImageRepository', { image: 'localhost:5000/acme/web', interval: '1h30m', timeout: '30s' }],
  ['ImageRepository', { image: 'nginx', secretRef: { name: 'regcred' }, insecure: true }],
  ['ImagePolicyException', { images: Array(256).fill(`ghcr.io/${'a'.repeat(200)}:v0.9.*`) }],
  ['ImagePolicyException', { expires: '2026-12-01T09:30:00.5+02:00', match: { names: ['web*'] } }],
]

t.test('a policy folder refuses what the API server refuses, and takes what it takes', (t) => {
  const problems = (kind: Kind, spec: Spec) => {
    const read = readObjects([JSON.parse(object(kind, spec))])
    return [...read.problems, ...compilePolicies(read.resources).problems].map(describeError)
  }
  for (const [kind, spec] of REFUSED) {
    const shown = JSON.stringify(spec).slice(0, 100)
    t.not(problems(kind, spec).length, 0, `${kind} ${shown}`)
  }
  for (const [kind, spec] of ACCEPTED) t.strictSame(problems(kind, spec), [], kind)
  t.end()
})

t.test('the CRDs on a real API server', { skip }, async (t) => {
  const cluster = await startControlPlane()
  t.teardown(() => cluster.stop())
  const kubectl = async (args: string, input?: string) => {
    const { code, stdout, stderr } = await cluster.kubectl(
      args.split(' '),
      input === undefined ? {} : { input },
    )
    return { code, text: stdout + stderr, stdout }
  }
  const crds = generatedFiles().filter(([path]) => path.startsWith('charts/'))
  const file = crds.map(([, text]) => text).join('---\n')

  await t.test('they are accepted and established', async (t) => {
    const applied = await kubectl('apply -f -', file)
    t.equal(applied.code, 0, applied.text)
    const names = crds.map(([path]) => `${path.replace(/.*\/|\.yaml$/g, '')}.tagwarden.io`)
    const waited = await kubectl(
      `wait --for=condition=Established --timeout=120s crd ${names.join(' ')}`,
    )
    t.equal(waited.code, 0, waited.text)
    await awaitKinds(cluster, names)
  })

  await t.test('each wrong spec is refused, with its field and what is wrong', async (t) => {
    const documents = REFUSED.map(([kind, spec], index) => object(kind, spec, `row-${index}`))
    const { text } = await kubectl('create --dry-run=server --validate=false -f -', list(documents))
    const answers = new Map(
      text.split(/^(?=Error from server)/m).map((part) => [/"(row-\d+)"/.exec(part)?.[1], part]),
    )
    for (const [index, [kind, spec, says]] of REFUSED.entries()) {
      t.match(answers.get(`row-${index}`), says, `${kind} ${JSON.stringify(spec).slice(0, 100)}`)
    }
    t.notMatch(text, /created/)
  })

  await t.test('the largest and the oddest that is right is accepted', async (t) => {
    const documents = ACCEPTED.map(([kind, spec], index) => object(kind, spec, `row-${index}`))
    const { code, text } = await kubectl(
      'create --dry-run=server --validate=false -f -',
      list(documents),
    )
    t.equal(code, 0, text)
  })

  await t.test('defaults are filled in', async (t) => {
    const documents = (Object.keys(LEAST) as Kind[]).map((kind) => object(kind, {}))
    t.equal((await kubectl('create -f -', list(documents))).code, 0)
    const get = async (kind: Kind) => JSON.parse((await kubectl(`get ${kind} web -o json`)).stdout)
    const policy = {
      exclude: [],
      tags: { allow: [], ignore: [] },
      action: 'Track',
      reference: 'TagAndDigest',
      promote: 'OnApply',
      promotion: { windows: [], maxPerMinute: 0, canary: 0 },
      onUnavailable: 'Allow',
      platforms: [],
    }
    const own = await get('ImagePolicy')
    t.match(own, { spec: policy, status: { observedGeneration: -1 } })
    t.notOk('enforcement' in own.spec, 'which the configuration gives')
    t.notOk('exceptions' in own.spec)
    t.match((await get('ClusterImagePolicy')).spec, { ...policy, exceptions: 'Deny' })
    t.strictSame((await get('ImageRepository')).spec, {
      image: 'ghcr.io/acme/web',
      interval: '10m',
      provider: 'generic',
      insecure: false,
      suspend: false,
      exclusionList: [],
    })
    t.strictSame((await get('ImagePolicyException')).spec.policies, [])
  })

  await t.test('an unknown field is refused by kubectl, and pruned otherwise', async (t) => {
    const typo = object('ImageRepository', { intervall: '1m' }, 'typo')
    t.match(await kubectl('create -f -', typo), {
      code: 1,
      text: /unknown field "spec\.intervall"/,
    })
    t.equal((await kubectl('create --validate=false -f -', typo)).code, 0)
    t.notMatch((await kubectl('get imagerepository typo -o json')).stdout, /intervall/)
    await kubectl('delete imagerepository typo')
  })

  await t.test('a status is kept as it is written, and shown in columns', async (t) => {
    const now = new Date().toISOString()
    const condition = (reason: string, message: string) => ({
      observedGeneration: 1,
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          reason,
          message,
          lastTransitionTime: now,
          observedGeneration: 1,
        },
      ],
    })
    const patch = async (kind: Kind, status: Spec) => {
      const body = JSON.stringify({ status })
      const { code, text } = await kubectl(
        `patch ${kind} web --subresource=status --type=merge -p ${body.replaceAll(' ', '\\u0020')}`,
      )
      t.equal(code, 0, text)
    }
    const selection = { tag: 'v1.4.2', digest: DIGEST, version: '1.4.2' }
    const policy = {
      ...condition('Succeeded', 'in force'),
      order: 'semver 1.x',
      newest: 'v1.4.2',
      lastScanTime: now,
      repositoryCount: 1,
      repositories: [{ image: 'ghcr.io/acme/web', ...selection, seen: now }],
      lastPromotion: { time: now, image: 'ghcr.io/acme/web', tag: 'v1.4.2', count: 3 },
    }
    const repository = {
      ...condition('Succeeded', 'read 311 tags'),
      lastScanTime: now,
      tagCount: 311,
      revision: 'abcdef0123456789',
      latestTags: ['v1.4.2', 'v1.4.1'],
      selections: [{ policy: 'ImagePolicy default/web', ...selection }],
      index: 'H4sI',
      indexBytes: 3,
    }
    const exception = { ...condition('Active', 'until 2099-12-01'), expired: false }
    for (const [kind, status] of [
      ['ImagePolicy', policy],
      ['ClusterImagePolicy', policy],
      ['ImageRepository', repository],
      ['ImagePolicyException', exception],
    ] as const) {
      await patch(kind, status)
      const { stdout } = await kubectl(`get ${kind} web -o json`)
      t.strictSame(JSON.parse(stdout).status, status, `${kind}: nothing is pruned`)
    }
    const row = async (kind: string) => (await kubectl(`get ${kind} -A -o wide`)).stdout
    t.match(
      await row('imagepolicies'),
      /^NAMESPACE +NAME +IMAGES +ORDER +ACTION +ENFORCEMENT +NEWEST +SEEN +READY +STATUS +AGE\ndefault +web +\["ghcr\.io\/acme\/web"\] +semver 1\.x +Track +v1\.4\.2 +\d+s +True +in force +\d+s/,
    )
    t.match(await row('ctwp'), /^NAME +IMAGES.*\nweb +\["ghcr/)
    t.match(
      await row('twr'),
      /NAME +IMAGE +TAGS +INTERVAL +SUSPENDED +SEEN +READY +STATUS +AGE\ndefault +web +ghcr\.io\/acme\/web +311 +10m +false +\d+s +True +read 311 tags +\d+s/,
    )
    t.match(
      await row('twx'),
      /NAME +IMAGES +REASON +EXPIRES +EXPIRED +READY +STATUS +AGE\ndefault +web +\["ghcr\.io\/acme\/web"\] +OPS-123 +2099-12-01T00:00:00Z +false +True +until 2099-12-01 +\d+s/,
    )
    const all = await row('tagwarden')
    for (const { 0: kind } of Object.entries(LEAST))
      t.match(all, `${kind.toLowerCase()}.tagwarden.io/web`)
  })

  await t.test('a condition that is none is refused', async (t) => {
    for (const [condition, says] of [
      [{ type: 'Ready' }, /status\.conditions\[0\]\.\w+: Required value/],
      [{ type: 'Ready', status: 'Yes' }, /supported values: "True", "False", "Unknown"/],
    ] as const) {
      const body = JSON.stringify({ status: { conditions: [condition] } })
      const { code, text } = await kubectl(
        `patch twp web --subresource=status --type=merge -p ${body}`,
      )
      t.match({ code, text }, { code: 1, text: says })
    }
  })

  await t.test('kubectl explain has words for every field', async (t) => {
    for (const [path, says] of [
      ['imagepolicies.spec.promotion.windows.schedule', /cron schedule of five fields/],
      ['imagepolicies.status.conditions', /Whether it is in force, and why not/],
      ['imagepolicies.status.conditions.type', /Ready .*Stalled .*Reconciling/s],
      ['clusterimagepolicies.spec.exceptions', /Deny.*may lift this policy/s],
      ['imagerepositories.spec.secretRef', /A Secret of this namespace to log in with/],
      ['imagerepositories.status.selections.policy', /The policy, such as/],
      ['imagepolicyexceptions.spec.match.names', /Names of workloads/],
    ] as const) {
      const { text } = await kubectl(`explain --api-version=tagwarden.io/v1alpha1 ${path}`)
      t.match(text, says, path)
    }
  })
})
