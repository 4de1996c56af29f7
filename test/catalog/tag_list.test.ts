import fc from 'fast-check'
import t from 'tap'
import {
  compareTags as comparing,
  indexOfTag,
  isSorted,
  sortTags as sorting,
} from '../../src/catalog/tag_list.ts'
import { finish } from '../../src/pieces/index.ts'

const compareTags = (...lists: Parameters<typeof comparing>) => finish(comparing(...lists))
const sortTags = (listed: readonly string[]) => finish(sorting(listed))

const LONGEST = `v${'1'.repeat(127)}`

t.test('tags are put in byte order, each once, without what no reference can name', async (t) => {
  const rows: [listed: unknown[], tags: string[]][] = [
    [[], []],
    [
      ['b', 'a'],
      ['a', 'b'],
    ],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [
      ['a', 'a', 'b', 'a'],
      ['a', 'b'],
    ],
    [
      ['v10', 'v9', 'V9', '_', '1'],
      ['1', 'V9', '_', 'v10', 'v9'],
    ],
    [['v1', '', ' v1', 'v1 ', 'v1\n', 'v1\0', 'v/1', 'v:1', '🦊', 'é'], ['v1']],
    [['.hidden', '-dash', '_ok'], ['_ok']],
    [[LONGEST, `${LONGEST}1`, 'x'.repeat(300)], [LONGEST]],
    [
      ['__proto__', 'constructor', 'toString'],
      ['__proto__', 'constructor', 'toString'],
    ],
    [[1, null, undefined, {}, ['v1'], 'v1'], ['v1']],
  ]
  for (const [listed, tags] of rows) {
    t.strictSame(sortTags(listed as string[]), tags, JSON.stringify(listed).slice(0, 60))
  }
})

t.test('the list of the caller is left alone', async (t) => {
  const listed = ['b', 'a']
  const sorted = sortTags(listed)
  t.strictSame(listed, ['b', 'a'])
  const already = ['a', 'b']
  t.not(sortTags(already), already)
  t.strictSame(sorted, already)
})

const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,6}$/)
const list = fc.array(tag, { maxLength: 40 })

t.test('order and place agree with what Node does with bytes', async (t) => {
  fc.assert(
    fc.property(list, tag, (listed, other) => {
      const tags = sortTags(listed)
      const bytes = [...new Set(listed)].map((text) => Buffer.from(text)).sort(Buffer.compare)
      return (
        isSorted(tags) &&
        JSON.stringify(tags) === JSON.stringify(bytes.map(String)) &&
        indexOfTag(tags, other) === tags.indexOf(other) &&
        tags.every((text, at) => indexOfTag(tags, text) === at)
      )
    }),
  )
  t.pass('for every list')
})

t.test('a change leads from the one list to the other', async (t) => {
  fc.assert(
    fc.property(list, list, (one, two) => {
      const from = sortTags(one)
      const to = sortTags(two)
      const change = compareTags(from, to)
      if (!change) return JSON.stringify(from) === JSON.stringify(to)
      const gone = new Set(change.removed)
      const result = sortTags([...from.filter((text) => !gone.has(text)), ...change.added])
      return (
        change.from === from &&
        change.removed.every((text) => from.includes(text) && !to.includes(text)) &&
        change.added.every((text) => to.includes(text) && !from.includes(text)) &&
        JSON.stringify(result) === JSON.stringify(to)
      )
    }),
  )
  t.pass('for every two lists')
})
