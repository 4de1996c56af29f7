import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Below what Linux gives to connections and to port 0, so that nobody is given one of them. */
const FIRST = 20_000
const COUNT = 12_000

/** Ports of 127.0.0.1 that nobody uses now, all of them different. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = FIRST + randomInt(COUNT)
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
