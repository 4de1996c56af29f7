import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { install, isInstalled, lockFile } from '../../scripts/install.js'
import { cloneProject, lock, markInstalled, start } from './fixture.ts'

/** Stands for npm: notes each call, does what npm ci does, and ends with the code it is given. */
function fakeNpm(root: string, code = 0, after = ''): string[] {
  const script = join(root, 'npm.mjs')
  writeFileSync(
    script,
    `import fs from 'node:fs'
     fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
     if (${code} === 0) {
       fs.mkdirSync('node_modules/.bin', { recursive: true })
       fs.writeFileSync('node_modules/.bin/tap', '#!/bin/sh\\necho tap "$@" >> calls\\nmkdir -p .tap/plugins\\n', { mode: 0o755 })
       fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
     }
     ${after}
     process.exitCode = ${code}`,
  )
  return [process.execPath, script]
}

function calls(root: string): string[] {
  const file = join(root, 'calls')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

function fresh(t: Test) {
  const root = cloneProject(t)
  const said: string[] = []
  return { root, said, say: (line: string) => void said.push(line) }
}

const CI = 'ci --include=dev --loglevel=error'

t.test('a fresh clone is installed once; the next time nothing happens', async (t) => {
  const { root, said, say } = fresh(t)
  const npm = fakeNpm(root)
  await install({ root, npm, say })
  t.same(calls(root), [CI])
  t.match(said, [/installing what is needed/])
  await install({ root, npm, say })
  t.equal(calls(root).length, 1)
  t.equal(said.length, 1)
})

t.test('tests also get what tap needs, once; a new install makes it anew', async (t) => {
  const { root, say } = fresh(t)
  const npm = fakeNpm(root)
  await install({ root, npm, say, tests: true })
  await install({ root, npm, say, tests: true })
  t.same(calls(root), [CI, 'tap build'])
  rmSync(join(root, '.tap'), { recursive: true })
  await install({ root, npm, say, tests: true })
  t.same(calls(root), [CI, 'tap build', 'tap build'])
})

t.test('a lock file that says something else is installed again', async (t) => {
  const { root, say } = fresh(t)
  const npm = fakeNpm(root)
  await install({ root, npm, say })
  for (const packages of [
    { 'node_modules/a': '1.0.1' },
    { 'node_modules/a': '1.0.1', 'node_modules/b': '1.0.0' },
  ]) {
    writeFileSync(join(root, 'package-lock.json'), lock(packages))
    await install({ root, npm, say })
  }
  t.equal(calls(root).length, 3)
})

t.test('what counts as installed', async (t) => {
  const root = cloneProject(t)
  t.notOk(isInstalled(root), 'no node_modules')
  mkdirSync(join(root, 'node_modules/a'), { recursive: true })
  t.notOk(isInstalled(root), 'an install that broke off')
  markInstalled(root)
  t.ok(isInstalled(root))
  writeFileSync(join(root, 'node_modules/.package-lock.json'), 'half of a fi')
  t.notOk(isInstalled(root), 'a note that cannot be read')
  const other = { packages: { 'node_modules/b': { version: '1.0.0', optional: true } } }
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(other))
  writeFileSync(join(root, 'node_modules/.package-lock.json'), '{"packages":{}}')
  t.ok(isInstalled(root), "another platform's package is not missed")
  writeFileSync(join(root, 'package-lock.json'), lock({ 'node_modules/node': '24.0.0' }))
  markInstalled(root)
  t.notOk(isInstalled(root), 'Node 24 itself was not brought')
})

t.test('a failing npm is told with what to check; nothing counts as installed', async (t) => {
  const { root, say } = fresh(t)
  await t.rejects(install({ root, npm: fakeNpm(root, 7), say }), {
    message: /"npm ci" failed \(exit code 7\).*npm registry.*same command again/,
  })
  t.notOk(isInstalled(root))
  await install({ root, npm: fakeNpm(root), say })
  t.ok(isInstalled(root), 'the next try works: the lock is free')
})

t.test('install scripts that were not allowed are named', async (t) => {
  const { root, say } = fresh(t)
  writeFileSync(join(root, 'package-lock.json'), lock({ 'node_modules/node': '24.0.0' }))
  await t.rejects(install({ root, npm: fakeNpm(root), say }), { message: /Allow install scripts/ })
})

t.test('a machine without npm gets told to install it', async (t) => {
  const { root, say } = fresh(t)
  const npm = [join(root, 'no-such-npm')]
  await t.rejects(install({ root, npm, say }), { message: /npm is not there. Install Node/ })
})

t.test('two installs at once are one', async (t) => {
  const { root, said, say } = fresh(t)
  const npm = fakeNpm(root, 0, 'await new Promise((resolve) => setTimeout(resolve, 300))')
  await Promise.all([install({ root, npm, say }), install({ root, npm, say })])
  t.same(calls(root), [CI])
  t.match(said.join('\n'), /waiting for another install/)
})

t.test('the lock of a process that has died is taken over', async (t) => {
  const { root, say } = fresh(t)
  const gone = start(['-e', ''])
  await gone.ended
  writeFileSync(lockFile(root), String(gone.child.pid))
  await install({ root, npm: fakeNpm(root), say })
  t.ok(isInstalled(root))
  t.notOk(existsSync(lockFile(root)))
})

t.test('npm install and npm ci by hand count too', async (t) => {
  const { root, say } = fresh(t)
  markInstalled(root)
  await install({ root, npm: fakeNpm(root), say })
  t.same(calls(root), [])
})
