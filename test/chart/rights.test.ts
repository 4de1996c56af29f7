import t from 'tap'
import { HELM, skipWithout } from '../cluster/assets.ts'
import { only, type Rendered, render } from './helm.ts'
import { EVERYTHING, VALUE_SETS } from './value_sets.ts'

const skip = skipWithout([HELM])

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

function roles(objects: readonly Rendered[]): Rendered[] {
  return objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
}

t.test('no role has a wildcard, and each grants something', { skip }, async (t) => {
  for (const [title, values] of Object.entries(VALUE_SETS)) {
    for (const { kind, metadata, rules } of roles(await render(values))) {
      t.ok(rules.length > 0, `${title}: ${kind} ${metadata.name}`)
      t.notMatch(JSON.stringify(rules), '"*"', `${title}: ${kind} ${metadata.name}`)
    }
  }
})

t.test('secrets are read by name, or where that was asked for', { skip }, async (t) => {
  const objects = await render(EVERYTHING)
  const reading = roles(objects).filter(({ rules }) =>
    rules.some(
      ({ resources, resourceNames, verbs }: Rule) =>
        resources.includes('secrets') && !resourceNames && verbs.some((verb) => verb !== 'create'),
    ),
  )
  t.strictSame(
    reading.map(({ kind, metadata }) => `${kind} ${metadata.name}`),
    ['ClusterRole tagwarden-pull-secrets'],
  )
  const bound = objects.filter(({ roleRef }) => roleRef?.name === 'tagwarden-pull-secrets')
  t.strictSame(bound.map(({ kind, metadata }) => `${kind} ${metadata.namespace}`).sort(), [
    'RoleBinding billing',
    'RoleBinding shop',
  ])
  const named = objects.filter(({ metadata }) => metadata.name === 'tagwarden-pull-secrets-named')
  t.strictSame(
    named
      .filter(({ kind }) => kind === 'Role')
      .map(({ metadata, rules }) => [metadata.namespace, rules[0].resourceNames]),
    [
      ['api', ['regcred']],
      ['web', ['mirror', 'regcred']],
    ],
  )
})

t.test(
  'without pull secrets, no secret outside its namespace is bound to it',
  { skip },
  async (t) => {
    const objects = await render({})
    t.strictSame(
      objects
        .filter(({ kind }) => kind === 'RoleBinding')
        .map(({ metadata }) => metadata.namespace),
      ['tagwarden-system'],
    )
    t.notOk(
      objects.some(
        ({ kind, roleRef }) =>
          kind === 'ClusterRoleBinding' && roleRef.name === 'tagwarden-pull-secrets',
      ),
    )
  },
)

t.test(
  'the ClusterRole that owns the webhook configurations is named as the program says',
  { skip },
  async (t) => {
    const objects = await render({}, { release: 'gate' })
    const owner = only(objects, 'ClusterRole', 'gate-tagwarden')
    t.match(only(objects, 'ConfigMap').data['tagwarden.yaml'], `name: ${owner.metadata.name}\n`)
    const leader = only(objects, 'ClusterRole', 'gate-tagwarden-leader')['rules'] as Rule[]
    const about = (resource: string) =>
      leader.filter(({ resources }) => resources.includes(resource))
    t.strictSame(about('clusterroles'), [
      {
        apiGroups: ['rbac.authorization.k8s.io'],
        resources: ['clusterroles'],
        resourceNames: ['gate-tagwarden'],
        verbs: ['get'],
      },
    ])
    for (const { verbs, resourceNames } of about('validatingwebhookconfigurations')) {
      if (!verbs.includes('create')) t.strictSame(resourceNames, ['gate-tagwarden'])
      else t.strictSame(verbs, ['create'])
    }
  },
)

t.test(
  'workloads are patched by the promoter only, and by nobody without it',
  { skip },
  async (t) => {
    const patching = (objects: readonly Rendered[]) =>
      roles(objects)
        .filter(({ rules }) =>
          rules.some(
            ({ apiGroups, verbs }: Rule) =>
              apiGroups.includes('apps') && verbs.some((verb) => verb !== 'list'),
          ),
        )
        .map(({ metadata }) => metadata.name)
    t.strictSame(patching(await render({})), ['tagwarden-promoter'])
    t.strictSame(patching(await render({ promotion: { enabled: false } })), [])
    const custom = only(await render(EVERYTHING), 'ClusterRole', 'tagwarden-promoter')['rules'].at(
      -1,
    )
    t.strictSame(custom.resources, ['rollouts'])
  },
)

t.test('the auditor lists workloads, writes reports, and nothing else', { skip }, async (t) => {
  const auditor = only(await render(EVERYTHING), 'ClusterRole', 'tagwarden-auditor')
  for (const { apiGroups, resources, verbs } of auditor['rules'] as Rule[]) {
    const reports = ['openreports.io', 'wgpolicyk8s.io'].includes(apiGroups[0] ?? '')
    t.strictSame(verbs, reports ? ['list', 'create', 'update', 'delete'] : ['list'])
    if (reports) t.ok(resources.every((each) => each.endsWith('reports')))
  }
  const without = await render({ audit: { enabled: false } })
  t.notOk(without.some(({ metadata }) => metadata.name === 'tagwarden-auditor'))
  t.match(only(without, 'ConfigMap').data['tagwarden.yaml'], /audit:\n {2}mode: "?Off"?\n/)
})

t.test('editors write policies, exceptions only when that is allowed', { skip }, async (t) => {
  const written = async (values: object) =>
    only(await render(values as never), 'ClusterRole', 'tagwarden-edit')['rules'][0].resources
  t.strictSame(await written({}), ['imagepolicies', 'imagerepositories'])
  t.ok((await written({ rbac: { editorsMayExcept: true } })).includes('imagepolicyexceptions'))
  const label = 'rbac.authorization.k8s.io/aggregate-to-edit'
  const edit = only(await render({}), 'ClusterRole', 'tagwarden-edit')
  t.equal(edit.metadata.labels?.[label], 'true')
  const alone = only(await render({ rbac: { aggregate: false } }), 'ClusterRole', 'tagwarden-edit')
  t.notOk(alone.metadata.labels?.[label])
})
