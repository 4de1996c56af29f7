import t from 'tap'
import { builtinKinds, fieldAt, findImages } from '../../src/images/index.ts'
import { podSpecKeys } from '../../src/images/workload.ts'

t.test('an image is named from its pointer as it was when it was found', (t) => {
  const spec = {
    containers: [{ image: 'a' }, { image: 'b' }],
    initContainers: [{ image: 'c' }],
    ephemeralContainers: [{ image: 'd' }],
    volumes: [{}, { image: { reference: 'e' } }],
    other: { images: [{ 'a/b': 'f' }] },
  }
  const paths = ['/containers/*/image', '/other/images/0/a~1b']
  const kinds = [...builtinKinds, { group: 'argoproj.io', kind: 'Rollout' }]
  for (const kind of kinds) {
    const keys = podSpecKeys(kind) ?? ['spec']
    const object = keys.reduceRight<unknown>((inner, key) => ({ [key]: inner }), spec)
    const prefix = `/${keys.join('/')}`
    const custom = { ...kind, paths: paths.map((path) => prefix + path) }
    const found = findImages(object, kind, [custom])
    t.ok(found.length >= 3, kind.kind)
    for (const { pointer, field } of found) t.equal(fieldAt(pointer, kind), field, pointer)
  }
  t.end()
})

t.test('any other pointer becomes a dotted path', (t) => {
  const none = { group: '', kind: '' }
  for (const [pointer, field] of [
    ['/web/image/tag', 'web.image.tag'],
    ['/images/2/newTag', 'images[2].newTag'],
    ['/a~1b/~0', 'a/b.~'],
    ['/__proto__/x', '__proto__.x'],
    ['', ''],
    ['/', ''],
    ['/spec/containers', 'spec.containers'],
    ['/01/x', '01.x'],
  ] as const) {
    t.equal(fieldAt(pointer, none), field, pointer)
  }
  t.equal(fieldAt('/spec/containers', { group: '', kind: 'Pod' }), 'spec.containers')
  t.equal(
    fieldAt('/spec/containers/x/image', { group: '', kind: 'Pod' }),
    'spec.containers.x.image',
  )
  t.end()
})
