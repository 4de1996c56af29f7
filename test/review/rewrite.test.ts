import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { hashOf } from '../../src/review/file_text.ts'
import { type ReviewedFile, rewriteFile, unifiedDiff } from '../../src/review/index.ts'

function fix(text: string, start: number, end: number, by: string): ReviewedFile {
  const edits = [{ start, end, text: by }]
  const documents = [{ offset: 0, edits, count: 1, text: '' }]
  return {
    place: { file: 'a.yaml' },
    fixed: { documents },
    hash: hashOf(Buffer.from(text)),
  } as unknown as ReviewedFile
}

t.test('a file is written whole, through links, and keeps its mode', async (t) => {
  const text = '\ufeffé😀: 1\r\nb: old\r\n'
  const cwd = t.testdir({ 'a.yaml': text, sub: {} })
  chmodSync(join(cwd, 'a.yaml'), 0o640)
  symlinkSync('../a.yaml', join(cwd, 'sub', 'link.yaml'))
  const at = text.indexOf('old')
  t.equal(await rewriteFile(join(cwd, 'sub', 'link.yaml'), fix(text, at, at + 3, 'new')), undefined)
  t.equal(readFileSync(join(cwd, 'a.yaml'), 'utf8'), text.replace('old', 'new'))
  t.equal(statSync(join(cwd, 'a.yaml')).mode & 0o777, 0o640)
  t.strictSame(readdirSync(cwd), ['a.yaml', 'sub'], 'nothing else is left')
})

t.test('a file that has changed meanwhile, or cannot be written, stays', async (t) => {
  const cwd = t.testdir({ 'a.yaml': 'b: old\n' })
  const path = join(cwd, 'a.yaml')
  const planned = fix('b: old\n', 3, 6, 'new')
  writeFileSync(path, 'c: 1\nb: old\n')
  t.match(await rewriteFile(path, planned), { code: 'ERR_WRITE', message: /has changed/ })
  t.equal(readFileSync(path, 'utf8'), 'c: 1\nb: old\n')
  t.match(await rewriteFile(join(cwd, 'gone.yaml'), planned), {
    code: 'ERR_WRITE',
    message: /ENOENT/,
  })
  t.match(await rewriteFile(path, { ...planned, hash: undefined }), { code: 'ERR_WRITE' })
})

t.test('law: patch(1) makes of a text and its difference the other text', async (t) => {
  const lines = fc.array(fc.constantFrom('', 'a', 'b', '+++ x', '@@ -1 +1 @@', '\\', 'é\r'), {
    maxLength: 30,
  })
  await fc.assert(
    fc.property(lines, fc.func(fc.boolean()), fc.boolean(), (old, changes, ended) => {
      const end = ended ? '\n' : ''
      const before = old.join('\n') + end
      const after =
        old.map((line, at) => (line !== '' && changes([at]) ? `${line}!` : line)).join('\n') + end
      const diff = unifiedDiff('a.txt', before, after)
      if (before === after) return diff === ''
      const cwd = t.testdir({ 'a.txt': before })
      execFileSync('git', ['apply', '--unidiff-zero', '--whitespace=nowarn', '-'], {
        cwd,
        input: diff,
        env: { ...process.env, GIT_DIR: join(cwd, 'none'), GIT_CEILING_DIRECTORIES: cwd },
      })
      return readFileSync(join(cwd, 'a.txt'), 'utf8') === after
    }),
    { numRuns: 40 },
  )
  const some = fc.array(fc.constantFrom('a\n', 'b\n', 'b\r\n', 'c\n', '\n'), { maxLength: 12 })
  fc.assert(
    fc.property(some, some, some, some, fc.constantFrom('', 'z'), (start, one, two, rest, end) => {
      const text = (middle: readonly string[]) => [...start, ...middle, ...rest, end].join('')
      const [before, after] = [text(one), text(two)]
      const diff = unifiedDiff('a.txt', before, after)
      if (before === after) return diff === ''
      const cwd = t.testdir({ 'a.txt': before })
      const binary = ['-p1', '--binary', '--silent']
      execFileSync('patch', binary, { cwd, input: diff })
      return (
        (existsSync(join(cwd, 'a.txt')) ? readFileSync(join(cwd, 'a.txt'), 'utf8') : '') === after
      )
    }),
    { numRuns: 60 },
  )
})
