import t from 'tap'
import { conversionText, fileName } from '../../src/convert/index.ts'
import {
  application,
  converted,
  fluxPair,
  imageUpdater,
  keel,
  loaded,
  workload,
} from './conversions.ts'

const semver = { policy: { semver: { range: '1.x' } } }

function notesOf(...objects: unknown[]): string {
  return converted(...objects)
    .objects.flatMap(({ notes }) => notes)
    .join('\n')
}

t.test('what cannot be kept is said, and nothing moves by it', (t) => {
  const rows: [object: unknown, note: RegExp][] = [
    [keel('acme/web:1.2.3', 'minor'), /counts minor from the tag that runs.* 1\.2\.3 gives/],
    [keel('acme/web:1.2.3', 'minor'), /waits until a registry notifies it/],
    [keel('acme/web:1.2', 'minor'), /has two numbers, so only such tags count/],
    [keel('acme/web', 'minor'), /names no version/],
    [keel('acme/web:1.2.3', 'all', { pollSchedule: '@every 1m' }), /pollSchedule @every 1m is not/],
    [keel('acme/web:1.2.3', 'all', { approvals: '2' }), /waits for 2 approvals/],
    [
      keel('acme/web:1.2.3', 'all', { notify: 'x', releaseNotes: 'y' }),
      /notify, keel\.sh\/releaseN/,
    ],
    [keel('acme/web:x', 'force'), /pushed last \(force\).*only judges/],
    [keel('acme/web:1.2.3', 'all', {}, { namespace: undefined }), /names no namespace/],
    [application({ 'image-list': 'acme/web' }), /tags with one or two numbers/],
    [application({ 'image-list': 'acme/web' }), /sets parameters of the Application/],
    [
      application({ 'image-list': 'acme/web', 'write-back-method': 'git:repocreds' }),
      /tags to Git/,
    ],
    [application({ 'image-list': 'acme/web', 'update-strategy': 'latest' }), /built last.*judges/],
    [
      application({ 'image-list': 'a/b:1', 'update-strategy': 'name' }),
      /constraint 1 has no effect/,
    ],
    [
      application({ 'image-list': 'a/b', 'update-strategy': 'nonsense' }),
      /not know the strategy non/,
    ],
    [
      application({ 'image-list': 'a/b', platforms: 'linux/amd64' }),
      /platforms linux\/amd64 are not/,
    ],
    [application({ 'image-list': 'a/b', 'force-update': 'true' }), /force-update needs no/],
    [application({ 'image-list': 'a/b', 'ignore-tags': '[' }), /\[ is malformed/],
    [application({ 'image-list': 'a/b', 'pull-secret': 'env:TOP_SECRET' }), /\(env\) is not conv/],
    [application({ 'image-list': 'a/b', 'pull-secret': 'pullsecret:x/y' }), /one of another name/],
    [
      application({ 'image-list': 'a/b', 'b.cosign': 'x' }),
      /Without a counterpart here: b\.cosign/,
    ],
    [
      application({ 'image-list': 'a/b' }, { server: 'https://far' }),
      /in the cluster https:\/\/far/,
    ],
    [
      application({ 'image-list': 'a/b' }, { namespace: '' }),
      /names no namespace of its workloads/,
    ],
    [
      imageUpdater({ applicationRefs: [{ namePattern: 'far-*', images: [{ imageName: 'a/b' }] }] }),
      /Application far-\* is not among what was converted/,
    ],
  ]
  for (const [object, note] of rows) {
    t.match(notesOf(object), note, String(note))
    t.ok(loaded(converted(object)))
  }
  t.notMatch(notesOf(application({ 'image-list': 'a/b', 'pull-secret': 'env:TOP_SECRET' })), /TOP/)
  for (const object of [
    keel('acme/web:x', 'force'),
    application({ 'image-list': 'a/b', 'update-strategy': 'newest-build' }),
  ]) {
    t.equal(loaded(converted(object)).policies[0]?.action, 'Verify')
  }
  const [approved] = loaded(converted(keel('a/b:1.2.3', 'all', { approvals: '1' }))).policies
  t.equal(approved?.promote, 'OnApply')
  t.end()
})

t.test('what of Flux has no counterpart is said', (t) => {
  const rows: [policy: object, repository: object, note: RegExp][] = [
    [semver, { provider: 'aws' }, /provider: aws is not converted/],
    [semver, { serviceAccountName: 'x' }, /serviceAccountName: x/],
    [semver, { accessFrom: { namespaceSelectors: [] } }, /accessFrom is not/],
    [semver, { interval: '10ms' }, /interval 10ms is not within/],
    [semver, { interval: 'x\ny' }, /interval x\ny is not within/],
    [{ policy: { numerical: {} } }, {}, /no number fails the whole policy/],
    [{ ...semver, digestReflectionPolicy: 'Always', interval: '1m' }, {}, /spec\.interval is not/],
  ]
  for (const [policy, repository, note] of rows) {
    t.match(notesOf(...fluxPair(policy, repository)), note)
  }
  t.match(
    notesOf(...fluxPair(semver, { secretRef: { name: 'x' } }, 'flux-system')),
    /for workloads of flux-system only/,
  )
  const [repository, policy] = fluxPair(semver)
  const away = { ...repository, metadata: { name: 'web', namespace: 'flux-system' } }
  const reference = { ...semver, imageRepositoryRef: { name: 'web', namespace: 'flux-system' } }
  t.match(notesOf(away, { ...policy, spec: reference }), /is in namespace flux-system/)
  t.end()
})

t.test('what cannot be converted is left out with its reason', (t) => {
  const automation = {
    apiVersion: 'image.toolkit.fluxcd.io/v1',
    kind: 'ImageUpdateAutomation',
    metadata: { name: 'x' },
  }
  const rows: [object: unknown, reason: RegExp][] = [
    [keel('acme/web:1.2.3', 'never'), /never updates it/],
    [keel('acme/web:1.2.3', 'weekly'), /does not know the policy weekly/],
    [keel('acme/web:stable', 'minor'), /cannot compare the tag stable/],
    [keel('acme/web:1.2.3', 'regexp:('), /is not a pattern|missing/],
    [keel('acme/web:1.2.3', 'all', { monitorContainers: 'sidecar' }), /no image that Keel would/],
    [keel('Not An Image', 'all'), /no image that Keel would/],
    [application({ 'image-list': 'a/b', 'allow-tags': '^v' }), /neither "any" nor "regexp/],
    [application({ 'image-list': 'a/b', 'allow-tags': 'regexp:(?=x)' }), /old\.yaml/],
    [application({ 'image-list': 'a/b', 'update-strategy': 'digest' }), /no tag to follow/],
    [application({ 'image-list': 'a/b:banana' }), /"banana" is not a range/],
    [application({ 'image-list': 'NOT AN IMAGE' }), /names no image/],
    [imageUpdater({}), /names no images/],
    [imageUpdater({ applicationRefs: [{ images: [{}] }] }), /names no image/],
    [imageUpdater({ applicationRefs: [{ useAnnotations: true }] }), /not among what was/],
    [automation, /writing tags back/],
  ]
  for (const [object, reason] of rows) {
    const { objects, leftOut } = converted(object)
    t.match(leftOut.map((each) => `${each.title}: ${each.reason}`).join('\n'), reason)
    t.strictSame(objects, [], String(reason))
  }
  const suspended = converted(...fluxPair({ ...semver, suspend: true }))
  t.match(suspended.leftOut, [{ title: 'ImagePolicy shop/web', reason: 'it is suspended' }])
  const [, alone] = fluxPair(semver)
  t.match(converted(alone).problems, [{ message: /there is no ImageRepository shop\/web/ }])
  t.end()
})

t.test('equal rules become one policy, and rivals are told apart by a label', (t) => {
  const at = (name: string, image: string, policy: string, app: string, more = {}) =>
    keel(image, policy, { matchTag: 'true', ...more }, { name, labels: { app, team: 'x' } })
  const same = converted(
    at('a', 'acme/web:1.2.3', 'minor', 'a'),
    at('b', 'acme/web:1.2.3', 'minor', 'b'),
  )
  t.equal(same.objects.length, 1)
  t.equal(same.objects[0]?.sources.length, 2)

  const rivals = converted(
    at('a', 'acme/web:edge', 'force', 'a'),
    at('b', 'acme/web:live', 'force', 'b'),
  )
  t.strictSame(
    rivals.objects.map(({ object }) => object.spec['match']),
    ['a', 'b'].map((app) => ({ selector: { matchLabels: { app } } })),
  )
  t.equal(loaded(rivals).policies.length, 2)

  const alike = converted(
    at('a', 'acme/web:edge', 'force', 'a'),
    at('b', 'acme/web:live', 'force', 'a'),
  )
  t.match(alike.objects[0]?.notes.join(), /Another policy here is for the same image/)

  const twice = converted(keel('a/b:1.2.3', 'minor'), {
    ...keel('c/d:1.2.3', 'minor'),
    kind: 'StatefulSet',
  })
  t.strictSame(
    loaded(twice).policies.map(({ name }) => name),
    ['web', 'web-2'],
    'no two have the same name',
  )
  t.end()
})

t.test(
  'rivals of Flux and Argo CD are not told apart by labels that workloads do not have',
  (t) => {
    const labelled = (name: string, range: string, namespace: string, env: string) => {
      const [repository, own] = fluxPair({ policy: { semver: { range } } }, {}, namespace)
      return [repository, { ...own, metadata: { name, namespace, labels: { env, app: name } } }]
    }
    const pair = (namespace: string) =>
      converted(
        ...labelled('dev', '*-0', namespace, 'dev'),
        ...labelled('prod', '1.x', namespace, 'prod').slice(1),
      )
    for (const namespace of ['shop', 'flux-system']) {
      const policies = pair(namespace).objects.filter(({ object }) => object.spec['images'])
      t.equal(policies.length, 2)
      for (const { object, notes } of policies) {
        t.equal(object.spec['match'], undefined, namespace)
        t.match(notes.join(), /Another policy here is for the same image.*permitted by both/)
      }
    }
    t.match(
      pair('flux-system').objects.at(-1)?.notes.join(),
      /namespaceSelector or match\.selector/,
    )

    const list = (name: string, constraint: string) => {
      const image = { 'image-list': `acme/web:${constraint}` }
      const made = application(image)
      return { ...made, metadata: { ...made.metadata, name, labels: { app: name } } }
    }
    for (const { object, notes } of converted(list('a', '1.x'), list('b', '2.x')).objects) {
      t.equal(object.spec['match'], undefined)
      t.match(notes.join(), /Another policy here is for the same image/)
    }
    t.end()
  },
)

t.test('a policy for every namespace and one for its own on one image are told of', (t) => {
  const [repository, policy] = fluxPair({ policy: { semver: { range: '2.x' } } }, {}, 'flux-system')
  const image = (repository as { spec: { image: string } }).spec.image
  const { objects } = converted(repository, policy, keel(`${image}:1.2.3`, 'minor'))
  const notes = objects.map((each) => `${each.object.kind}: ${each.notes.join()}`)
  t.match(notes, [
    /^ImageRepository/,
    /^ClusterImagePolicy: .*ImagePolicy shop\/web is for the same image.*permitted by both/,
    /^ImagePolicy: .*ClusterImagePolicy web is for the same image/,
  ])
  t.end()
})

t.test('only the containers that Keel looks at count', (t) => {
  const object = {
    ...keel('acme/web:1.2.3', 'all', { monitorContainers: '^app$', initContainers: 'true' }),
    spec: {
      template: {
        spec: {
          initContainers: [{ name: 'app', image: 'acme/init:1.0.0' }],
          containers: [
            { name: 'app', image: 'acme/web:1.2.3' },
            { name: 'side', image: 'acme/side:1.2.3' },
          ],
        },
      },
    },
  }
  t.strictSame(
    loaded(converted(object)).policies.map(({ images }) => images[0]),
    ['docker.io/acme/web', 'docker.io/acme/init'],
  )
  t.end()
})

t.test('pull secrets of the same namespace become repositories', (t) => {
  for (const object of [
    keel('ghcr.io/acme/web:1.2.3', 'all', { imagePullSecret: 'regcred' }),
    application({ 'image-list': 'ghcr.io/acme/web', 'pull-secret': 'pullsecret:shop/regcred' }),
  ]) {
    t.match(loaded(converted(object)).repositories, [
      { namespace: 'shop', image: 'ghcr.io/acme/web', secretRef: { name: 'regcred' } },
    ])
  }
  t.match(loaded(converted(...fluxPair(semver, { secretRef: { name: 'x' }, insecure: true }))), {
    repositories: [{ name: 'web', interval: 300_000, secretRef: { name: 'x' }, insecure: true }],
  })
  t.end()
})

t.test('whatever manifests hold, the result is YAML that the loader accepts', (t) => {
  const evil = 'x\n---\nkind: Secret\u001b[2J\u2028# y'
  const rows: unknown[] = [
    keel('acme/web:1.2.3', 'all', { [evil]: evil, pollSchedule: evil }, { name: evil }),
    keel('acme/web:1.2.3', `glob:${evil}`),
    keel('acme/web:1.2.3', evil),
    keel('acme/web:1.2.3', 'glob:'),
    keel('acme/web:1.2.3', 'all', {}, { namespace: evil }),
    keel('acme/web:1.2.3', 'all', {}, { name: '__proto__', labels: { __proto__: 'x' } }),
    keel('acme/web:1.2.3', 'all', { approvals: 'NaN' }),
    keel(`acme/web:${'1'.repeat(100)}.2.3`, 'minor'),
    workload('acme/web', { 'keel.sh/policy': true }),
    application({ 'image-list': `${evil},,=,:,a=b=c:d, x`, 'update-strategy': evil }),
    application({ 'image-list': 'a/b', 'ignore-tags': evil, 'allow-tags': `regexp:${evil}` }),
    application({ 'image-list': 'a/b', 'pull-secret': evil, platforms: evil }),
    imageUpdater({ applicationRefs: [{ namePattern: evil, images: [{ imageName: 'a/b' }] }] }),
    imageUpdater({ applicationRefs: 'x', commonUpdateSettings: [] }),
    imageUpdater({ applicationRefs: [null, 1, { images: [null, [], { imageName: {} }] }] }),
    ...fluxPair(semver, { provider: evil, serviceAccountName: { x: 1 } }),
    { kind: 'Deployment' },
    { apiVersion: 'v1', kind: 'List', items: [null, 1, 'x', []] },
    'just a text\n',
    '- a\n- list\n',
    'null\n',
  ]
  for (const row of rows) {
    const conversion = converted(row)
    const text = conversionText(conversion)
    t.ok(loaded(conversion), text.slice(0, 40))
    t.notMatch(text.replace(/^# .*$/gm, ''), /Secret\n|\u001b/)
    for (const { object } of conversion.objects) t.match(fileName(object), /^[a-z0-9.-]+$/)
  }
  t.ok(loaded(converted(...rows)), 'and all together')
  t.equal(conversionText(converted(workload('a/b', {}))), '', 'what is none of ours says nothing')
  const own = { apiVersion: 'tagwarden.io/v1alpha1', kind: 'ImagePolicy', metadata: {}, spec: {} }
  t.strictSame(converted(own), { objects: [], leftOut: [], problems: [] }, 'nor what is native')
  t.end()
})
