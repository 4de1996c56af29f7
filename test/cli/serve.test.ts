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
  const exited = once(child, 'exit')
  let err = ''
  let told = false
  for await (const part of child.stderr!) {
    err += part
    // A second signal would end it at once.
    if (told || !/waiting: .*refused the connection/.test(err)) continue
    told = child.kill('SIGTERM')
  }
  t.strictSame(await exited, [0, null], err)
  t.match(err, /"signal":"SIGTERM"/)
})

t.test('without a CA that proves who a client is, it does not start', async (t) => {
  const folder = t.testdir({ policies: {}, 'empty.crt': '' })
  const rows: [env: Record<string, string>, said: RegExp][] = [
    [{ TAGWARDEN_CLIENTS_NAMES: 'api' }, /clients\.names: nobody could prove to be one of these/],
    [{ TAGWARDEN_CLIENTS_CERTIFICATE_AUTHORITY: './none.crt' }, /none\.crt: .*ENOENT/],
    [{ TAGWARDEN_CLIENTS_CERTIFICATE_AUTHORITY: './empty.crt' }, /empty\.crt: there is no PEM/],
  ]
  for (const [env, said] of rows) {
    const child = spawn(process.execPath, [BIN, 'serve'], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        TAGWARDEN_LISTEN_PORT: '0',
        TAGWARDEN_POLICIES: './policies',
        TAGWARDEN_CATALOG_PATH: './catalog',
        TAGWARDEN_CERTIFICATES_PATH: './certs',
        ...env,
      },
    })
    t.teardown(() => child.kill('SIGKILL'))
    let err = ''
    for await (const part of child.stderr!) err += part
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
    t.equal(code, 2, err)
    t.match(err, said)
  }
})
