import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { Agent, request } from 'undici'
import { createAuthority } from './authority.ts'
import { waitFor } from './child.ts'
import { startLoadBalancer } from './load_balancer.ts'

const authority = createAuthority('load-balancer-test')
const { certificate, key } = authority.issue('replica', { names: ['127.0.0.1'] })

async function startReplica(t: Test, name: string) {
  let ready = true
  const server = createServer({ cert: certificate, key }, (incoming, response) => {
    response.statusCode = incoming.url === '/readyz' && !ready ? 503 : 200
    response.end(name)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  t.teardown(close)
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setReady: (value: boolean) => {
      ready = value
    },
    close,
  }
}

t.test('new connections go to the replicas that are ready, and to no other', async (t) => {
  const balancer = await startLoadBalancer()
  t.teardown(() => balancer.close())
  const replicas = [await startReplica(t, 'a'), await startReplica(t, 'b')] as const
  for (const { url } of replicas) balancer.add(url)
  const until = (count: number) =>
    waitFor(() => balancer.ready().length === count, { what: `${count} ready` })
  const asked = async (): Promise<string> => {
    const dispatcher = new Agent({ connect: { ca: authority.certificate } })
    const names = new Set<string>()
    for (let n = 0; n < 6; n += 1) {
      // A connection of its own each time.
      const answer = await request(balancer.url, { dispatcher, reset: true })
      names.add(await answer.body.text())
    }
    await dispatcher.close()
    return [...names].sort().join()
  }
  await until(2)
  t.equal(await asked(), 'a,b')
  replicas[0].setReady(false)
  await until(1)
  t.equal(await asked(), 'b')
  replicas[0].setReady(true)
  await until(2)
  replicas[1].close()
  t.equal(await asked(), 'a', 'one that can not be reached is passed over')
  balancer.remove(replicas[0].url)
  await until(0)
  await t.rejects(asked())
})
