import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { parsePage, ROOT, readPage, readPages } from './pages.ts'

t.test('every link within the repository leads somewhere', (t) => {
  let count = 0
  for (const { path, links, anchors } of readPages()) {
    for (const link of links.filter((target) => !/^[a-z]+:/.test(target))) {
      count += 1
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      t.ok(existsSync(join(ROOT, target)), `${path}: ${link}`)
      if (anchor !== undefined && existsSync(join(ROOT, target))) {
        const there = file === '' ? anchors : readPage(target).anchors
        t.ok(there.has(anchor), `${path}: ${link}`)
      }
    }
  }
  t.ok(count > 50, `${count} links`)
  t.end()
})

t.test('every page can be reached from the README', (t) => {
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    for (const link of readPage(path).links) {
      const target = join(dirname(path), link.split('#')[0] ?? '')
      if (target.endsWith('.md') && existsSync(join(ROOT, target))) visit(target)
    }
  }
  visit('README.md')
  const pages = readPages().map(({ path }) => path)
  t.strictSame([...seen].sort(), pages.sort())
  t.end()
})

t.test('a block says what language it is in', (t) => {
  for (const { blocks } of readPages()) {
    for (const { place, language } of blocks) {
      t.ok(['yaml', 'json', 'sh', 'text'].includes(language), `${place}: ${language}`)
    }
  }
  t.end()
})

t.test('a page is taken apart as it is shown', (t) => {
  const text = [
    '# A `b` c.d/e',
    '## Twice',
    '## Twice',
    '## tag.&lt;x&gt;',
    '[one](a.md#b), `[two](c.md)`',
    '   ```sh',
    '   ls',
    '   ```',
    '',
    '```text',
    '# no heading [three](d.md)',
    '```',
    'and',
    '<!-- wrong -->',
    '```yaml',
    'a: 1',
    '```',
  ].join('\n')
  const page = parsePage('x.md', text)
  t.strictSame([...page.anchors], ['a-b-cde', 'twice', 'twice-1', 'tagx'])
  t.strictSame(page.links, ['a.md#b'])
  t.match(page.blocks, [
    { place: 'x.md:6', language: 'sh', text: 'ls\n', wrong: false, next: { language: 'text' } },
    { place: 'x.md:10', language: 'text', next: undefined },
    { place: 'x.md:15', language: 'yaml', text: 'a: 1\n', wrong: true, next: undefined },
  ])
  t.throws(() => parsePage('x.md', '```sh\nls'), /x\.md:1: the block has no end/)
  t.end()
})
