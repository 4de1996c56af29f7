import t from 'tap'
import type { ReadinessCheck } from '../../src/server/index.ts'
import { call, startServer } from './fixture.ts'

const GET = { method: 'GET' }

t.test('healthz answers as long as the process lives', async (t) => {
  const { url } = await startServer(t, { ready: () => [{ name: 'policies', problem: 'none' }] })
  t.match(await call(`${url}/healthz`, GET), { status: 200, body: '{"healthy":true}' })
})

t.test('readyz turns with the checks and names what is missing', async (t) => {
  let problem: string | undefined = 'no policies are loaded yet'
  const ready = (): ReadinessCheck[] => [{ name: 'policies', problem }]
  const { url } = await startServer(t, { ready })
  const before = await call(`${url}/readyz`, GET)
  t.equal(before.status, 503)
  t.match(JSON.parse(before.body), {
    ready: false,
    checks: [
      { name: 'policies', ready: false, problem: 'no policies are loaded yet' },
      { name: 'certificate', ready: true },
      { name: 'running', ready: true },
    ],
  })
  problem = undefined
  const after = await call(`${url}/readyz`, GET)
  t.equal(after.status, 200)
  t.match(JSON.parse(after.body), { ready: true })
})

t.test('readyz fails once the certificate has ended, and says when that was', async (t) => {
  let now = Date.now()
  const { url, certificates } = await startServer(t, { clock: () => now })
  t.match(await call(`${url}/readyz`, GET), { status: 200 })
  now = certificates.current().notAfter
  const answer = await call(`${url}/readyz`, GET)
  t.equal(answer.status, 503)
  const end = new Date(now).toISOString()
  t.match(answer.body, end)
})
