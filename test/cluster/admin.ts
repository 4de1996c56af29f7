import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'

/** What an API server answered; status 0 where nobody did. */
export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  /** texts of its Warning headers */
  readonly warnings: readonly string[]
}

/** Asks an API server over connections that are kept, which thousands of kubectls could not. */
export interface Admin {
  call(
    method: string,
    path: string,
    body?: object,
    type?: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Answer>
  close(): Promise<void>
}

interface Kubeconfig {
  readonly clusters: readonly {
    readonly cluster: { readonly server: string; readonly 'certificate-authority-data': string }
  }[]
  readonly users: readonly {
    readonly user: {
      readonly 'client-certificate-data': string
      readonly 'client-key-data': string
    }
  }[]
}

/** @param kubeconfig path of the admin's, as startControlPlane gives it */
export function openAdmin(kubeconfig: string, connections = 16): Admin {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig
  const { server, 'certificate-authority-data': ca } = clusters[0]!.cluster
  const { 'client-certificate-data': cert, 'client-key-data': key } = users[0]!.user
  const text = (data: string) => Buffer.from(data, 'base64').toString()
  const connect = { ca: text(ca), cert: text(cert), key: text(key) }
  const dispatcher = new Agent({ connect, connections })
  return {
    call: async (method, path, body, type = 'application/json', headers = {}) => {
      try {
        const answer = await request(`${server}${path}`, {
          method: method as 'GET',
          dispatcher,
          headers: { 'content-type': type, accept: 'application/json', ...headers },
          body: body === undefined ? null : JSON.stringify(body),
        })
        const said = answer.headers['warning'] ?? []
        const warnings = (Array.isArray(said) ? said : [said]).map((line) =>
          line.replace(/^299 - "|"$/g, ''),
        )
        const content = await answer.body.text()
        const parsed = content.startsWith('{') ? JSON.parse(content) : {}
        return { status: answer.statusCode, body: parsed, warnings }
      } catch (error) {
        return { status: 0, body: { message: String(error) }, warnings: [] }
      }
    },
    close: () => dispatcher.destroy(),
  }
}
