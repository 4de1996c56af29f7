import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { openPolicyFolder } from '../../src/sources/index.ts'
import { follow, policy, writeConfigMap } from './folder.ts'

t.test('the set in force follows files that are changed, added and deleted', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a') })
  const { folder, until, names } = await follow({ paths: [dir] })
  t.teardown(folder.close)
  await until(/^in force: a$/)
  const before = folder.current()

  writeFileSync(join(dir, 'b.yaml'), policy('b'))
  await until(/^in force: a b$/)
  t.not(folder.current().revision, before.revision)
  t.equal(folder.current().policies[0], before.policies[0], 'what did not change is the same')

  writeFileSync(join(dir, 'a.yaml'), policy('renamed'))
  await until(/^in force: renamed b$/)

  rmSync(join(dir, 'b.yaml'))
  await until(/^in force: renamed$/)

  mkdirSync(join(dir, 'new/deep'), { recursive: true })
  writeFileSync(join(dir, 'new/deep/c.yaml'), policy('c'))
  await until(/^in force: renamed c$/)

  writeFileSync(join(dir, 'new/deep/c.yaml'), policy('d'))
  await until(/^in force: renamed d$/)
  t.strictSame(names(), ['renamed', 'd'])
})

t.test('a wrong policy is told, and the last good set stays in force', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a') })
  const { folder, until, names, told } = await follow({ paths: [dir] })
  t.teardown(folder.close)
  await until(/in force/)
  const good = folder.current()

  writeFileSync(join(dir, 'b.yaml'), policy('b', 'no range'))
  const line = await until(/^problems: ./)
  t.match(line, /b\.yaml:6:\d+: spec\.order\.semver\.range: .*\. \S+/)
  t.equal(folder.current(), good)
  t.equal(folder.problems().length, 1)

  writeFileSync(join(dir, 'a.yaml'), policy('c'))
  await until(/^problems: .*b\.yaml/)
  t.strictSame(names(), ['a'], 'nothing of a set with a wrong policy comes into force')

  writeFileSync(join(dir, 'b.yaml'), policy('b'))
  await until(/^in force: c b$/)
  t.strictSame(folder.problems(), [])
  t.strictSame(told, [])
})

t.test('that all is well again is told even when the set is the same', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a') })
  const { folder, until } = await follow({ paths: [dir] })
  t.teardown(folder.close)
  await until(/in force/)
  writeFileSync(join(dir, 'a.yaml'), 'a: [')
  await until(/^problems: ./)
  writeFileSync(join(dir, 'a.yaml'), policy('a'))
  await until(/^problems: $/)
  t.strictSame(folder.problems(), [])
})

t.test('a ConfigMap that the kubelet swaps is followed', async (t) => {
  const dir = t.testdir({})
  writeConfigMap(dir, 'v1', { 'a.yaml': policy('a'), 'b.yaml': policy('b') })
  const { folder, until } = await follow({ paths: [dir] })
  t.teardown(folder.close)
  await until(/^in force: a b$/)
  writeConfigMap(dir, 'v2', { 'a.yaml': policy('a2'), 'b.yaml': policy('b2') })
  await until(/^in force: a2 b2$/)
})

t.test('a file that is replaced by a rename, as editors do, is followed', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a') })
  const { folder, until } = await follow({ paths: [join(dir, 'a.yaml')], interval: 50 })
  t.teardown(folder.close)
  await until(/^in force: a$/)
  writeFileSync(join(dir, 'a.yaml.tmp'), policy('b'))
  renameSync(join(dir, 'a.yaml.tmp'), join(dir, 'a.yaml'))
  await until(/^in force: b$/)
})

t.test('a file that is written in pieces is read when it is whole', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a') })
  const { folder, until, told } = await follow({ paths: [dir], settle: 1_000 })
  t.teardown(folder.close)
  await until(/in force/)
  const file = join(dir, 'b.yaml')
  writeFileSync(file, '')
  for (const piece of policy('b').match(/.{1,40}/gs) ?? []) {
    appendFileSync(file, piece)
    await sleep(5)
  }
  await until(/^in force: a b$/)
  t.strictSame(told, [])
})

t.test('a file that is emptied keeps its policies in force until it is deleted', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a'), 'b.yaml': policy('b') })
  const { folder, until, names } = await follow({ paths: [dir] })
  t.teardown(folder.close)
  await until(/in force/)
  writeFileSync(join(dir, 'b.yaml'), '')
  t.match(
    await until(/^problems: ./),
    /b\.yaml: is empty now\. Write its policies again, or delete the file/,
  )
  t.strictSame(names(), ['a', 'b'])
  rmSync(join(dir, 'b.yaml'))
  await until(/^in force: a$/)
})

t.test('a folder that is deleted keeps its policies in force, and comes back', async (t) => {
  const dir = t.testdir({ policies: { 'a.yaml': policy('a') }, 'other.yaml': policy('o') })
  const path = join(dir, 'policies')
  const { folder, until, names } = await follow({
    paths: [join(dir, 'other.yaml'), path],
    interval: 50,
  })
  t.teardown(folder.close)
  await until(/in force: o a|in force: a o/)
  rmSync(path, { recursive: true })
  t.match(await until(/^problems: ./), /policies: there is no such file or folder\. Make it/)
  t.strictSame(new Set(names()), new Set(['o', 'a']))
  mkdirSync(path)
  writeFileSync(join(path, 'b.yaml'), policy('b'))
  await until(/^in force: (o b|b o)$/)
})

t.test('a change that the system does not report is found by the regular look', async (t) => {
  const dir = t.testdir({ real: { 'a.yaml': policy('a') }, given: {} })
  const { symlinkSync } = await import('node:fs')
  symlinkSync('../real/a.yaml', join(dir, 'given/a.yaml'))
  const { folder, until } = await follow({ paths: [join(dir, 'given')], interval: 50 })
  t.teardown(folder.close)
  await until(/^in force: a$/)
  writeFileSync(join(dir, 'real/a.yaml'), policy('b'))
  await until(/^in force: b$/)
})

t.test('a file that is touched, but not changed, is no change', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a'), 'z.yaml': policy('z') })
  const { folder, until } = await follow({ paths: [dir] })
  t.teardown(folder.close)
  await until(/in force/)
  const [before] = folder.current().policies
  utimesSync(join(dir, 'a.yaml'), 1, 1)
  writeFileSync(join(dir, 'z.yaml'), policy('y'))
  await until(/^in force: a y$/)
  t.equal(folder.current().policies[0], before)
})

t.test('at the start a wrong policy or a missing folder is an error', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a', 'no range') })
  await t.rejects(openPolicyFolder({ paths: [dir] }), { code: 'ERR_INVALID_POLICY' })
  await t.rejects(openPolicyFolder({ paths: [join(dir, 'none')] }), { code: 'ERR_INVALID_CONFIG' })
})

t.test('after close nothing is told, and the set stays readable', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a') })
  const { folder, told, until, names } = await follow({ paths: [dir], interval: 10 })
  await until(/in force/)
  writeFileSync(join(dir, 'b.yaml'), policy('b'))
  await folder.close()
  await folder.close()
  const after = told.length
  writeFileSync(join(dir, 'c.yaml'), policy('c'))
  await sleep(100)
  t.equal(told.length, after)
  t.ok(names().includes('a'))
})
