import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  findImages,
  type ImageField,
  type ImageOccurrence,
  matchOccurrences,
} from '../../src/images/index.ts'

type Named = { name?: unknown; image?: unknown }

function pod(containers: unknown, initContainers: unknown = []): ImageOccurrence[] {
  const object = { spec: { containers, initContainers } }
  return findImages(object, { group: '', kind: 'Pod' }, [])
}

/** For each image of `now`: the old image, or `new`. */
function before(now: ImageOccurrence[], old: ImageOccurrence[]): unknown[] {
  return matchOccurrences(now, old).map((each) => (each ? each.value : 'new'))
}

t.test('an image is compared with the one that its container had', (t) => {
  const rows: [title: string, now: Named[], old: Named[], expected: unknown[]][] = [
    ['nothing before', [{ name: 'a', image: '2' }], [], ['new']],
    ['nothing now', [], [{ name: 'a', image: '1' }], []],
    [
      'same order',
      [
        { name: 'a', image: '2' },
        { name: 'b', image: '2' },
      ],
      [
        { name: 'a', image: '1a' },
        { name: 'b', image: '1b' },
      ],
      ['1a', '1b'],
    ],
    [
      'reordered',
      [
        { name: 'b', image: '2' },
        { name: 'a', image: '2' },
      ],
      [
        { name: 'a', image: '1a' },
        { name: 'b', image: '1b' },
      ],
      ['1b', '1a'],
    ],
    [
      'a container added in front',
      [
        { name: 'new', image: '2' },
        { name: 'a', image: '2' },
      ],
      [{ name: 'a', image: '1a' }],
      ['new', '1a'],
    ],
    [
      'a renamed container is a new one',
      [{ name: 'b', image: '1' }],
      [{ name: 'a', image: '1' }],
      ['new'],
    ],
    ['without names by place', [{ image: '2' }], [{ image: '1' }], ['1']],
    [
      'a name that is no text is none',
      [{ name: 7, image: '2' }],
      [{ name: {}, image: '1' }],
      ['1'],
    ],
    ['a name that appears', [{ name: 'a', image: '2' }], [{ image: '1' }], ['new']],
    ['a name that goes', [{ image: '2' }], [{ name: 'a', image: '1' }], ['new']],
    [
      'names that are not unique, by place',
      [
        { name: 'a', image: '2' },
        { name: 'a', image: '2' },
        { name: 'a', image: '2' },
      ],
      [
        { name: 'a', image: '1x' },
        { name: 'a', image: '1y' },
      ],
      ['1x', '1y', 'new'],
    ],
    [
      'a name that was not unique, by place',
      [
        { name: 'b', image: '2' },
        { name: 'a', image: '2' },
      ],
      [
        { name: 'a', image: '1x' },
        { name: 'a', image: '1y' },
      ],
      ['new', '1y'],
    ],
    [
      'hostile names',
      [{ name: '__proto__', image: '2' }],
      [{ name: '__proto__', image: '1' }],
      ['1'],
    ],
  ]
  for (const [title, now, old, expected] of rows) {
    t.strictSame(before(pod(now), pod(old)), expected, title)
  }
  t.end()
})

t.test('a container and an init container of the same name are not the same', (t) => {
  const now = pod([{ name: 'a', image: '2' }], [{ name: 'b', image: '2' }])
  const old = pod([{ name: 'b', image: '1' }], [{ name: 'a', image: '1' }])
  t.strictSame(before(now, old), ['new', 'new'])
  t.end()
})

t.test('two lists of a custom kind may use the same names', (t) => {
  const kind = { group: 'acme.dev', kind: 'Stack' }
  const fields: ImageField[] = [{ ...kind, paths: ['/spec/web/*/image', '/spec/jobs/*/image'] }]
  const now = { spec: { web: [{ name: 'a', image: '2' }], jobs: [{ name: 'a', image: '2' }] } }
  const old = {
    spec: {
      web: [
        { name: 'x', image: '0' },
        { name: 'a', image: '1 web' },
      ],
      jobs: [{ name: 'a', image: '1 job' }],
    },
  }
  const images = (object: unknown) => findImages(object, kind, fields)
  t.strictSame(before(images(now), images(old)), ['1 web', '1 job'])
  t.end()
})

const container = fc.record(
  { name: fc.constantFrom('a', 'b', 'c', 'd', 1, undefined), image: fc.constantFrom('x', 'y') },
  { requiredKeys: [] },
)

t.test('laws of comparing', (t) => {
  const lists = fc.array(container, { maxLength: 8 })
  fc.assert(
    fc.property(lists, lists, (now, old) => {
      const occurrences = pod(now)
      const pairs = matchOccurrences(occurrences, pod(old))
      assert.equal(pairs.length, occurrences.length)
      const used = pairs.filter((each) => each !== undefined)
      assert.equal(new Set(used).size, used.length, 'no old image is used twice')
      for (const [index, pair] of pairs.entries()) {
        if (pair) assert.equal(pair.name, occurrences[index]?.name)
      }
    }),
  )
  fc.assert(
    fc.property(lists, (list) => {
      const same = pod(list)
      assert.deepEqual(matchOccurrences(same, pod(list)), same)
    }),
  )
  t.pass('an object compared with itself has every image where it was')
  t.end()
})
