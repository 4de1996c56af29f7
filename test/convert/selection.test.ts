import t from 'tap'
import {
  application,
  converted,
  fluxPair,
  imageUpdater,
  keel,
  loaded,
  selected,
} from './conversions.ts'

const VERSIONS = ['1.2.3', '1.2.9', 'v1.4.0', '1.10.1', '2.0.0', '2.1.0-rc.1', 'latest', 'nightly']
const SUFFIXED = [
  '1.2.3-alpine',
  '1.2.4-alpine',
  '1.2.5',
  '1.9.0-alpine',
  '2.0.0-alpine',
  '1.9.9-rc',
]
const SHORT = ['1.21-alpine', '1.22-alpine', '1.23', '2.0-alpine', 'latest']
const BUILDS = ['build-7', 'build-9', 'build-10', 'main-2026-01-02', 'main-2026-03-01', 'other']

t.test('what Keel would update to is what Tagwarden selects', (t) => {
  const rows: [
    image: string,
    policy: string,
    options: object,
    tags: string[],
    tag: string | undefined,
  ][] = [
    ['acme/web:1.2.3', 'patch', {}, VERSIONS, '1.2.9'],
    ['acme/web:v1.2.3', 'patch', {}, VERSIONS, '1.2.9'],
    ['acme/web:1.2.3', 'minor', {}, VERSIONS, '1.10.1'],
    ['acme/web:1.2.3', 'major', {}, VERSIONS, '2.0.0'],
    ['acme/web:1.2.3', 'all', {}, VERSIONS, '2.1.0-rc.1'],
    ['acme/web:1.2.3', 'major', { matchPreRelease: 'false' }, VERSIONS, '2.1.0-rc.1'],
    ['acme/web:0.2.3', 'minor', {}, ['0.2.3', '0.9.0', '1.0.0'], '0.9.0'],
    ['acme/web:1.2.3-alpine', 'patch', {}, SUFFIXED, '1.2.4-alpine'],
    ['acme/web:1.2.3-alpine', 'minor', {}, SUFFIXED, '1.9.0-alpine'],
    ['acme/web:1.2.3-alpine', 'major', {}, SUFFIXED, '2.0.0-alpine'],
    ['acme/web:1.2.3-alpine', 'minor', { matchPreRelease: 'false' }, SUFFIXED, '1.9.9-rc'],
    ['acme/web:1.21-alpine', 'minor', {}, SHORT, '1.22-alpine'],
    ['acme/web:1.21-alpine', 'major', {}, SHORT, '2.0-alpine'],
    ['acme/web:1.21', 'minor', {}, SHORT, '1.23'],
    ['acme/web:1.21', 'all', {}, ['1.21', '1.22-rc1', '1.20'], '1.22-rc1'],
    ['acme/web', 'minor', {}, VERSIONS, '2.1.0-rc.1'],
    ['acme/web:build-7', 'glob:build-*', {}, BUILDS, 'build-9'],
    ['acme/web:build-7', 'glob:*-2026-*', {}, BUILDS, 'main-2026-03-01'],
    ['acme/web:x', 'glob:nothing*', {}, BUILDS, undefined],
    ['acme/web:x', 'glob:a.c*', {}, ['abc', 'a.c1'], 'a.c1'],
    ['acme/web:x', 'regexp:^main-', {}, BUILDS, 'main-2026-03-01'],
    ['acme/web:x', 'regexp:^[a-z]+-(?P<compare>.*)$', {}, ['b-1', 'a-2'], 'a-2'],
    ['acme/web:stable', 'force', { matchTag: 'true' }, ['stable', 'v2'], 'stable'],
  ]
  for (const [image, policy, options, tags, tag] of rows) {
    const conversion = converted(keel(image, policy, options as Record<string, string>))
    for (const each of [tags, tags.toReversed()]) {
      t.equal(selected(conversion, each), tag, `${image} ${policy} ${JSON.stringify(options)}`)
    }
  }
  t.end()
})

t.test('what Argo CD Image Updater would choose is what Tagwarden selects', (t) => {
  const rows: [
    list: string,
    options: Record<string, string>,
    tags: string[],
    tag: string | undefined,
  ][] = [
    ['acme/web', {}, VERSIONS, '2.0.0'],
    ['web=acme/web:~1.2', {}, VERSIONS, '1.2.9'],
    ['web=acme/web:1.x', {}, VERSIONS, '1.10.1'],
    ['web=acme/web:>=1.0.0-0', {}, VERSIONS, '2.1.0-rc.1'],
    ['acme/web:1.2', {}, VERSIONS, '1.2.9'],
    ['localhost:5000/web:~1.2', {}, VERSIONS, '1.2.9'],
    ['web=acme/web:^1', { 'web.allow-tags': 'regexp:^v' }, VERSIONS, 'v1.4.0'],
    ['web=acme/web:^1', { 'web.allow-tags': 'any' }, VERSIONS, '1.10.1'],
    ['web=acme/web', { 'web.ignore-tags': '2.*, 1.10.*' }, VERSIONS, 'v1.4.0'],
    ['web=acme/web', { 'ignore-tags': '[!x]' }, VERSIONS, '2.0.0'],
    ['web=acme/web', { 'ignore-tags': '[2].?.0' }, VERSIONS, '1.10.1'],
    ['web=acme/web', { 'ignore-tags': '[' }, VERSIONS, '2.0.0'],
    ['a/b=acme/web', { 'a_b.update-strategy': 'name' }, BUILDS, 'other'],
    [
      'w=acme/web',
      { 'w.update-strategy': 'alphabetical', 'w.allow-tags': 'regexp:^main' },
      BUILDS,
      'main-2026-03-01',
    ],
    [
      'w=acme/web',
      { 'update-strategy': 'alphabetical', 'w.update-strategy': 'semver' },
      VERSIONS,
      '2.0.0',
    ],
    ['w=acme/web', { 'update-strategy': 'nonsense' }, VERSIONS, '2.0.0'],
    ['w=acme/web', { 'ignore-tags': '*' }, VERSIONS, undefined],
    ['w=acme/web:nightly', { 'w.update-strategy': 'digest' }, VERSIONS, 'nightly'],
  ]
  for (const [list, options, tags, tag] of rows) {
    const conversion = converted(application({ 'image-list': list, ...options }))
    for (const each of [tags, tags.toReversed()]) {
      t.equal(selected(conversion, each), tag, `${list} ${JSON.stringify(options)}`)
    }
  }
  t.end()
})

t.test('an ImageUpdater selects as the same annotations do', (t) => {
  const settings = { updateStrategy: 'semver', ignoreTags: ['2.*'] }
  const images = (more: object = {}) => [{ alias: 'web', imageName: 'acme/web:*', ...more }]
  const rows: [spec: object, tag: string | undefined][] = [
    [{ applicationRefs: [{ namePattern: 'shop', images: images() }] }, '2.0.0'],
    [
      {
        commonUpdateSettings: settings,
        applicationRefs: [{ namePattern: 'sh*', images: images() }],
      },
      '1.10.1',
    ],
    [
      {
        commonUpdateSettings: settings,
        applicationRefs: [
          {
            namePattern: 'shop',
            images: images({ commonUpdateSettings: { ignoreTags: ['1.*'] } }),
          },
        ],
      },
      '2.0.0',
    ],
    [
      {
        applicationRefs: [
          {
            namePattern: 'shop',
            commonUpdateSettings: { allowTags: 'regexp:^v' },
            images: images(),
          },
        ],
      },
      'v1.4.0',
    ],
  ]
  for (const [spec, tag] of rows) {
    const conversion = converted(imageUpdater(spec), application({}))
    t.equal(selected(conversion, VERSIONS), tag, JSON.stringify(spec))
    t.equal(loaded(conversion).policies[0]?.namespace, 'shop')
  }
  const annotated = application({ 'image-list': 'acme/web:~1.2' })
  const useAnnotations = { applicationRefs: [{ namePattern: 'shop', useAnnotations: true }] }
  t.equal(selected(converted(imageUpdater(useAnnotations), annotated), VERSIONS), '1.2.9')
  t.end()
})

t.test('what Flux would choose is what Tagwarden selects', (t) => {
  const rows: [policy: object, repository: object, tags: string[], tag: string | undefined][] = [
    [{ policy: { semver: { range: '1.x' } } }, {}, VERSIONS, '1.10.1'],
    [{ policy: { semver: { range: '>=1.0.0-0' } } }, {}, VERSIONS, '2.1.0-rc.1'],
    [{ policy: { semver: { range: '*' } } }, { exclusionList: ['^2'] }, VERSIONS, '1.10.1'],
    [{ policy: { alphabetical: {} } }, {}, BUILDS, 'other'],
    [{ policy: { alphabetical: { order: 'desc' } } }, {}, BUILDS, 'build-10'],
    [
      {
        filterTags: { pattern: '^build-(?P<n>.*)$', extract: '$n' },
        policy: { numerical: { order: 'asc' } },
      },
      {},
      BUILDS,
      'build-10',
    ],
  ]
  for (const [policy, repository, tags, tag] of rows) {
    const conversion = converted(...fluxPair(policy, repository))
    t.equal(selected(conversion, tags), tag, JSON.stringify(policy))
    const { policies } = loaded(converted(...fluxPair(policy, repository, 'flux-system')))
    t.equal(policies[0]?.kind, 'ClusterImagePolicy', 'of flux-system: for every namespace')
  }
  t.end()
})

t.test('a Kustomization selects as the loader has it', (t) => {
  const kustomization = {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'shop', namespace: 'flux-system' },
    spec: {
      targetNamespace: 'shop',
      imagePolicies: [
        {
          name: 'web',
          policy: { semver: { range: '1.x', identifier: 'v' } },
          github: { image: 'ghcr.io/acme/web', allowTags: ['^x'], ignoreTags: '^2' },
        },
      ],
    },
  }
  t.equal(selected(converted(kustomization), VERSIONS), 'v1.4.0')
  const bare = { imagePolicies: kustomization.spec.imagePolicies }
  t.equal(loaded(converted(bare)).policies[0]?.kind, 'ClusterImagePolicy')
  t.end()
})
