import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { start, waitFor } from './child.ts'

/** Whether it no longer runs; a zombie doesn't, and its new parent may never ask for it. */
const gone = (pid: number) => {
  try {
    process.kill(pid, 0)
    const stat = `/proc/${pid}/stat`
    return existsSync(stat) && /^\d+ \(.*\) Z /.test(readFileSync(stat, 'utf8'))
  } catch {
    return true
  }
}

t.test('a program that ends too early is named, with its last words', async (t) => {
  const child = start('etcd', '/bin/sh', ['-c', 'echo starting; echo "no space left" >&2; exit 3'])
  const waiting = waitFor(() => false, { what: 'it is ready', running: [child] })
  await t.rejects(waiting, { message: /^etcd ended before it is ready:\n.*no space left/s })
  await child.stop()
})

t.test('a program that is not there is named too', async (t) => {
  const child = start('etcd', '/nowhere/etcd', [])
  const waiting = waitFor(() => false, { what: 'it is ready', running: [child] })
  await t.rejects(waiting, { message: /^etcd ended.*\/nowhere\/etcd/s })
})

t.test('what takes too long is named, with the logs', async (t) => {
  const child = start('etcd', '/bin/sh', ['-c', 'echo compacting; exec sleep 60'])
  t.teardown(() => child.stop())
  await waitFor(() => child.log() !== '', { what: 'it speaks' })
  const waiting = waitFor(() => false, { timeout: 60, what: 'it is ready', running: [child] })
  await t.rejects(waiting, { message: 'not within 60 ms: it is ready\netcd:\ncompacting\n' })
})

t.test('stop waits until the program is gone, and may be called twice', async (t) => {
  const child = start('sleep', 'sleep', ['60'])
  t.notOk(gone(child.pid))
  await child.stop()
  t.ok(gone(child.pid))
  await child.stop()
})

const SOURCE = `
import { start } from ${JSON.stringify(`${import.meta.dirname}/child.ts`)}
console.log(start('sleep', 'sleep', ['60']).pid)
`
const setpriv = existsSync('/usr/bin/setpriv') || existsSync('/bin/setpriv')
for (const [how, end] of [
  ['ends', 'process.exit(0)'],
  ['throws', 'throw new Error("on purpose")'],
  ['is told to end', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'],
  ['is interrupted', 'process.kill(process.pid, "SIGINT"); setInterval(() => {}, 1000)'],
  ['is killed', 'process.kill(process.pid, "SIGKILL")'],
] as const) {
  const skip = how === 'is killed' && !setpriv && 'only with setpriv of util-linux (Linux)'
  t.test(`programs die with a test that ${how}`, { skip }, async (t) => {
    const source = `${SOURCE}\n${end}`
    const test = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let output = ''
    test.stdout.on('data', (part) => {
      output += part
    })
    await once(test, 'close')
    t.match(output, /^\d+\n$/)
    await waitFor(() => gone(Number(output)), { what: 'the program is gone' })
  })
}
