import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { EXAMPLES } from '../../src/cli/examples.ts'
import { createProgram } from '../../src/cli/main.ts'
import { tagwarden } from './run.ts'

const ROOT = join(import.meta.dirname, '../..')
/** These talk to a cluster, or run until they are stopped; they are tried by their own tests. */
const ELSEWHERE = /^tagwarden dev |^tagwarden audit|--cluster\b/

const POLICY = (name: string) => `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: ${name}, namespace: shop }
spec: { images: [ghcr.io/acme/${name}], order: { semver: { range: ^1 } } }
`
const KEEL = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop, annotations: { keel.sh/policy: patch } }
spec: { template: { spec: { containers: [{ name: app, image: "acme/web:1.2.3" }] } } }
`
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec: { template: { spec: { containers: [{ name: app, image: "quay.io/acme/other:v1" }] } } }
`

/** What the examples find around them. */
function world(t: Test) {
  const cwd = t.testdir({
    bin: {
      tagwarden: `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'bin/tagwarden.js')}' "$@"\n`,
      kubectl: `#!/bin/sh\ncat clusters/web.yaml\n`,
    },
    home: { '.config': { fish: { completions: {} } } },
    work: {
      policies: { 'web.yaml': POLICY('web') },
      'all.yaml': `${POLICY('web')}---\n${POLICY('api')}`,
      'tags.txt': 'v1.4.2\nv2.0.0\n',
      'shop.yaml': 'listen: { port: 0 }\npolicies: [policies]\n',
      clusters: { 'web.yaml': KEEL },
      deploy: { 'web.yaml': DEPLOYMENT },
    },
  })
  for (const name of ['tagwarden', 'kubectl']) chmodSync(join(cwd, 'bin', name), 0o755)
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TAGWARDEN_'))
  const env = {
    ...Object.fromEntries(own),
    PATH: `${join(cwd, 'bin')}:${process.env['PATH']}`,
    HOME: join(cwd, 'home'),
    TAGWARDEN_LISTEN_PORT: '0',
  }
  return { cwd: join(cwd, 'work'), env }
}

type World = ReturnType<typeof world>

function run(line: string, options: World): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    execFile('bash', ['-c', line], options, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr })
    })
  })
}

/** Runs a server until it listens, and ends it. */
async function runServer(t: Test, line: string, options: World) {
  const child = spawn('bash', ['-c', `exec env ${line}`], {
    ...options,
    stdio: ['ignore', 'pipe', 2],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let text = ''
  let told = false
  for await (const part of child.stdout!) {
    text += part
    // A second signal would end it at once.
    if (told || !/listens on|listening/.test(text)) continue
    told = child.kill('SIGTERM')
  }
  const [code] = await exited
  return { code, text }
}

t.test('--help of every command has examples, and each does something', async (t) => {
  const program = createProgram()
  const names = [program, ...program.commands].map((command) => command.name())
  t.strictSame(Object.keys(EXAMPLES).sort(), names.sort(), 'examples for what there is')
  const lines = names.flatMap((name) => (EXAMPLES[name] ?? []).map(([line]) => line))
  for (const line of lines.filter((each) => !ELSEWHERE.test(each))) {
    await t.test(line, async (t) => {
      const serves = / serve\b/.test(line)
      const { code, text } = await (serves ? runServer(t, line, world(t)) : run(line, world(t)))
      // a verdict is an answer too
      const right = code === 0 || (code === 1 && / (review|explain) /.test(line))
      t.ok(right, `${code}: ${text}`)
    })
  }
})

t.test('examples that need a cluster are at least accepted', async (t) => {
  for (const [name, examples] of Object.entries(EXAMPLES)) {
    for (const [line] of examples.filter(([each]) => ELSEWHERE.test(each))) {
      const program = createProgram()
      const command = program.commands.find((each) => each.name() === name)
      let called = false
      command?.action(() => {
        called = true
      })
      await program.parseAsync(line.split(' ').slice(1), { from: 'user' })
      t.ok(called, line)
    }
  }
})

t.test('the help shows them as they are', async (t) => {
  const { out } = await tagwarden(['select', '--help'])
  t.match(out, /\nExamples:\n {2}# which tag the policy chooses.*\n {2}printf 'v1\.4\.2\\nv2/)
  t.match((await tagwarden(['--help'])).out, /\nExamples:\n/)
  t.match((await tagwarden(['help', 'dev'])).out, /tagwarden dev --kubeconfig/)
})
