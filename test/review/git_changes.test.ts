import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
