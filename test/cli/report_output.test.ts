import { execFileSync } from 'node:child_process'
import { constants, existsSync, lstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { workspaceFolder, writeWhole } from '../../src/cli/report_output.ts'

t.test('a job of GitHub knows where it works in its repository', (t) => {
  const rows: [env: Record<string, string>, cwd: string, folder: string | undefined][] = [
    [{ GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '/w/r' }, '/w/r/infra/prod', 'infra/prod'],
    [{ GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '/w/r/' }, '/w/r', ''],
    [{ GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '/w/r' }, '/w/r2', undefined],
    [{ GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: '' }, '/w/r', undefined],
    [{ GITHUB_ACTIONS: 'true' }, '/w/r', undefined],
    [{ GITHUB_WORKSPACE: '/w/r' }, '/w/r/infra', undefined],
  ]
  for (const [env, cwd, folder] of rows) {
    t.equal(workspaceFolder(env, cwd), folder, JSON.stringify([env, cwd]))
  }
  t.end()
})

t.test('a file is written with the folders that it needs', async (t) => {
  const cwd = t.testdir({ there: {}, file: 'x' })
  t.equal(await writeWhole(join(cwd, 'a/b/c.txt'), 'text'), undefined)
  t.equal(readFileSync(join(cwd, 'a/b/c.txt'), 'utf8'), 'text')
  t.match(await writeWhole(join(cwd, 'there'), 'text'), { code: 'ERR_WRITE' })
  t.match(await writeWhole(join(cwd, 'file/c.txt'), 'text'), { code: 'ERR_WRITE' })
})

t.test('what is no file is written to, and not replaced', async (t) => {
  const pipe = join(t.testdir(), 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)
  t.equal(await writeWhole(pipe, 'text'), undefined)
  const read = Buffer.alloc(10)
  t.equal(readSync(reader, read), 4)
  t.ok(lstatSync(pipe).isFIFO())
})

t.test('where no folder can be made, it ends', { skip: !existsSync('/proc/self') }, async (t) => {
  t.match(await writeWhole('/proc/nope/x.txt', 'text'), { code: 'ERR_WRITE' })
})
