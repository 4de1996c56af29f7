import fc from 'fast-check'
import { load } from 'js-yaml'
import t from 'tap'
import { createDocumentStream, type SourceDocument } from '../../src/review/document_stream.ts'
import { itemValue } from '../../src/review/list_items.ts'
import { isFault, readManifest } from '../../src/review/manifest.ts'
import { reviewTexts } from './review_texts.ts'

const LATEST = 'ghcr.io/acme/web:latest'

function cut(text: string, piece = text.length || 1, step = 1): SourceDocument[] {
  const stream = createDocumentStream(step)
  const found = []
  for (let at = 0; at < text.length; at += piece)
    found.push(...stream.push(text.slice(at, at + piece)))
  return [...found, ...stream.end()]
}

function items(documents: readonly SourceDocument[]): unknown[] {
  return documents
    .filter(({ part }) => part?.isItem)
    .map(({ text, part }) => {
      const manifest = readManifest(text)
      return isFault(manifest) ? manifest : itemValue(manifest.value, part?.type)
    })
}

const names = (documents: readonly SourceDocument[]) =>
  items(documents).map((item) => (item as { n?: unknown }).n)
const own = (n: number) => ({ apiVersion: 'v1', kind: 'Pod', n })

t.test('a List is read item by item, in whatever form it is written', (t) => {
  const list = (more: object) => ({ apiVersion: 'v1', kind: 'List', ...more })
  const rows: [text: string, names: unknown[]][] = [
    [JSON.stringify(list({ items: [own(1), own(2)] })), [1, 2]],
    [`\ufeff \n${JSON.stringify(list({ items: [own(1), own(2)] }), null, 4)}\n`, [1, 2]],
    [JSON.stringify({ items: [own(1)], kind: 'List', metadata: { a: [] } }), [1]],
    [JSON.stringify({ metadata: { a: [{}, '}"'], b: 1.5 }, items: [own(1)] }), [1]],
    [JSON.stringify({ kind: 'PodList', apiVersion: 'v1', items: [{ n: 1 }, { n: 2 }] }), [1, 2]],
    [`${JSON.stringify(list({ items: [own(1)] }))}\n${JSON.stringify(own(2))}\n`, [1]],
    [
      'apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Pod\n  n: 1\n- {apiVersion: v1, kind: Pod, n: 2}\nkind: List\n',
      [1, 2],
    ],
    [
      '# c\n---\nkind: "List"\napiVersion: v1\nmetadata:\n  a: b\nitems:\n# c\n\n  - n: 1\n    apiVersion: v1\n    kind: Pod\n# c\n  -\n    n: 2\n  - n: 3\n',
      [1, 2, 3],
    ],
    ['kind: PodList\r\napiVersion: v1\r\nitems:\r\n- n: 1\r\n- n: 2\r\n', [1, 2]],
    [
      'kind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  n: |\n    - x\n    ---\n- n: 2\nmetadata: {}\n',
      ['- x\n---\n', 2],
    ],
  ]
  for (const [text, expected] of rows) {
    t.strictSame(names(cut(text)), expected, text)
    t.equal(
      cut(text)
        .map((each) => each.text)
        .join(''),
      text,
    )
  }
  t.strictSame(items(cut('kind: PodList\napiVersion: v1\nitems:\n- n: 1\n')), [
    { apiVersion: 'v1', kind: 'Pod', n: 1 },
  ])
  t.end()
})

t.test('what is no List, or not to be cut, stays whole', (t) => {
  const rows = [
    'kind: Pod\nitems:\n- n: 1\n',
    'items:\n- n: 1\n',
    'kind: List\nitems: [{n: 1}]\n',
    'kind: List\nitems: []\n',
    'kind: List\nitems:\n',
    'kind: List\nitems: &a\n- n: 1\n',
    'kind: List\nitems:\n- n: &a x\n- n: *a\n',
    'kind: List\nspec:\nitems:\n- n: 1\n',
    'kind: &k List\nitems:\n- n: 1\n',
    '{"kind":"Pod","items":[{"n":1}]}',
    '{"items":[{"n":1}],"kind":"PodList"}',
    '{"items":{"a":1},"kind":"PodList"}',
    '{"items":[[{"n":1}]]}',
    '{"items": [',
    '{{ .Values }}\nitems:\n- n: 1\n',
    '{',
    '- n: 1\n',
  ]
  for (const text of rows) {
    t.strictSame(
      cut(text).map((each) => [each.text, each.part]),
      [[text, undefined]],
      text,
    )
  }
  t.end()
})

t.test('JSON objects that stand one after the other are documents', (t) => {
  const rows: [text: string, count: number][] = [
    ['{"a":1}\n{"b":2}\n', 2],
    ['{"a":{"b":1}}\r\n{\r\n "b":2}\r\n{}\n', 3],
    ['{"a":1}{"b":2}', 1],
    ['{\n"a": [\n{"b":1},\n{"c":1}\n]\n}\n', 1],
    ['{{ if x }}\n{{ end }}\n', 1],
    ['a: {b: 1}\n{"c": 1}\n', 1],
  ]
  for (const [text, count] of rows) t.equal(cut(text).length, count, text)
  t.end()
})

const value = fc.constantFrom<unknown>(
  'x',
  '}{"[',
  '- a\n- b',
  'é😀',
  '\\"',
  '---\n',
  7,
  null,
  ['a'],
  {
    image: 'b:1',
  },
)
const lists = fc.array(fc.record({ v: value, w: value }), { minLength: 1, maxLength: 5 })

t.test('law: the parts of a List are its text, and its items are the items', (t) => {
  fc.assert(
    fc.property(
      lists,
      fc.boolean(),
      fc.constantFrom(undefined, 2),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 60 }),
      (some, isFirst, space, piece, step) => {
        const all = some.map((each, n) => ({ ...own(n), ...each }))
        const kind = { kind: 'List' }
        const text = `${JSON.stringify({ ...(isFirst && kind), items: all, ...kind }, null, space)}\n`
        const pieces = cut(text, piece, step)
        t.equal(pieces.map((each) => each.text).join(''), text)
        for (const { offset, text: part } of pieces) {
          if (text.slice(offset, offset + part.length) !== part) return false
        }
        return JSON.stringify(items(pieces)) === JSON.stringify(all)
      },
    ),
  )
  t.end()
})

t.test('law: the same for YAML, with documents around it', (t) => {
  const line = fc.constantFrom('  a: "- x"', '  b: |', '      - c', '', '# c', '  d: {e: [1]}')
  const item = fc.array(line, { maxLength: 4 })
  fc.assert(
    fc.property(
      fc.array(item, { minLength: 1, maxLength: 4 }),
      fc.constantFrom('\n', '\r\n'),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 80 }),
      (some, end, isFirst, piece, step) => {
        const written = some.flatMap((lines, n) => [
          ...['- apiVersion: v1', '  kind: Pod', `  n: ${n}`],
          ...new Set(lines),
        ])
        const kind = ['kind: List']
        const list = [...(isFirst ? kind : []), 'items:', ...written, ...(isFirst ? [] : kind)]
        const text = ['a: 1', '---', ...list, '---', 'kind: Pod', '---', ...list, ''].join(end)
        let expected: unknown
        try {
          expected = (load(list.join(end)) as { items: unknown[] }).items
        } catch {
          return true
        }
        const pieces = cut(text, piece, step)
        t.equal(pieces.map((each) => each.text).join(''), text)
        const found = items(pieces)
        // what is shorter than a step stays whole
        const whole = list.join(end).length + end.length + 5 < step
        return (
          whole ||
          found.length === 0 ||
          JSON.stringify(found) === JSON.stringify([expected, expected].flat())
        )
      },
    ),
  )
  t.end()
})

t.test('long Lists are judged as short ones are: places, fixes, namespaces', async (t) => {
  const deployment = (n: number) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `web-${n}`, namespace: 'shop' },
    spec: {
      containers: [{ name: 'app', image: n % 500 === 0 ? LATEST : 'ghcr.io/acme/web:v1.4.2' }],
    },
    filler: 'x'.repeat(300),
  })
  const all = Array.from({ length: 4_000 }, (_, n) => deployment(n))
  const texts: Record<string, string> = {
    'one.json': JSON.stringify({ kind: 'List', apiVersion: 'v1', items: all }),
    'many.json': JSON.stringify({ apiVersion: 'v1', items: all, kind: 'List' }, null, 2),
    'list.yaml': `apiVersion: v1\nitems:\n${all.map((each) => `- ${JSON.stringify(each)}\n`).join('')}kind: List\n`,
    'lines.json': all.map((each) => `${JSON.stringify(each)}\n`).join(''),
  }
  for (const [name, text] of Object.entries(texts)) {
    const { report } = await reviewTexts({ [name]: text })
    t.match(report.totals, { objects: 4_000, images: 4_000, denied: 8 }, name)
    t.strictSame(report.problems, [])
    const lines = text.split('\n')
    for (const { location, pointer } of report.findings) {
      const { line = 0, column = 0, endColumn = 0 } = location ?? {}
      t.equal(lines[line - 1]?.slice(column - 1, endColumn - 1), LATEST, name)
      t.equal(pointer, '/spec/containers/0/image')
    }
  }
})
