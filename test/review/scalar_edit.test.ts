import fc from 'fast-check'
import { load } from 'js-yaml'
import t from 'tap'
import { isFault, readManifest } from '../../src/review/manifest.ts'
import { applyEdits, planEdits } from '../../src/review/scalar_edit.ts'
import { createPlaceFinder } from '../../src/review/scalar_place.ts'

function read(text: string) {
  const manifest = readManifest(text)
  if (isFault(manifest)) throw new Error(manifest.message)
  return manifest
}

function rewritten(text: string, changes: Readonly<Record<string, string>>, fixed: string[] = []) {
  const rewrites = Object.entries(changes).map(([place, to]) => ({ place, to }))
  const plan = planEdits(text, read(text), rewrites, new Set(fixed))
  return { text: applyEdits(text, plan.edits), refused: plan.refused.map(({ why }) => why), plan }
}

t.test('only the characters of the value change', (t) => {
  const rows: [before: string, after: string][] = [
    ['image: a:1 # c\n', 'image: b:2 # c\n'],
    ['image:   "a:1"   \r\nx: 1', 'image:   "b:2"   \r\nx: 1'],
    ["image: 'a:1'", "image: 'b:2'"],
    ['{"image":"a:1"}', '{"image":"b:2"}'],
    ['{ "image" :\t"a\\u003a1" }\n', '{ "image" :\t"b:2" }\n'],
    ['{image: a:1, x: [1]}', '{image: b:2, x: [1]}'],
    ['{x: 1, "image":a:1}', '{x: 1, "image":b:2}'],
    ['image: &i a:1\n', 'image: &i b:2\n'],
    ['image: !!str a:1\n', 'image: !!str b:2\n'],
    ['image: |-\n    a:1\n\nx: 1\n', 'image: |-\n    b:2\n\nx: 1\n'],
    ['image: >-\n    a:1\nx: 1\n', 'image: >-\n    b:2\nx: 1\n'],
    ['? image\n: a:1\n', '? image\n: b:2\n'],
    ['"im\\x61ge": a:1\n', '"im\\x61ge": b:2\n'],
    ['image:\n  a:1\nx: é😀\n', 'image:\n  b:2\nx: é😀\n'],
    ['image: "a\\\n  :1"\n', 'image: "b:2"\n'],
    ['image: 1.20\n', 'image: b:2\n'],
    ['\ufeffimage: a:1\n', '\ufeffimage: b:2\n'],
    ['# image: a:1\nz: "image: a:1"\nimage: a:1\n', '# image: a:1\nz: "image: a:1"\nimage: b:2\n'],
  ]
  for (const [before, after] of rows) {
    t.equal(rewritten(before, { '/image': 'b:2' }).text, after, JSON.stringify(before))
  }
  t.end()
})

t.test('a value gets quotes only where it would be no text without them', (t) => {
  const rows: [to: string, written: string][] = [
    ['v1.4.2', 'v1.4.2'],
    ['1.4.2', '1.4.2'],
    ['1.10', '"1.10"'],
    ['20240101', '"20240101"'],
    ['2024-01-01', '"2024-01-01"'],
    ['1e3', '"1e3"'],
    ['0x1f', '"0x1f"'],
    ['on', '"on"'],
    ['true', '"true"'],
    ['null', '"null"'],
    ['12:30', '"12:30"'],
    ['1_000', '"1_000"'],
    ['_x', '"_x"'],
  ]
  for (const [to, written] of rows) {
    t.equal(rewritten('tag: v0 # c\n', { '/tag': to }).text, `tag: ${written} # c\n`, to)
    t.equal(rewritten("tag: 'v0'\n", { '/tag': to }).text, `tag: '${to}'\n`, to)
  }
  t.equal(rewritten('{"tag": 5}', { '/tag': 'v1' }).text, '{"tag": "v1"}')
  t.end()
})

t.test('what is written once for several is changed once, if that harms nothing', (t) => {
  const both = 'c:\n  - image: &i a:1\n  - image: *i\n'
  t.match(rewritten(both, { '/c/0/image': 'b:2', '/c/1/image': 'b:2' }), {
    text: both.replace('a:1', 'b:2'),
    refused: [],
  })
  t.match(rewritten(both, { '/c/1/image': 'b:2' }, ['/c/0/image']), {
    text: both,
    refused: [/for other fields too/],
  })
  t.match(rewritten(both, { '/c/0/image': 'b:2', '/c/1/image': 'b:3' }), {
    text: both,
    refused: [/different values/, /different values/],
  })
  const elsewhere = 'version: &i a:1\nimage: *i\nb: { image: a:1 }\n'
  t.match(rewritten(elsewhere, { '/image': 'b:2', '/b/image': 'b:2' }), {
    text: elsewhere.replace('{ image: a:1', '{ image: b:2'),
    refused: [/for other fields too/],
  })
  const merged = 'x: &x { image: a:1, y: 1 }\nc: [{ <<: *x, name: a }]\n'
  t.match(rewritten(merged, { '/c/0/image': 'b:2' }), { text: merged.replace('a:1', 'b:2') })
  const list = 'x: [&x { image: a:1 }, &y { image: z:1 }]\nc: { <<: [*x, *y] }\n'
  t.match(rewritten(list, { '/c/image': 'b:2' }), { text: list.replace('a:1', 'b:2') })
  t.end()
})

t.test('of many fixes, those that would do harm are left out', (t) => {
  const lines = Array.from({ length: 60 }, (_, index) =>
    index === 37 ? '  - { image: &i a:1, other: *i }\n' : `  - { image: a:${index} }\n`,
  )
  const text = `c:\n${lines.join('')}`
  const changes = Object.fromEntries(lines.map((_, index) => [`/c/${index}/image`, 'b:2']))
  const { text: after, refused } = rewritten(text, changes)
  t.equal(refused.length, 1)
  t.equal(after.match(/b:2/g)?.length, 59)
  t.match(after, /&i a:1, other: \*i/)
  t.end()
})

t.test('what cannot be changed in place is left alone', (t) => {
  const rows: [text: string, place: string][] = [
    ['image: |\n  a:1\n', '/image'],
    ['image: { a: b }\n', '/image'],
    ['image: [a]\n', '/image'],
    ['image:\n', '/image'],
    ['other: a:1\n', '/image'],
    ['image: a:1\n', '/image/x'],
    ['- a:1\n', '/01'],
  ]
  for (const [text, place] of rows) {
    const { text: after, refused } = rewritten(text, { [place]: 'b:2' })
    t.equal(after, text, JSON.stringify(text))
    t.equal(refused.length, 1)
  }
  t.end()
})

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/)
const image = fc.tuple(word, word).map(([name, tag]) => `${name}:${tag}`)
const target = fc.tuple(word, word).map(([name, tag]) => `new.${name}/x:${tag}`)
/** Ways to write an image, and what may stand around it. */
const written = fc.tuple(image, fc.integer({ min: 0, max: 5 })).map(([value, way]) => {
  const ways = [value, `"${value}"`, `'${value}'`, `|-\n      ${value}`, `>-\n      ${value}`]
  return { value, text: ways[way] ?? `"${value.replace(':', '\\x3a')}"` }
})
const extra = fc.constantFrom(
  '',
  '# image: a:b\n',
  '    # comment\n',
  '    env: [{ name: image, value: "a:b" }]\n',
)

t.test(
  'law: a fix changes the bytes of scalars, and the document by nothing but its images',
  (t) => {
    const containers = fc.array(fc.tuple(written, extra, fc.option(target)), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(containers, fc.constantFrom('\n', '\r\n'), fc.boolean(), (all, ending, bom) => {
        const lines = all.map(
          ([{ text, value }, more], index) =>
            `  - name: c${index} # ${value}\n    image: ${text}\n${more}`,
        )
        const text = `${bom ? '\ufeff' : ''}${`spec:\n  note: "é😀"\n  list:\n${lines.join('')}`.replaceAll('\n', ending)}`
        const changes = Object.fromEntries(
          all.flatMap(([, , to], index) =>
            to === null ? [] : [[`/spec/list/${index}/image`, to]],
          ),
        )
        const { text: after, refused, plan } = rewritten(text, changes)
        const wanted = load(text) as { spec: { list: { image: string }[] } }
        all.forEach(([, , to], index) => {
          if (to !== null) wanted.spec.list[index]!.image = to
        })
        t.strictSame(load(after), wanted)
        t.strictSame(refused, [])
        const values = plan.edits.map(({ start, end }) => text.slice(start, end))
        t.ok(
          values.every((each) => /^[a-z0-9:\\]+$/.test(each)),
          values.join(),
        )
        return plan.edits.length === Object.keys(changes).length
      }),
    )
    t.end()
  },
)

t.test('law: every scalar of a random document is found where it is written', (t) => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      word,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(word, tie('any'), { maxKeys: 3 }),
    ),
  })).any
  fc.assert(
    fc.property(
      fc.dictionary(word, value, { minKeys: 1, maxKeys: 4 }),
      fc.boolean(),
      (object, pretty) => {
        const text = JSON.stringify(object, null, pretty ? 2 : 0)
        const finder = createPlaceFinder(text, read(text).events())
        const visit = (at: unknown, keys: string[]): boolean => {
          if (typeof at === 'string') {
            const place = finder.find(keys)
            return place !== undefined && text.slice(place.start, place.end) === at
          }
          return Object.entries(at as object).every(([key, inside]) =>
            visit(inside, [...keys, key]),
          )
        }
        return visit(object, [])
      },
    ),
  )
  t.end()
})
