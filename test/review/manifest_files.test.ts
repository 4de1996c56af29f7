import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { describeError } from '../../src/errors.ts'
import { findManifests } from '../../src/review/index.ts'

interface Choice {
  readonly exclude?: string[]
  readonly passOver?: string[]
}

async function found(cwd: string, paths: string[], { exclude = [], passOver = [] }: Choice = {}) {
  const problems: string[] = []
  const names: string[] = []
  const choice = { paths, cwd, exclude, passOver: passOver.map((each) => join(cwd, each)) }
  for await (const { name } of findManifests(choice, (each) =>
    problems.push(describeError(each)),
  )) {
    names.push(name)
  }
  return { names, problems }
}

/** A folder that is a repository of its own, so that no .gitignore above counts. */
function repository(t: Test, files: Parameters<Test['testdir']>[0] & object): string {
  return t.testdir({ '.git': {}, ...files })
}

t.test('folders give their manifests, in order, each once', async (t) => {
  const cwd = repository(t, {
    'b.yaml': '',
    'a.yml': '',
    'C.JSON': '',
    'readme.md': '',
    '.hidden.yaml': '',
    kustomization: '',
    Kustomization: '',
    'My-Kustomization': '',
    sub: { 'x.yaml': '', '.git': { 'y.yaml': '' }, deep: { 'z.json': '' } },
    catalog: { 'index.json': '' },
  })
  const { names, problems } = await found(cwd, ['.'], { passOver: ['catalog'] })
  t.strictSame(names, [
    '.hidden.yaml',
    'C.JSON',
    'Kustomization',
    'a.yml',
    'b.yaml',
    'sub/deep/z.json',
    'sub/x.yaml',
  ])
  t.strictSame(problems, [])
  t.strictSame((await found(cwd, ['sub', '.', 'b.yaml', './b.yaml'])).names.length, 8)
  t.strictSame((await found(cwd, ['readme.md'])).names, ['readme.md'], 'what is named is read')
  t.strictSame((await found(join(cwd, 'sub'), ['..'])).names.includes('../b.yaml'), true)
})

t.test('.gitignore files count as they do for Git', async (t) => {
  const cwd = repository(t, {
    '.gitignore': '*.gen.yaml\n/build/\nsub/skip.yaml\n!keep.gen.yaml\nlogs\n# comment\n\n',
    'a.yaml': '',
    'a.gen.yaml': '',
    'keep.gen.yaml': '',
    build: { 'x.yaml': '' },
    logs: { 'x.yaml': '' },
    sub: {
      '.gitignore': '!b.gen.yaml\n/only.yaml\n',
      'b.gen.yaml': '',
      'c.gen.yaml': '',
      'skip.yaml': '',
      'only.yaml': '',
      build: { 'y.yaml': '', 'only.yaml': '' },
    },
  })
  const all = [
    'a.yaml',
    'keep.gen.yaml',
    'sub/b.gen.yaml',
    'sub/build/only.yaml',
    'sub/build/y.yaml',
  ]
  t.strictSame((await found(cwd, ['.'])).names, all)
  t.strictSame((await found(cwd, ['sub'])).names, all.slice(2), 'those above count too')
  t.strictSame((await found(cwd, ['**/*.yaml'])).names, all, 'and for globs')
  t.strictSame((await found(cwd, ['a.gen.yaml', 'build'])).names, ['a.gen.yaml', 'build/x.yaml'])
})

t.test('what Git follows is not ignored, whatever .gitignore says', async (t) => {
  const cwd = t.testdir({
    '.gitignore': '/build/\n*.json\n',
    build: { 'x.yaml': '', 'y.yaml': '', 'z.txt': '', deep: { 'w.yaml': '' } },
    'a.json': '',
    'b.json': '',
    'c.yaml': '',
  })
  const git = (...args: string[]) => execFileSync('git', args, { cwd })
  git('init', '-q')
  git('add', '-f', 'build/x.yaml', 'build/z.txt', 'build/deep', 'a.json')
  const tracked = ['a.json', 'build/deep/w.yaml', 'build/x.yaml']
  t.strictSame((await found(cwd, ['.'])).names, ['c.yaml', ...tracked])
  t.strictSame((await found(cwd, ['.'], { exclude: ['build'] })).names, ['c.yaml', 'a.json'])
  t.strictSame((await found(cwd, ['**/*.{yaml,json}'])).names.sort(), [...tracked, 'c.yaml'])
  t.strictSame((await found(join(cwd, 'build'), ['deep'])).names, ['deep/w.yaml'])
})

t.test('--exclude leaves out what its patterns fit', async (t) => {
  const cwd = repository(t, {
    'a.yaml': '',
    'b.yaml': '',
    charts: { web: { templates: { 'x.yaml': '' }, 'values.yaml': '' } },
  })
  const rows: [exclude: string[], names: string[]][] = [
    [['templates/'], ['a.yaml', 'b.yaml', 'charts/web/values.yaml']],
    [['/charts'], ['a.yaml', 'b.yaml']],
    [['*.yaml', '!b.yaml'], ['b.yaml']],
    [
      ['charts/**/values.yaml', 'A.yaml'],
      ['a.yaml', 'b.yaml', 'charts/web/templates/x.yaml'],
    ],
    [[''], ['a.yaml', 'b.yaml', 'charts/web/templates/x.yaml', 'charts/web/values.yaml']],
  ]
  for (const [exclude, names] of rows) {
    t.strictSame((await found(cwd, ['.'], { exclude })).names, names, exclude.join())
  }
  t.strictSame((await found(cwd, ['a.yaml'], { exclude: ['a.yaml'] })).names, [])
})

t.test('globs go across folders, and one that fits nothing is told', async (t) => {
  const cwd = repository(t, {
    apps: { a: { 'deploy.yaml': '' }, b: { 'deploy.yaml': '', 'x.txt': '' } },
    'odd[1].yaml': '',
  })
  const deploys = ['apps/a/deploy.yaml', 'apps/b/deploy.yaml']
  t.strictSame((await found(cwd, ['apps/**/*.yaml'])).names, deploys)
  t.strictSame((await found(cwd, ['apps/*/deploy.{yaml,yml}'])).names, deploys)
  t.strictSame((await found(cwd, ['apps/b/*.txt'])).names, ['apps/b/x.txt'])
  t.strictSame((await found(cwd, ['apps/*'])).names, deploys, 'what is in a folder that fits')
  t.strictSame((await found(cwd, ['ap*'], { exclude: ['b'] })).names, ['apps/a/deploy.yaml'])
  t.strictSame((await found(cwd, ['odd[1].yaml'])).names, ['odd[1].yaml'], 'a name before a glob')
  const none = await found(cwd, ['apps/**/*.json', 'apps/a'])
  t.strictSame(none.names, ['apps/a/deploy.yaml'])
  t.match(none.problems, [/^apps\/\*\*\/\*\.json: no file fits/])
})

t.test('a file that a link leads to is looked at once, under its own name', async (t) => {
  const cwd = t.testdir({ v2: { 'a.yaml': '' }, 'web.yaml': '', other: { 'x.yaml': '' } })
  symlinkSync('v2', join(cwd, 'current'))
  symlinkSync('web.yaml', join(cwd, 'app.yaml'))
  symlinkSync('../web.yaml', join(cwd, 'v2/b.yaml'))
  t.strictSame((await found(cwd, ['.'])).names, ['other/x.yaml', 'v2/a.yaml', 'web.yaml'])
  t.strictSame((await found(cwd, ['current', 'app.yaml'])).names, ['current/a.yaml', 'app.yaml'])
  t.strictSame((await found(cwd, ['app.yaml', 'web.yaml'])).names, ['app.yaml'])
})

t.test('links are followed once, and those in a circle are not', async (t) => {
  const cwd = repository(t, { a: { 'x.yaml': '' }, outside: { 'y.yaml': '' }, b: {} })
  symlinkSync('..', join(cwd, 'a', 'up'))
  symlinkSync('.', join(cwd, 'a', 'self'))
  symlinkSync('gone.yaml', join(cwd, 'a', 'gone.yaml'))
  symlinkSync('loop.yaml', join(cwd, 'a', 'loop.yaml'))
  symlinkSync('../outside', join(cwd, 'b', 'link'))
  symlinkSync('../a/x.yaml', join(cwd, 'b', 'z.yaml'))
  t.strictSame((await found(cwd, ['b'])).names, ['b/link/y.yaml', 'b/z.yaml'])
  const { names, problems } = await found(cwd, ['.'])
  t.ok(names.includes('a/x.yaml'))
  t.ok(names.length < 6, names.join())
  t.strictSame(problems, [])
})
