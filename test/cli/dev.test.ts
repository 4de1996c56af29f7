import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { json, type Script, startScriptedServer } from '../cluster/scripted_server.ts'
import { call } from '../server/fixture.ts'

const BIN = join(import.meta.dirname, '../../bin/tagwarden.js')

interface Configuration {
  readonly webhooks: readonly { readonly clientConfig: { readonly url: string } }[]
}

t.test('a webhook answers the API server that has not heard yet that it is gone', async (t) => {
  const made = new Map<string, Configuration>()
  const gone = Promise.withResolvers<{ readonly at: number; readonly answer: object }>()
  const script: Script = ({ method, path, body }, response) => {
    if (method === 'POST') {
      made.set(path, JSON.parse(body))
      json(response, JSON.parse(body), 201)
    } else if (method === 'DELETE') {
      const list = path.replace(/\/[^/]*$/, '')
      const url = made.get(list)?.webhooks[0]?.clientConfig.url ?? ''
      made.delete(list)
      const done = () => json(response, { kind: 'Status', status: 'Success' })
      if (made.size > 0) return done()
      call(url)
        .then((answer) => gone.resolve({ at: Date.now(), answer }), gone.reject)
        .finally(done)
    } else {
      const items = made.has(path) ? [made.get(path)] : []
      json(response, { metadata: { resourceVersion: '1' }, items })
    }
  }
  const { kubeconfig } = await startScriptedServer(t, script)
  const cwd = t.testdir({ policies: {} })
  writeFileSync(join(cwd, 'tagwarden.yaml'), 'listen: { port: 0 }\npolicies: [policies]\n')
  const child = spawn(process.execPath, [BIN, 'dev', '--kubeconfig', kubeconfig], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  t.teardown(() => {
    child.kill('SIGKILL')
    return closed
  })
  let out = ''
  let told = false
  child.stdout.on('data', (part) => {
    out += part
    // A second signal would end it at once.
    if (!told && /registered in/.test(out)) told = child.kill('SIGTERM')
  })
  const { at, answer } = await gone.promise
  t.match(answer, { status: 400 }, 'it still answers, though not to nonsense')
  t.strictSame(await closed, [0, null])
  t.ok(Date.now() - at >= 990, 'and for a second longer, until the API server has heard')
  t.match(
    out,
    /removed from the cluster: Mutating\S+ tagwarden-dev, Validating\S+ tagwarden-dev\n$/,
  )
})
