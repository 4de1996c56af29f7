import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'

const BIN = join(import.meta.dirname, '../../bin/tagwarden.js')
const POLICY = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: shop }
spec:
  images: [registry.example.com/acme/web]
  order: { semver: { range: ">=1.2.3 <2.0.0" } }
`
/** Writes the address of each module that is loaded into the file TRACED. */
const TRACE = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  import { appendFileSync } from 'node:fs'
  registerHooks({
    load(url, context, next) {
      appendFileSync(process.env.TRACED, url + '\\n')
      return next(url, context)
    },
  })
`)}`

/** Runs a command until it ends, or stops it when it says so; what it wrote and loaded. */
async function run(
  args: readonly string[],
  options: { readonly input?: string; readonly until?: RegExp; readonly cwd: string },
): Promise<{ readonly output: string; readonly modules: readonly string[] }> {
  const traced = join(options.cwd, `${args[0]}.modules`)
  const child = spawn(process.execPath, ['--import', TRACE, BIN, ...args], {
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, TAGWARDEN_LISTEN_PORT: '0', TRACED: traced },
  })
  let output = ''
  let told = false
  child.stdout.on('data', (part) => {
    output += part
    // A second signal would end it at once.
    if (!told && options.until?.test(output)) told = child.kill('SIGTERM')
  })
  child.stderr.resume()
  child.stdin.end(options.input ?? '')
  await once(child, 'close')
  const modules = readFileSync(traced, 'utf8').trim().split('\n')
  return { output, modules }
}

const isKubernetes = (url: string) => url.includes('/@kubernetes/client-node/')

t.test('the Kubernetes client is loaded by no command that needs no cluster', async (t) => {
  const cwd = t.testdir({ 'policy.yaml': POLICY })
  const commands = {
    '--help': { args: ['--help'] },
    select: { args: ['select', '--policy', 'policy.yaml'], input: 'v1.2.3\nv1.4.2\n' },
    explain: {
      args: ['explain', 'registry.example.com/other/web:v1', '--policies', 'policy.yaml'],
    },
    review: { args: ['review', '--offline', '--policies', 'policy.yaml', 'policy.yaml'] },
    serve: { args: ['serve'], until: /listens on/ },
  }
  for (const [name, { args, ...more }] of Object.entries(commands)) {
    const { output, modules } = await run(args, { cwd, ...more })
    t.not(output, '', `${name} answers`)
    t.ok(
      modules.some((url) => url.endsWith('/src/cli/main.ts')),
      `${name} is traced`,
    )
    t.strictSame(modules.filter(isKubernetes), [], name)
  }
})

t.test('the trace sees the Kubernetes client where it is loaded', async (t) => {
  const cwd = t.testdir({
    kubeconfig: JSON.stringify({
      clusters: [{ name: 'a', cluster: { server: 'https://127.0.0.1:1' } }],
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      users: [{ name: 'a', user: { token: 'x' } }],
      'current-context': 'a',
    }),
  })
  const args = ['dev', '--kubeconfig', 'kubeconfig']
  const { modules } = await run(args, { cwd })
  t.ok(modules.some(isKubernetes))
})
