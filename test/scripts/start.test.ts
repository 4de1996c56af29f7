import { spawnSync } from 'node:child_process'
import { mkdirSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AS_NODE_20, bundleNode, cloneProject, markInstalled, start } from './fixture.ts'

t.test('the command line gets its arguments, its exit code is passed on', async (t) => {
  const root = cloneProject(t)
  const { code, out, err } = await start([
    join(root, 'bin/tagwarden.js'),
    'explain',
    'exit3',
    '--x=1',
  ]).ended
  t.equal(err, '')
  t.match(JSON.parse(out), { argv: ['explain', 'exit3', '--x=1'] })
  t.equal(code, 3)
})

t.test('an installed package without sources runs what was built', async (t) => {
  const root = cloneProject(t)
  rmSync(join(root, 'src'), { recursive: true })
  mkdirSync(join(root, 'dist/cli'), { recursive: true })
  writeFileSync(
    join(root, 'dist/cli/main.js'),
    "export const run = async () => console.log('built')",
  )
  const { out, code } = await start([join(root, 'bin/tagwarden.js')]).ended
  t.match({ out, code }, { out: 'built\n', code: 0 })
})

t.test('an older Node hands over to the bundled one, with signals and exit code', async (t) => {
  const root = cloneProject(t)
  const node = bundleNode(root)
  const bin = join(root, 'bin/tagwarden.js')
  const { code, out } = await start([...AS_NODE_20, bin, 'x', 'exit3']).ended
  t.equal(code, 3)
  t.equal(JSON.parse(out).node, realpathSync(node))

  const waiting = start([...AS_NODE_20, bin, 'x', 'wait'])
  await waiting.shows('waiting')
  waiting.child.kill('SIGTERM')
  t.match(await waiting.ended, { code: 0, out: /ended in good order/ })
})

t.test('an older Node hands over what the shell has opened', (t) => {
  const root = cloneProject(t)
  bundleNode(root)
  const bin = join(root, 'bin/tagwarden.js')
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', '"$@" x read <(echo one) <(echo two)', 'bash', process.execPath, ...AS_NODE_20, bin],
    { encoding: 'utf8' },
  )
  t.match(stdout, /one\n,two\n/, stderr)
  t.end()
})

t.test('an older Node without a bundled one says what to install', async (t) => {
  const root = cloneProject(t)
  const bin = join(root, 'bin/tagwarden.js')
  const inClone = await start([...AS_NODE_20, bin]).ended
  t.match(inClone, { code: 2, out: '', err: /Node 24 or newer is needed.*Run "npm ci" here/ })
  renameSync(join(root, 'scripts'), join(root, 'gone'))
  const installed = await start([...AS_NODE_20, bin]).ended
  t.match(installed, { code: 2, err: /Node 24 or newer is needed.*Install it\n/ })
})

t.test('npm start serves, and SIGTERM ends it with 0', async (t) => {
  const root = cloneProject(t)
  markInstalled(root)
  const waiting = start([join(root, 'scripts/start.js'), 'wait'])
  await waiting.shows('waiting')
  waiting.child.kill('SIGTERM')
  const { code, out, err } = await waiting.ended
  t.match({ code, err }, { code: 0, err: '' })
  t.match(out, /"argv":\["serve","wait"\]/)
  t.match(out, /ended in good order/)
})

t.test('npm start with an older Node serves on the bundled one', async (t) => {
  const root = cloneProject(t)
  markInstalled(root)
  bundleNode(root)
  const waiting = start([...AS_NODE_20, join(root, 'scripts/start.js'), 'wait'])
  await waiting.shows('waiting')
  waiting.child.kill('SIGTERM')
  t.match(await waiting.ended, { code: 0, out: /"serve".*ended in good order/s })
})

t.test('npm start that cannot install says so and exits 2', async (t) => {
  const root = cloneProject(t)
  const { code, err, out } = await start([join(root, 'scripts/start.js')], {
    PATH: root,
    npm_execpath: join(root, 'npm.js'),
  }).ended
  t.match({ code, out }, { code: 2, out: '' })
  t.match(err, /tagwarden: "npm ci" failed.*npm registry/)
})
