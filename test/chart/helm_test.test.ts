import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { HELM, skipWithout } from '../cluster/assets.ts'
import { createAuthority } from '../cluster/authority.ts'
import { startServer } from '../server/fixture.ts'
import { only, ROOT, render, type Values } from './helm.ts'

const skip = skipWithout([HELM])

/** Runs what the Pod of "helm test" runs, with another address. */
async function runTest(
  target: string,
  ca: string,
  values: Values = {},
): Promise<{ code: number | null; out: string }> {
  const [container] = only(await render(values), 'Pod').spec.containers
  const [node, ...options] = container.command
  const env = Object.fromEntries(
    container.env.map(({ name, value }: { name: string; value: string }) => [name, value]),
  )
  if (node !== '/nodejs/bin/node' || !env.TARGET || !env.NODE_EXTRA_CA_CERTS) {
    throw new Error(JSON.stringify(container))
  }
  const child = spawn(process.execPath, [...options, ...container.args], {
    env: { ...env, TARGET: target, NODE_EXTRA_CA_CERTS: ca },
  })
  return collect(child)
}

function collect(child: ChildProcess): Promise<{ code: number | null; out: string }> {
  let out = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part) => {
      out += part
    })
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out })))
}

/** A real "tagwarden serve": its address. */
function serve(t: Test, folder: string, more = {}): Promise<string> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/tagwarden.js'), 'serve'], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      TAGWARDEN_LISTEN_PORT: '0',
      TAGWARDEN_POLICIES: join(folder, 'policies'),
      TAGWARDEN_CATALOG_PATH: join(folder, 'catalog'),
      TAGWARDEN_CERTIFICATES_PATH: join(folder, 'certs'),
      ...more,
    },
  })
  const ended = collect(child)
  t.teardown(() => {
    child.kill('SIGTERM')
    return ended
  })
  return new Promise((resolve, reject) => {
    let out = ''
    child.stdout?.on('data', (part) => {
      out += part
      const url = /listens on (https:\S+)/.exec(out)?.[1]
      if (url) resolve(url)
    })
    ended.then((result) => reject(new Error(result.out)))
  })
}

t.test('helm test passes where Tagwarden runs', { skip }, async (t) => {
  const folder = t.testdir({ policies: {} })
  const url = await serve(t, folder)
  const { code, out } = await runTest(url, join(folder, 'certs/ca.crt'))
  t.equal(code, 0, out)
  t.match(out, /^ready: .*certificate/)
  t.match(out, 'judges images: allowed')
})

t.test(
  'helm test passes where only clients with a certificate are answered',
  { skip },
  async (t) => {
    const clients = createAuthority('clients').certificate
    const folder = t.testdir({ policies: {}, 'clients.crt': clients })
    const env = { TAGWARDEN_CLIENTS_CERTIFICATE_AUTHORITY: join(folder, 'clients.crt') }
    const url = await serve(t, folder, env)
    const ca = join(folder, 'certs/ca.crt')
    const { code, out } = await runTest(url, ca, { clients: { secret: 'clients' } })
    t.equal(code, 0, out)
    t.match(out, 'judges images for clients with a certificate: the client shows no certificate')
    t.match(await runTest(url, ca), { code: 1, out: /validate.*: 401 / }, 'others are refused')
  },
)

t.test('helm test fails, and says why, where it does not', { skip }, async (t) => {
  const folder = t.testdir()
  const ca = join(folder, 'ca.crt')
  const ready = await startServer(t)
  const notReady = await startServer(t, {
    ready: () => [{ name: 'policies', problem: 'they are not read yet' }],
  })
  writeFileSync(ca, ready.certificates.current().ca)
  const rows: [url: string, ca: string, said: RegExp][] = [
    [notReady.url, ca, /readyz: 503 .*they are not read yet/],
    [ready.url, ca, /it answers, but not to what was asked/],
    [ready.url, join(folder, 'none.crt'), /readyz: .*certificate/],
    ['https://127.0.0.1:1', ca, /readyz: (bad port|connect ECONNREFUSED)/],
  ]
  for (const [url, authority, said] of rows) {
    const { code, out } = await runTest(url, authority)
    t.equal(code, 1, out)
    t.match(out, said)
    t.notMatch(out, /\n\s+at /, 'no stack')
  }
})
