import { once } from 'node:events'
import { createServer, request as httpRequest } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

/** An HTTP proxy in this process: CONNECT for TLS, forwarding for plain HTTP. */
export interface FakeProxy {
  /** `http://127.0.0.1:port` */
  readonly address: string
  /** `CONNECT host:port` or `GET url`, of each request that was let through */
  readonly passed: string[]
  /** answers everything with this status, while it is set */
  status: number | undefined
  close(): Promise<void>
}

export async function startFakeProxy(
  options: {
    readonly username?: string
    readonly password?: string
    /** names that it alone knows, with their addresses */
    readonly hosts?: Readonly<Record<string, string>>
  } = {},
): Promise<FakeProxy> {
  const { username, password, hosts = {} } = options
  const addressOf = (host: string) => hosts[host] ?? host
  const wanted =
    username && `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  const refusal = (authorization: string | undefined) =>
    proxy.status ?? (wanted && authorization !== wanted ? 407 : undefined)
  const server = createServer((request, response) => {
    const status = refusal(request.headers['proxy-authorization'])
    if (status !== undefined) return void response.writeHead(status).end()
    proxy.passed.push(`${request.method} ${request.url}`)
    const { 'proxy-authorization': _, ...headers } = request.headers
    const url = new URL(request.url ?? '')
    url.hostname = addressOf(url.hostname)
    const onward = httpRequest(url, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  server.on('connect', (request, socket) => {
    const status = refusal(request.headers['proxy-authorization'])
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    proxy.passed.push(`CONNECT ${request.url}`)
    const [host = '', port] = (request.url ?? '').split(':')
    const onward = connect(Number(port), addressOf(host), () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket)
      socket.pipe(onward)
    })
    for (const one of [onward, socket]) {
      one.on('error', () => {})
      one.on('close', () => (one === onward ? socket : onward).destroy())
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const proxy: FakeProxy = {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed: [],
    status: undefined,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return proxy
}
