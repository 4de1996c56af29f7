import fc from 'fast-check'
import t from 'tap'
import { valueAt } from '../../src/images/index.ts'
import { escapeKey } from '../../src/images/pointer.ts'

t.test('a JSON pointer gives the value that it names', (t) => {
  // the document of RFC 6901 §5, and some of ours
  const document = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'm~n': 8,
    '~1': 'tilde one',
    spec: { containers: [{ image: 'web' }, null] },
    none: null,
  }
  const rows: [pointer: string, value: unknown][] = [
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/m~0n', 8],
    ['/~01', 'tilde one'],
    ['/spec/containers/0/image', 'web'],
    ['/none', null],
    // nothing there
    ['/foo/2', undefined],
    ['/foo/-', undefined],
    ['/foo/-1', undefined],
    ['/foo/00', undefined],
    ['/foo/1.0', undefined],
    ['/foo/1e0', undefined],
    ['/foo/0/0', undefined],
    ['/foo/length', undefined],
    ['/foo/__proto__', undefined],
    ['/none/x', undefined],
    ['/spec/containers/1/image', undefined],
    ['/toString', undefined],
    ['/__proto__', undefined],
    ['/constructor/name', undefined],
    ['/spec/containers/0/image/length', undefined],
    // no pointer
    ['foo', undefined],
    ['#/foo', undefined],
  ]
  for (const [pointer, value] of rows) t.strictSame(valueAt(document, pointer), value, pointer)
  t.equal(valueAt(undefined, '/a'), undefined)
  t.equal(valueAt('text', '/0'), undefined)
  t.end()
})

t.test('a key named __proto__ that a request really has is read as any other', (t) => {
  t.equal(valueAt(JSON.parse('{"__proto__": {"image": "web"}}'), '/__proto__/image'), 'web')
  t.end()
})

t.test('every key can be written in a pointer and read back', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), fc.nat(), (keys, leaf) => {
      const object = keys.reduceRight<unknown>((value, key) => ({ [key]: value }), leaf)
      const own = keys.every((key) => key !== '__proto__')
      const pointer = keys.map((key) => `/${escapeKey(key)}`).join('')
      return !own || valueAt(object, pointer) === leaf
    }),
  )
  fc.assert(
    fc.property(fc.anything(), fc.string(), (object, pointer) => {
      valueAt(object, pointer)
    }),
  )
  t.pass('and no pointer makes it throw')
  t.end()
})
