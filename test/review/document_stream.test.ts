import fc from 'fast-check'
import { loadAll } from 'js-yaml'
import t from 'tap'
import { countLines, createDocumentStream } from '../../src/review/document_stream.ts'

function cut(text: string, piece = text.length || 1) {
  const stream = createDocumentStream()
  const found = []
  for (let at = 0; at < text.length; at += piece)
    found.push(...stream.push(text.slice(at, at + piece)))
  return [...found, ...stream.end()]
}

t.test('a document begins at each --- at the start of a line, and nowhere else', (t) => {
  const rows: [text: string, documents: string[]][] = [
    ['', []],
    ['a: 1', ['a: 1']],
    ['---\na: 1\n---\nb: 2\n', ['---\na: 1\n', '---\nb: 2\n']],
    ['a: 1\r\n---\r\nb: 2', ['a: 1\r\n', '---\r\nb: 2']],
    ['a: 1\r---\rb: 2', ['a: 1\r', '---\rb: 2']],
    ['a: |\n  ---\n  x\n', ['a: |\n  ---\n  x\n']],
    ['a: x\n ---\n', ['a: x\n ---\n']],
    ['a: 1\n---x: 2\n', ['a: 1\n---x: 2\n']],
    ['--- a\n--- b\n', ['--- a\n', '--- b\n']],
    ['a: 1\n...\nb: 2\n', ['a: 1\n...', '\nb: 2\n']],
    ['%YAML 1.2\n# c\n---\na: 1\n', ['%YAML 1.2\n# c\n---\na: 1\n']],
    ['a: 1\n...\n%TAG ! x\n---\nb: 2\n', ['a: 1\n...', '\n%TAG ! x\n---\nb: 2\n']],
    ['# only\n---\na: 1\n', ['# only\n', '---\na: 1\n']],
    ['\ufeff---\na: 1\n', ['\ufeff---\na: 1\n']],
    ['a: 1\n---', ['a: 1\n---']],
    ['a: 1\n---\n\ufeffb: 2\n', ['a: 1\n', '---\n', '\ufeffb: 2\n']],
    ['--- # b\r\n\ufeffb: 2\r\n', ['--- # b\r\n', '\ufeffb: 2\r\n']],
    ['a: 1\n\ufeffb: 2\n', ['a: 1\n\ufeffb: 2\n']],
  ]
  for (const [text, documents] of rows) {
    t.strictSame(
      cut(text).map((each) => each.text),
      documents,
      JSON.stringify(text),
    )
  }
  t.end()
})

t.test('each document says where in its file it begins', (t) => {
  const text = '# é😀\na: 1\n---\r\nb: 2\r---\nc: 3\n'
  for (const { text: own, offset, line, index } of cut(text)) {
    t.equal(text.slice(offset, offset + own.length), own)
    t.equal(line, countLines(text.slice(0, offset)) + 1)
    t.equal(cut(text)[index]?.offset, offset)
  }
  t.equal(cut(text).length, 3)
  t.end()
})

const LINES = [
  ...['---', '--- ', '...', '... # x', 'a: 1', '- b', '', '  - c: "x"', '# c', '%YAML 1.2', ' ---'],
]
const textsOf = (lines: readonly string[]) =>
  fc
    .array(fc.tuple(fc.constantFrom(...lines), fc.constantFrom('\n', '\r\n', '\r')))
    .map((each) => each.flat().join(''))
const texts = textsOf(LINES)

t.test('law: the documents are the text, however it is cut up on the way', (t) => {
  fc.assert(
    fc.property(
      textsOf([...LINES, '\ufeffa: 1']),
      fc.integer({ min: 1, max: 9 }),
      (text, piece) => {
        const whole = cut(text)
        const pieces = cut(text, piece)
        t.equal(whole.map((each) => each.text).join(''), text)
        t.equal(pieces.map((each) => each.text).join(''), text)
        return JSON.stringify(whole) === JSON.stringify(pieces)
      },
    ),
  )
  t.end()
})

t.test('law: they hold what a reader of the whole finds', (t) => {
  const read = (text: string) => {
    try {
      return loadAll(text)
    } catch {
      return undefined
    }
  }
  const some = (values: unknown[]) => values.filter((each) => each !== null && each !== undefined)
  fc.assert(
    fc.property(texts, (text) => {
      const all = read(text)
      if (all === undefined) return true
      const each = cut(text).map((document) => read(document.text))
      return JSON.stringify(some(all)) === JSON.stringify(some(each.flat()))
    }),
  )
  t.end()
})

t.test('a long text is cut while it comes, and is not kept', (t) => {
  const stream = createDocumentStream()
  const document = `---\n${'a: 1\n'.repeat(1000)}`
  let found = 0
  for (let count = 0; count < 1000; count += 1) {
    found += stream.push(document).length
    t.ok(stream.waiting < 2 * 1024 * 1024)
  }
  t.ok(found > 700)
  t.equal(found + stream.end().length, 1000)
  t.end()
})
