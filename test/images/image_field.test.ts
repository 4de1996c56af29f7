import fc from 'fast-check'
import t from 'tap'
import { TagwardenError } from '../../src/errors.ts'
import { findImages, type ImageField, parseImageField } from '../../src/images/index.ts'

const field = { group: 'argoproj.io', kind: 'Rollout', paths: ['/spec/containers/*/image'] }

t.test('a right image field is kept as it is and cannot be changed', (t) => {
  const rows: ImageField[] = [
    field,
    { group: '', kind: 'ConfigMap', paths: ['/data/image'] },
    {
      ...field,
      paths: ['/a', '/a/*', '/*', '/a/0/image', '/a~1b/~0c', '/metadata/annotations/x.y'],
    },
  ]
  for (const row of rows) {
    const parsed = parseImageField(row)
    t.strictSame(parsed, row)
    t.ok(Object.isFrozen(parsed) && Object.isFrozen(parsed.paths))
  }
  t.end()
})

t.test('a wrong image field says what to write', (t) => {
  const group = /^Write the group without the version/
  const kind = /^Write the kind in the singular/
  const pointer = /^Write a JSON pointer/
  const path = (text: unknown) => ({ paths: [text as string] })
  const rows: [change: object, message: RegExp, remedy: RegExp][] = [
    [{ group: 'argoproj.io/v1alpha1' }, /argoproj.io\/v1alpha1 is not an API group/, group],
    [{ group: 'v1' }, /v1 is not an API group/, group],
    [{ group: undefined }, /nothing is not an API group/, group],
    [{ group: 'a\u001b' }, /"a\\u001b" is not/, group],
    [{ kind: '' }, /"" is not a kind/, kind],
    [{ kind: 'apps.Deployment' }, /is not a kind/, kind],
    [{ kind: null }, /null is not a kind/, kind],
    [{ paths: [] }, /there is no path/, /^Write paths:/],
    [{ paths: '/spec/image' }, /there is no path/, /^Write paths:/],
    [path(7), /7 is not a text/, pointer],
    [path(''), /"" does not start with "\/"/, pointer],
    [path('spec.image'), /does not start with/, /such as \/spec\/image$/],
    [path('$.spec.jobs[*].image'), /does not start with/, /such as \/spec\/jobs\/\*\/image$/],
    [path('spec/image'), /does not start with/, pointer],
    [path('/'), /has an empty key/, pointer],
    [path('/spec//image'), /has an empty key/, pointer],
    [path('/spec/image/'), /has an empty key/, pointer],
    [path('/spec/a~b'), /a "~" that is not ~0 or ~1/, pointer],
    [path('/spec/a~'), /a "~" that is not ~0 or ~1/, pointer],
    [path('/spec/**/image'), /a "\*" that is not a key of its own/, pointer],
    [path('/spec/a*/image'), /a "\*" that is not a key of its own/, pointer],
    [path('/spec/{*}/image'), /a "\*" that is not a key of its own/, pointer],
    [{ paths: ['/spec/image', 'x'] }, /^x does not start/, pointer],
  ]
  const position = { file: 'tagwarden.yaml', line: 3 }
  for (const [change, message, remedy] of rows) {
    t.throws(
      () => parseImageField({ ...field, ...change }, position),
      { code: 'ERR_INVALID_CONFIG', message, remedy, position },
      JSON.stringify(change),
    )
  }
  t.end()
})

t.test('a path is either refused or safe to use', (t) => {
  const keys = fc.constantFrom('*', 'a', '~', '~0', '~1', '0', '__proto__', 'length', '.', '')
  const paths = fc.oneof(
    fc.array(keys, { minLength: 1 }).map((each) => `/${each.join('/')}`),
    fc.string(),
  )
  let used = 0
  fc.assert(
    fc.property(paths, fc.anything(), (path, object) => {
      try {
        const parsed = parseImageField({ ...field, paths: [path] })
        findImages(object, field, [parsed])
        used++
      } catch (error) {
        if (!(error instanceof TagwardenError)) throw error
      }
    }),
    { numRuns: 1000 },
  )
  t.ok(used > 0, 'some are used')
  t.end()
})
