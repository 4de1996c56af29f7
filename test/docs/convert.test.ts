import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { convertDocuments, objectText } from '../../src/convert/index.ts'
import { readDocuments } from '../../src/policies/index.ts'
import { readPage } from './pages.ts'

t.test('what convert.md says that comes of a manifest is what comes of it', (t) => {
  const blocks = readPage('docs/convert.md').blocks.filter(({ language }) => language === 'yaml')
  const pairs = blocks.filter(({ next }) => next?.language === 'yaml')
  t.ok(pairs.length >= 2)
  for (const { text, place, next } of pairs) {
    const { objects, leftOut } = convertDocuments(readDocuments(text, 'old.yaml').documents)
    t.equal(objects.map(objectText).join('---\n'), next?.text, place)
    t.strictSame(leftOut, [])
    t.equal(parseAllDocuments(next?.text ?? '').length, objects.length)
  }
  t.end()
})
