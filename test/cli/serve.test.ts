import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const BIN = join(import.meta.dirname, '../../bin/tagwarden.js')
const KUBECONFIG = {
  ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'away' },
  // port 1 answers nobody
  clusters: [{ name: 'away', cluster: { server: 'https://127.0.0.1:1' } }],
  contexts: [{ name: 'away', context: { cluster: 'away', user: 'nobody' } }],
  users: [{ name: 'nobody', user: { token: 'x' } }],
}

t.test('a replica that waits for its API server stops when it is told to', async (t) => {
  const folder = t.testdir({})
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, JSON.stringify(KUBECONFIG))
  const child: ChildProcess = spawn(process.execPath, [BIN, 'serve'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      TAGWARDEN_CLUSTER_MODE: 'On',
      TAGWARDEN_CLUSTER_KUBECONFIG: kubeconfig,
      TAGWARDEN_CLUSTER_NAMESPACE: 'tagwarden-system',
      TAGWARDEN_LOG_FORMAT: 'Json',
    },
  })
  t.teardown(() => child.kill('SIGKILL'))
  let err = ''
  for await (const part of child.stderr!) {
    err += part
    if (/waiting: .*refused the connection/.test(err)) child.kill('SIGTERM')
  }
  const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
  t.equal(code, 0, err)
  t.match(err, /"signal":"SIGTERM"/)
})
