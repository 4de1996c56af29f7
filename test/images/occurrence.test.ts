import fc from 'fast-check'
import t from 'tap'
import {
  builtinKinds,
  findImages,
  type GroupKind,
  type ImageField,
  valueAt,
  WORKLOAD_RESOURCES,
} from '../../src/images/index.ts'

const POD: GroupKind = { group: '', kind: 'Pod' }
const ROLLOUT: GroupKind = { group: 'argoproj.io', kind: 'Rollout' }

const podSpec = {
  containers: [{ name: 'app', image: 'web:v1' }, { image: 'side:v1' }],
  initContainers: [{ name: 'migrate', image: 'web:v2' }],
  ephemeralContainers: [{ name: 'debug', image: 'busybox' }],
  volumes: [
    { name: 'config', configMap: { name: 'image' } },
    { name: 'model', image: { reference: 'models/llm:v3', pullPolicy: 'Always' } },
  ],
}

/** An object with a pod spec at a dotted path. */
function objectWith(path: string, value: unknown): unknown {
  return path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)
}

t.test('every image of every built-in kind is found', (t) => {
  const template = 'spec.template.spec'
  const rows: [group: string, kind: string, path: string][] = [
    ['', 'Pod', 'spec'],
    ['', 'PodTemplate', 'template.spec'],
    ['', 'ReplicationController', template],
    ['apps', 'Deployment', template],
    ['apps', 'StatefulSet', template],
    ['apps', 'DaemonSet', template],
    ['apps', 'ReplicaSet', template],
    ['extensions', 'Deployment', template],
    ['extensions', 'DaemonSet', template],
    ['extensions', 'ReplicaSet', template],
    ['batch', 'Job', template],
    ['batch', 'CronJob', 'spec.jobTemplate.spec.template.spec'],
  ]
  for (const [group, kind, path] of rows) {
    const prefix = `/${path.replaceAll('.', '/')}`
    t.strictSame(
      findImages(objectWith(path, podSpec), { group, kind }, []),
      [
        ['containers/0/image', 'containers[0]', 'container', 'app', 'web:v1'],
        ['containers/1/image', 'containers[1]', 'container', undefined, 'side:v1'],
        ['initContainers/0/image', 'initContainers[0]', 'initContainer', 'migrate', 'web:v2'],
        [
          'ephemeralContainers/0/image',
          'ephemeralContainers[0]',
          'ephemeralContainer',
          'debug',
          'busybox',
        ],
        ['volumes/1/image/reference', 'volumes[1]', 'volume', 'model', 'models/llm:v3'],
      ].map(([pointer, field, role, name, value]) => ({
        pointer: `${prefix}/${pointer}`,
        field,
        role,
        name,
        value,
      })),
      `${group}/${kind}`,
    )
  }
  const listed = builtinKinds.map(({ group, kind }) => `${group}/${kind}`).sort()
  t.strictSame(listed, rows.map(([group, kind]) => `${group}/${kind}`).sort(), 'and no other kind')
  t.end()
})

t.test('a kind of the same name in another group is another kind', (t) => {
  const object = { spec: { ...podSpec, template: { spec: podSpec } } }
  const others: [group: string, kind: string][] = [
    ['foo.io', 'Deployment'],
    ['', 'Deployment'],
    ['apps', 'Pod'],
    ['batch', 'Deployment'],
    ['extensions', 'StatefulSet'],
    ['apps', 'deployment'],
    ['apps', 'Scale'],
    ['apps/v1', 'Deployment'],
    ['', '__proto__'],
    ['', 'constructor'],
    ['', ''],
  ]
  for (const [group, kind] of others) {
    t.strictSame(findImages(object, { group, kind }, []), [], `${group}/${kind}`)
  }
  t.end()
})

t.test('the webhook is registered for each resource that holds images', (t) => {
  t.strictSame(
    WORKLOAD_RESOURCES.map((each) => `${each.group}/${each.version}/${each.resource} ${each.kind}`),
    [
      '/v1/pods Pod',
      '/v1/pods/ephemeralcontainers Pod',
      '/v1/podtemplates PodTemplate',
      '/v1/replicationcontrollers ReplicationController',
      'apps/v1/deployments Deployment',
      'apps/v1/statefulsets StatefulSet',
      'apps/v1/daemonsets DaemonSet',
      'apps/v1/replicasets ReplicaSet',
      'batch/v1/jobs Job',
      'batch/v1/cronjobs CronJob',
    ],
  )
  t.ok(Object.isFrozen(WORKLOAD_RESOURCES) && Object.isFrozen(builtinKinds))
  t.end()
})

t.test('an object of any shape is looked at without complaint', (t) => {
  const values = (object: unknown) => findImages(object, POD, []).map((each) => each.value)
  const shapes: [title: string, object: unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a text', 'Pod'],
    ['a list', [{ spec: podSpec }]],
    ['no spec', {}],
    ['null spec', { spec: null }],
    ['text spec', { spec: 'containers' }],
    ['null containers', { spec: { containers: null, initContainers: null, volumes: null } }],
    ['containers as an object', { spec: { containers: { 0: { image: 'web' }, length: 1 } } }],
    ['containers as a text', { spec: { containers: 'web' } }],
    ['containers that are no objects', { spec: { containers: [null, 'web', 7, [], undefined] } }],
    ['no image', { spec: { containers: [{ name: 'app' }, { image: null }, { image: '' }] } }],
    ['volumes without image', { spec: { volumes: [null, {}, { image: null }, { image: 'web' }] } }],
    [
      'volumes without reference',
      { spec: { volumes: [{ image: {} }, { image: { reference: '' } }] } },
    ],
    ['inherited fields', Object.create({ spec: podSpec })],
    ['inherited lists', { spec: Object.create(podSpec) }],
    ['other spelling', { Spec: podSpec, spec: { Containers: podSpec.containers } }],
  ]
  for (const [title, object] of shapes) t.strictSame(values(object), [], title)
  t.end()
})

t.test('an image that is no text is found, so that it can be denied', (t) => {
  const odd = [7, false, true, 0, {}, ['web'], { image: 'web' }]
  const object = {
    spec: {
      containers: odd.map((image) => ({ image })),
      volumes: odd.map((reference) => ({ image: { reference } })),
    },
  }
  t.strictSame(
    findImages(object, POD, []).map((each) => each.value),
    [...odd, ...odd],
  )
  t.end()
})

t.test('ten thousand containers are found, each with its place', (t) => {
  const containers = Array.from({ length: 10_000 }, (_, i) => ({
    name: `c${i}`,
    image: `web:${i}`,
  }))
  const found = findImages({ spec: { containers } }, POD, [])
  t.equal(found.length, 10_000)
  t.match(found.at(-1), {
    pointer: '/spec/containers/9999/image',
    name: 'c9999',
    value: 'web:9999',
  })
  t.end()
})

function custom(object: unknown, ...paths: string[]) {
  return findImages(object, ROLLOUT, [{ ...ROLLOUT, paths }])
}

t.test('the images of a custom kind are found by the configured paths', (t) => {
  const rollout = {
    spec: { template: { spec: podSpec }, canary: { image: 'web:v9' }, tags: ['a'] },
  }
  t.strictSame(custom(rollout, '/spec/template/spec/containers/*/image', '/spec/canary/image'), [
    {
      pointer: '/spec/template/spec/containers/0/image',
      field: 'spec.template.spec.containers[0].image',
      role: 'custom',
      name: 'app',
      value: 'web:v1',
    },
    {
      pointer: '/spec/template/spec/containers/1/image',
      field: 'spec.template.spec.containers[1].image',
      role: 'custom',
      name: undefined,
      value: 'side:v1',
    },
    {
      pointer: '/spec/canary/image',
      field: 'spec.canary.image',
      role: 'custom',
      name: undefined,
      value: 'web:v9',
    },
  ])
  const rows: [title: string, object: unknown, path: string, found: [string, unknown][]][] = [
    ['list of images', rollout, '/spec/tags/*', [['/spec/tags/0', 'a']]],
    ['an index', rollout, '/spec/tags/0', [['/spec/tags/0', 'a']]],
    [
      'lists in lists',
      { a: [['x', 'y'], ['z']] },
      '/a/*/*',
      [
        ['/a/0/0', 'x'],
        ['/a/0/1', 'y'],
        ['/a/1/0', 'z'],
      ],
    ],
    ['the object is a list', ['x'], '/*', [['/0', 'x']]],
    ['escaped keys', { 'a/b': { 'c~d': 'x' } }, '/a~1b/c~0d', [['/a~1b/c~0d', 'x']]],
    [
      'an object is no text',
      { spec: { image: { tag: 'v1' } } },
      '/spec/image',
      [['/spec/image', { tag: 'v1' }]],
    ],
    ['a number is no text', { spec: { image: 7 } }, '/spec/image', [['/spec/image', 7]]],
    [
      '* over a map',
      { spec: { a: { image: 'x' }, 'b/c': { image: 'y' }, d: 'z', e: null, f: [{ image: 'no' }] } },
      '/spec/*/image',
      [
        ['/spec/a/image', 'x'],
        ['/spec/b~1c/image', 'y'],
      ],
    ],
    [
      'a map of lists',
      { spec: { PS: { c: [{ image: 'x' }] }, Worker: { c: [{ image: 'y' }] } } },
      '/spec/*/c/*/image',
      [
        ['/spec/PS/c/0/image', 'x'],
        ['/spec/Worker/c/0/image', 'y'],
      ],
    ],
    ['a map of images', { spec: { name: 'x' } }, '/spec/*', [['/spec/name', 'x']]],
    ['* over the whole object', { kind: 'x', a: { image: 'y' } }, '/*/image', []],
    ['* over a text', { spec: 'text' }, '/spec/*', []],
    ['* over nothing', {}, '/spec/*/image', []],
    ['nothing there', { spec: {} }, '/spec/image', []],
    ['null there', { spec: { image: null } }, '/spec/image', []],
    ['an empty text', { spec: { image: '' } }, '/spec/image', []],
    ['a text on the way', { spec: 'image' }, '/spec/image', []],
    [
      'elements of all sorts',
      { s: [null, 1, 'x', { image: 'y' }] },
      '/s/*/image',
      [['/s/3/image', 'y']],
    ],
    ['inherited', { spec: {} }, '/spec/constructor/name', []],
    ['length of a list', { spec: ['x'] }, '/spec/length', []],
    ['a prototype', { spec: {} }, '/spec/__proto__/constructor', []],
  ]
  for (const [title, object, path, found] of rows) {
    const pairs = custom(object, path).map((each) => [each.pointer, each.value])
    t.strictSame(pairs, found, title)
  }
  t.end()
})

t.test('an image that a map lists goes by its key', (t) => {
  const found = custom({ spec: { name: 'x', web: 'y' } }, '/spec/*')
  t.strictSame(
    found.map(({ name, field }) => [name, field]),
    [
      ['name', 'spec.name'],
      ['web', 'spec.web'],
    ],
  )
  t.end()
})

t.test('a place that two paths name is found once', (t) => {
  const object = { spec: { containers: [{ image: 'x' }, { image: 'y' }] } }
  const found = custom(object, '/spec/containers/0/image', '/spec/containers/*/image')
  t.strictSame(
    found.map((each) => each.value),
    ['x', 'y'],
  )
  const pod = findImages(object, POD, [
    { ...POD, paths: ['/spec/containers/*/image', '/spec/extra'] },
  ])
  t.strictSame(
    pod.map((each) => each.role),
    ['container', 'container'],
  )
  t.end()
})

t.test('a configured kind is known by its group too', (t) => {
  const object = { spec: { image: 'x' } }
  const paths = ['/spec/image']
  const fields: ImageField[] = [
    { group: 'other.io', kind: 'Rollout', paths },
    { group: 'argoproj.io', kind: 'Experiment', paths },
  ]
  t.strictSame(findImages(object, ROLLOUT, fields), [])
  t.equal(findImages(object, ROLLOUT, [...fields, { ...ROLLOUT, paths }]).length, 1)
  t.end()
})

t.test('laws of finding', (t) => {
  const spec = fc.dictionary(
    fc.constantFrom('containers', 'initContainers', 'ephemeralContainers', 'volumes', '__proto__'),
    fc.oneof(
      fc.array(
        fc.oneof(
          fc.anything(),
          fc.record({ name: fc.string(), image: fc.string() }),
          fc.record({ image: fc.record({ reference: fc.string() }) }),
        ),
      ),
      fc.anything(),
    ),
  )
  const fields: ImageField[] = [
    { ...POD, paths: ['/spec/*', '/spec/containers/*', '/spec/volumes/*/image', '/spec/a~1b'] },
  ]
  let images = 0
  fc.assert(
    fc.property(fc.oneof(spec, fc.anything()), (value) => {
      const object = { spec: value }
      const found = findImages(object, POD, fields)
      images += found.length
      for (const each of found) {
        if (!Object.is(valueAt(object, each.pointer), each.value)) throw new Error(each.pointer)
      }
      return new Set(found.map((each) => each.pointer)).size === found.length
    }),
    { numRuns: 500 },
  )
  t.ok(images > 0, 'each pointer leads to its value, each place is named once')
  t.end()
})
