import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { gitChanges } from '../../src/review/index.ts'

function repository(t: Test) {
  const cwd = t.testdir({})
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd,
      env,
      stdio: 'pipe',
    }).toString()
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(cwd, name)), { recursive: true })
    writeFileSync(join(cwd, name), text)
  }
  const commit = () => {
    git('add', '-A')
    git('commit', '-qm', 'x')
  }
  git('init', '-q', '-b', 'main')
  return { cwd, git, write, commit }
}

const LINES = Array.from({ length: 20 }, (_, index) => `line${index + 1}\n`).join('')

t.test('changed lines of changed files are known, whatever their names are', async (t) => {
  const { cwd, git, write, commit } = repository(t)
  const odd = 'a b/é "x"\n\\.yaml'
  write('same.yaml', LINES)
  write('edit.yaml', LINES)
  write('gone.yaml', LINES)
  write('moved.yaml', LINES)
  write('cut.yaml', LINES)
  write(odd, LINES)
  commit()
  git('checkout', '-qb', 'work')
  write('edit.yaml', LINES.replace('line5\n', 'new5\n').replace('line9\n', 'line9\nmore\n'))
  write(odd, LINES.replace('line2\n', '+++ b/same.yaml\n@@ -1 +1 @@\ndiff --git a b\n'))
  write('cut.yaml', LINES.replace('line7\n', ''))
  rmSync(join(cwd, 'gone.yaml'))
  renameSync(join(cwd, 'moved.yaml'), join(cwd, 'here.yaml'))
  commit()
  write('new.yaml', 'x\n')
  write('same.yaml', LINES.replace('line20', 'uncommitted'))
  const changes = await gitChanges('main', cwd)
  const lines = (name: string, first: number, end: number) =>
    changes.linesOf(join(cwd, name))?.([first, end])
  t.equal(lines('edit.yaml', 5, 6), true)
  t.equal(lines('edit.yaml', 1, 5), false)
  t.equal(lines('edit.yaml', 6, 10), false)
  t.equal(lines('edit.yaml', 6, 11), true)
  t.equal(lines('edit.yaml', 11, 22), false)
  t.equal(lines(odd, 2, 3), true)
  t.equal(lines(odd, 5, 20), false)
  t.equal(lines('cut.yaml', 1, 8), true, 'where lines were removed')
  t.equal(lines('cut.yaml', 10, 20), false)
  t.equal(lines('here.yaml', 1, 21), false, 'a new name is no change')
  t.equal(lines('new.yaml', 1, 2), true, 'untracked')
  t.equal(lines('same.yaml', 20, 21), true, 'uncommitted')
  t.equal(changes.linesOf(join(cwd, 'gone.yaml')), undefined)
  t.equal(changes.linesOf(join(cwd, 'moved.yaml')), undefined)
})

t.test('what Git shows no lines of counts as a whole', async (t) => {
  const { cwd, git, write, commit } = repository(t)
  write('.gitattributes', 'generated.yaml -diff\n')
  write('generated.yaml', LINES)
  write('top.yaml', LINES)
  write('v1/a.yaml', LINES)
  write('v2/a.yaml', LINES)
  symlinkSync('v1', join(cwd, 'current'))
  symlinkSync('v1/a.yaml', join(cwd, 'one.yaml'))
  commit()
  git('tag', 'before')
  write('generated.yaml', LINES.replace('line15', 'x'))
  write('top.yaml', LINES.replace('line1\n', ''))
  for (const [link, target] of [
    ['current', 'v2'],
    ['one.yaml', 'v2/a.yaml'],
  ] as const) {
    rmSync(join(cwd, link))
    symlinkSync(target, join(cwd, link))
  }
  const changes = await gitChanges('before', cwd)
  const lines = (name: string, first: number, end: number) =>
    changes.linesOf(join(cwd, name))?.([first, end])
  t.equal(lines('generated.yaml', 15, 16), true, '-diff in .gitattributes')
  t.equal(lines('top.yaml', 1, 5), true, 'the first line was removed')
  t.equal(lines('top.yaml', 5, 9), false)
  t.equal(lines('current/a.yaml', 10, 11), true, 'a folder by a link that leads elsewhere now')
  t.equal(lines('one.yaml', 10, 11), true, 'and a file')
  t.equal(changes.linesOf(join(cwd, 'v2/a.yaml')), undefined)
  commit()
  const later = await gitChanges('HEAD', cwd)
  t.equal(later.linesOf(join(cwd, 'current/a.yaml')), undefined)
})

t.test('a file that was none of those that are looked at is new by its new name', async (t) => {
  const { cwd, git, write, commit } = repository(t)
  write('off.yaml.disabled', LINES)
  write('a.yaml', `a${LINES}`)
  commit()
  git('mv', 'off.yaml.disabled', 'off.yaml')
  git('mv', 'a.yaml', 'b.yaml')
  const changes = await gitChanges('HEAD', cwd, { wasReviewed: (path) => path.endsWith('.yaml') })
  t.equal(changes.linesOf(join(cwd, 'off.yaml'))?.([1, 9]), true)
  t.equal(changes.linesOf(join(cwd, 'b.yaml'))?.([1, 9]), false)
})

t.test('repositories in repositories, and beside them', async (t) => {
  const { cwd, git, write } = repository(t)
  const inside = (folder: string) => (command: string) =>
    execFileSync('sh', ['-c', command], {
      cwd: join(cwd, folder),
      env: {
        ...process.env,
        ...Object.fromEntries(
          ['AUTHOR', 'COMMITTER'].flatMap((who) => [
            [`GIT_${who}_NAME`, 'a'],
            [`GIT_${who}_EMAIL`, 'a@example.com'],
          ]),
        ),
      },
    })
  write('.gitignore', '/apart/\n')
  write('a.yaml', LINES)
  for (const folder of ['charts', 'apart', 'nested']) {
    write(`${folder}/same.yaml`, LINES)
    write(`${folder}/edit.yaml`, LINES)
    inside(folder)('git init -q -b main && git add . && git commit -qm x')
  }
  // as `git submodule add` leaves it
  inside('.')('git add .gitignore a.yaml charts 2>&1 && git commit -qm x && git tag before')
  write('charts/edit.yaml', LINES.replace('line3\n', 'x\n'))
  inside('charts')('git commit -qam y')
  git('commit', '-qam', 'charts')
  write('charts/edit.yaml', LINES.replace('line3\n', 'x\n').replace('line18\n', 'y\n'))
  write('apart/edit.yaml', LINES.replace('line3\n', 'x\n'))
  inside('apart')('git tag before && git commit -qam y')
  const files = ['charts', 'apart', 'nested'].flatMap((folder) =>
    ['same', 'edit'].map((name) => join(cwd, folder, `${name}.yaml`)),
  )
  const changes = await gitChanges('before', cwd, { files: [join(cwd, 'a.yaml'), ...files] })
  const lines = (name: string, first: number) =>
    changes.linesOf(join(cwd, name))?.([first, first + 1])
  t.equal(lines('a.yaml', 3), undefined)
  t.equal(lines('charts/edit.yaml', 3), true, 'a newer commit of a submodule')
  t.equal(lines('charts/edit.yaml', 18), true, 'and what is not committed there')
  t.equal(lines('charts/edit.yaml', 9), false)
  t.equal(lines('charts/same.yaml', 3), undefined)
  t.equal(lines('nested/same.yaml', 3), true, 'a repository that Git does not follow is new')
  t.equal(lines('apart/same.yaml', 3), true, 'also where it is ignored')
  const beside = await gitChanges('before', join(cwd, 'apart'), { files })
  t.equal(beside.linesOf(join(cwd, 'apart/same.yaml')), undefined, 'from within it')
  t.equal(beside.linesOf(join(cwd, 'apart/edit.yaml'))?.([3, 4]), true)
  t.equal(beside.linesOf(join(cwd, 'charts/edit.yaml'))?.([3, 4]), true, 'the other one too')
  t.equal(beside.linesOf(join(cwd, 'charts/same.yaml')), undefined)
  t.equal(beside.linesOf('/nowhere/a.yaml')?.([3, 4]), true, 'what is in none')
})

t.test('what has happened on the other branch meanwhile does not count', async (t) => {
  const { cwd, git, write, commit } = repository(t)
  write('a.yaml', LINES)
  write('b.yaml', LINES)
  commit()
  git('checkout', '-qb', 'work')
  write('a.yaml', LINES.replace('line1\n', 'x\n'))
  commit()
  git('checkout', '-q', 'main')
  write('b.yaml', LINES.replace('line1\n', 'x\n'))
  commit()
  git('checkout', '-q', 'work')
  for (const revision of ['main', 'main...work']) {
    const changes = await gitChanges(revision, cwd)
    t.ok(changes.linesOf(join(cwd, 'a.yaml')), revision)
    t.notOk(changes.linesOf(join(cwd, 'b.yaml')), revision)
  }
  mkdirSync(join(cwd, 'sub'))
  const below = await gitChanges('main', join(cwd, 'sub'))
  t.ok(below.linesOf(join(cwd, 'a.yaml')), 'from a folder below')
})

t.test('what is no revision is refused before Git sees it, and never runs', async (t) => {
  const { cwd, write, commit } = repository(t)
  write('a.yaml', LINES)
  commit()
  const rows: [revision: string, code: string][] = [
    ['--output=/tmp/x', 'ERR_USAGE'],
    ['-h', 'ERR_USAGE'],
    ['', 'ERR_USAGE'],
    ['main; touch x', 'ERR_USAGE'],
    ['nowhere', 'ERR_GIT'],
    ['$(touch${IFS}x)', 'ERR_GIT'],
    ['a..b', 'ERR_GIT'],
    ['HEAD~5', 'ERR_GIT'],
  ]
  for (const [revision, code] of rows) {
    await t.rejects(gitChanges(revision, cwd), { code }, revision)
  }
  const outside = await gitChanges('main', '/').catch((error) => error)
  t.match(outside, { code: 'ERR_GIT', remedy: /repository/ })
})
