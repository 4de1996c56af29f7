import t from 'tap'
import { file, nativePolicy, read, titles } from './reading.ts'

const VERSIONS = ['v1', 'v1beta2', 'v1beta1']

function flux(
  kind: string,
  name: string,
  spec: object,
  namespace?: string,
  version = 'v1',
): string {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) }
  return JSON.stringify({ apiVersion: `image.toolkit.fluxcd.io/${version}`, kind, metadata, spec })
}

const repository = (spec: object = {}, namespace = 'shop', version?: string) =>
  flux(
    'ImageRepository',
    'web',
    { image: 'ghcr.io/acme/web', interval: '1m', ...spec },
    namespace,
    version,
  )

const policy = (spec: object = {}, namespace = 'shop', version?: string) =>
  flux(
    'ImagePolicy',
    'web',
    { imageRepositoryRef: { name: 'web' }, policy: { semver: { range: '5.x' } }, ...spec },
    namespace,
    version,
  )

t.test('an ImagePolicy and its ImageRepository become one policy, in every served version', (t) => {
  for (const version of VERSIONS) {
    const { set, lines } = read(file(policy({}, 'shop', version), repository({}, 'shop', version)))
    t.strictSame(lines, [], version)
    t.match(set.policies, [
      {
        kind: 'ImagePolicy',
        namespace: 'shop',
        title: 'ImagePolicy shop/web',
        images: ['ghcr.io/acme/web'],
        action: 'Track',
        reference: 'Tag',
        movedTags: 'Warn',
      },
    ])
    t.strictSame(set.policies[0]?.selector.rule, {
      allow: [],
      ignore: [],
      order: { semver: { range: '5.x' } },
    })
  }
  t.end()
})

t.test('each rule of Flux has its native one', (t) => {
  const rows: [spec: object, rule: object][] = [
    [{ policy: { alphabetical: {} } }, { order: { alphabetical: { order: 'Ascending' } } }],
    [
      { policy: { alphabetical: { order: 'desc' } } },
      { order: { alphabetical: { order: 'Descending' } } },
    ],
    [{ policy: { numerical: { order: 'ASC' } } }, { order: { numerical: { order: 'Ascending' } } }],
    [
      { policy: { numerical: { order: 'desc' } } },
      { order: { numerical: { order: 'Descending' } } },
    ],
    [
      {
        filterTags: { pattern: '^main-[a-f0-9]+-(?P<ts>.*)', extract: '$ts' },
        policy: { numerical: {} },
      },
      { pattern: '^main-[a-f0-9]+-(?P<ts>.*)', extract: '$ts' },
    ],
  ]
  for (const [spec, rule] of rows) {
    const { set, lines } = read(file(repository({ exclusionList: ['^x', 'y$'] }), policy(spec)))
    t.strictSame(lines, [])
    t.match(set.policies[0]?.selector.rule, { ...rule, ignore: ['^x', 'y$'] }, JSON.stringify(spec))
  }
  const empty = read(file(repository(), policy({ filterTags: { pattern: '', extract: '' } })))
  t.equal(empty.set.policies[0]?.selector.rule.pattern, undefined, 'an empty pattern is none')
  t.end()
})

t.test('digestReflectionPolicy says whether the digest is written', (t) => {
  const rows = [
    ['Never', 'Tag', 'Warn'],
    ['IfNotPresent', 'TagAndDigest', 'Warn'],
    ['Always', 'TagAndDigest', 'Allow'],
  ] as const
  for (const [digestReflectionPolicy, reference, movedTags] of rows) {
    const { set } = read(file(repository(), policy({ digestReflectionPolicy })))
    t.match(set.policies[0], { reference, movedTags }, digestReflectionPolicy)
  }
  t.end()
})

t.test('a policy in flux-system is for the whole cluster, another for its own namespace', (t) => {
  const everywhere = read(file(repository({}, 'flux-system'), policy({}, 'flux-system')))
  t.match(everywhere.set.policies[0], {
    kind: 'ClusterImagePolicy',
    title: 'ImagePolicy flux-system/web',
  })
  t.strictSame(titles(everywhere, 'ghcr.io/acme/web:5.0.0', { namespace: 'shop' }), [
    'ImagePolicy flux-system/web',
  ])
  const own = read(file(repository(), policy()))
  t.strictSame(titles(own, 'ghcr.io/acme/web', { namespace: 'other' }), [])
  t.strictSame(titles(own, 'ghcr.io/acme/web', { namespace: 'shop' }), ['ImagePolicy shop/web'])
  t.end()
})

t.test('a repository of another namespace is found by its namespace', (t) => {
  const ref = { imageRepositoryRef: { name: 'web', namespace: 'flux-system' } }
  t.equal(read(file(repository({}, 'flux-system'), policy(ref))).set.policies.length, 1)
  t.match(read(file(repository({}, 'flux-system'), policy())).lines, [
    /no ImageRepository shop\/web/,
  ])
  t.end()
})

t.test('what is suspended is left out with a note', (t) => {
  const rows = [
    [
      file(repository(), policy({ suspend: true })),
      'ImagePolicy shop/web is left out: it is suspended',
    ],
    [
      file(repository({ suspend: true }), policy()),
      'ImagePolicy shop/web is left out: its ImageRepository is suspended',
    ],
  ] as const
  for (const [text, note] of rows) {
    const { set, lines, notes } = read(text)
    t.strictSame([set.policies.length, lines, notes], [0, [], [note]])
  }
  t.end()
})

t.test('an ImageRepository alone is no policy', (t) => {
  const { set, lines } = read(repository())
  t.strictSame([set.policies, lines], [[], []])
  t.end()
})

t.test('other fields and kinds of Flux are let through', (t) => {
  const text = file(
    repository({ provider: 'aws', accessFrom: {}, someday: 1 }),
    policy({ interval: '1m', someday: 1 }),
    flux('ImageUpdateAutomation', 'auto', {}),
  )
  const { set, lines, skipped } = read(text)
  t.strictSame([set.policies.length, lines, skipped], [1, [], 1])
  t.end()
})

t.test('what is wrong is named in the object where it was written', (t) => {
  const rows: [text: string, says: RegExp][] = [
    [
      policy(),
      /^f\.yaml:1:\d+: spec\.imageRepositoryRef\.name: there is no ImageRepository shop\/web\. Add it/,
    ],
    [
      file(repository({ image: 'web:v1' }), policy()),
      /^f\.yaml:1:\d+: spec\.image: "web:v1" has a tag/,
    ],
    [file(repository({ image: 'https://x/y' }), policy()), /spec\.image: .* has a scheme/],
    [
      file(repository({ image: 'ghcr.io/acme/*' }), policy()),
      /spec\.image: .* more than one repository/,
    ],
    [file(repository({ image: null }), policy()), /spec\.image: is missing/],
    [
      file(repository({ exclusionList: ['ok', '('] }), policy()),
      /^f\.yaml:1:\d+: spec\.exclusionList\[1\]: /,
    ],
    [file(repository({ exclusionList: 'x' }), policy()), /spec\.exclusionList: must be a list/],
    [
      file(repository(), policy({ policy: {} })),
      /^f\.yaml:3:\d+: spec\.policy: must have exactly one of/,
    ],
    [
      file(repository(), policy({ policy: { semver: {} } })),
      /spec\.policy\.semver\.range: is missing/,
    ],
    [
      file(repository(), policy({ policy: { semver: { range: 'x.y' } } })),
      /^f\.yaml:3:\d+: spec\.policy\.semver\.range/,
    ],
    [
      file(repository(), policy({ policy: { numerical: { order: 'up' } } })),
      /order: "up" is not valid\. Write asc/,
    ],
    [
      file(repository(), policy({ filterTags: { pattern: '(' } })),
      /^f\.yaml:3:\d+: spec\.filterTags\.pattern/,
    ],
    [
      file(repository(), policy({ filterTags: { extract: '$1' } })),
      /spec\.filterTags\.extract: needs a pattern/,
    ],
    [
      file(repository(), policy({ digestReflectionPolicy: 'Ever' })),
      /is not one of Never, IfNotPresent, Always/,
    ],
    [
      file(repository(), policy({ imageRepositoryRef: null })),
      /spec\.imageRepositoryRef: is missing/,
    ],
    [
      flux('ImagePolicy', 'web', {}, 'shop', 'v2'),
      /"image\.toolkit\.fluxcd\.io\/v2" is not known\. Write/,
    ],
    [flux('ImagePolicy', 'Web', {}), /metadata\.name: "Web" is not valid/],
    ['apiVersion: image.toolkit.fluxcd.io/v1\nkind: ImageRepository', /metadata: is missing/],
  ]
  for (const [text, says] of rows) {
    const { lines, set } = read(text)
    t.equal(lines.length, 1, lines.join(' | '))
    t.match(lines[0], says)
    t.equal(set.policies.length, 0)
  }
  t.end()
})

t.test('a native policy of the same name is a clash', (t) => {
  const { lines } = read(file(nativePolicy({}, { namespace: 'shop' }), repository(), policy()))
  t.match(lines, [/^f\.yaml:5:1: ImagePolicy shop\/web is also in f\.yaml:1/])
  t.end()
})
