import fc from 'fast-check'
import t from 'tap'
import {
  type ClosingPolicy,
  closedNamespaces,
  MOST_SELECTORS,
  oppositeOf,
  requirementsOf,
} from '../../src/webhooks/closed_namespaces.ts'

const EXCLUDED = new Set(['kube-system', 'tagwarden'])

function own(namespace: string, onUnavailable: 'Deny' | 'Allow' = 'Deny'): ClosingPolicy {
  return {
    kind: 'ImagePolicy',
    namespace,
    name: 'web',
    onUnavailable,
    namespaceSelector: undefined,
  }
}

function cluster(
  name: string,
  namespaceSelector: ClosingPolicy['namespaceSelector'],
  onUnavailable: 'Deny' | 'Allow' = 'Deny',
): ClosingPolicy {
  return {
    kind: 'ClusterImagePolicy',
    namespace: undefined,
    name,
    onUnavailable,
    namespaceSelector,
  }
}

const PROD = { matchLabels: { tier: 'prod' } }
const OPEN = { all: false, names: [], selected: [], ignored: [] }

t.test('a namespace is closed when any policy of it says so', (t) => {
  const rows: [title: string, policies: ClosingPolicy[], closed: object][] = [
    ['no policy', [], OPEN],
    ['all allow', [own('shop', 'Allow'), cluster('all', undefined, 'Allow')], OPEN],
    ['one', [own('shop')], { ...OPEN, names: ['shop'] }],
    ['two policies, one namespace', [own('shop'), own('shop')], { ...OPEN, names: ['shop'] }],
    ['two that disagree', [own('shop', 'Allow'), own('shop')], { ...OPEN, names: ['shop'] }],
    ['sorted', [own('b'), own('a')], { ...OPEN, names: ['a', 'b'] }],
    ['never asked about', [own('kube-system')], { ...OPEN, ignored: ['kube-system'] }],
    ['strange names', [own('__proto__'), own('')], { ...OPEN, names: ['', '__proto__'] }],
    [
      'a selector',
      [cluster('prod', PROD)],
      { ...OPEN, selected: [{ policy: 'prod', selector: PROD }] },
    ],
    [
      'the same selector twice, in other words',
      [
        cluster('b', PROD),
        cluster('a', { matchExpressions: [{ key: 'tier', operator: 'In', values: ['prod'] }] }),
      ],
      {
        ...OPEN,
        selected: [
          {
            policy: 'a',
            selector: { matchExpressions: [{ key: 'tier', operator: 'In', values: ['prod'] }] },
          },
        ],
      },
    ],
    ['every namespace', [cluster('all', undefined), own('shop')], { ...OPEN, all: true }],
    ['an empty selector', [cluster('all', {}), own('shop')], { ...OPEN, all: true }],
    [
      'empty lists',
      [cluster('all', { matchLabels: {}, matchExpressions: [] })],
      { ...OPEN, all: true },
    ],
  ]
  for (const [title, policies, closed] of rows) {
    t.strictSame(closedNamespaces(policies, EXCLUDED), closed, title)
  }
  t.end()
})

t.test('more selectors than the API server should look at close every namespace', (t) => {
  const some = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      cluster(`p${index}`, { matchLabels: { tier: `t${index}` } }),
    )
  t.equal(closedNamespaces(some(MOST_SELECTORS), EXCLUDED).selected.length, MOST_SELECTORS)
  t.equal(closedNamespaces(some(MOST_SELECTORS + 1), EXCLUDED).all, true)
  t.end()
})

t.test('the opposite of a selector holds exactly where it does not', (t) => {
  t.strictSame(oppositeOf(requirementsOf(PROD)), {
    key: 'tier',
    operator: 'NotIn',
    values: ['prod'],
  })
  t.strictSame(
    oppositeOf(requirementsOf({ matchExpressions: [{ key: 'a', operator: 'Exists' }] })),
    { key: 'a', operator: 'DoesNotExist' },
  )
  t.equal(oppositeOf(requirementsOf({ matchLabels: { a: '1', b: '2' } })), undefined)
  t.equal(oppositeOf([]), undefined)
  t.end()
})

t.test('the order of policies does not matter', (t) => {
  const policy = fc.oneof(
    fc
      .tuple(fc.constantFrom('a', 'b', 'kube-system'), fc.boolean())
      .map(([namespace, deny]) => own(namespace, deny ? 'Deny' : 'Allow')),
    fc
      .tuple(fc.constantFrom('x', 'y', 'z'), fc.constantFrom('1', '2'))
      .map(([name, tier]) => cluster(name, { matchLabels: { tier } })),
  )
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 8 }), (policies) => {
      const names = (closed: ReturnType<typeof closedNamespaces>) => [
        closed.names,
        closed.ignored,
        closed.selected.map(({ selector }) => JSON.stringify(selector)).sort(),
      ]
      t.strictSame(
        names(closedNamespaces(policies, EXCLUDED)),
        names(closedNamespaces(policies.toReversed(), EXCLUDED)),
      )
    }),
    { numRuns: 50 },
  )
  t.end()
})
