import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { kubeconfigOf } from './api_server.ts'
import { createAuthority } from './authority.ts'

/** A request as the script sees it. */
export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export type Script = (asked: Asked, response: ServerResponse, count: number) => void

/** An HTTPS server that answers as the test says, well or badly. */
export interface ScriptedServer {
  readonly url: string
  /** path of a kubeconfig with a token */
  readonly kubeconfig: string
  /** PEM */
  readonly ca: string
  readonly asked: Asked[]
  script: Script
}

const authority = createAuthority('scripted-authority')
const serving = authority.issue('scripted', { names: ['127.0.0.1', 'localhost'] })

/** Starts one; its script is called with each request and the count of requests before it. */
export async function startScriptedServer(t: Test, script: Script): Promise<ScriptedServer> {
  const asked: Asked[] = []
  const server = createServer({ cert: serving.certificate, key: serving.key })
  server.on('request', async (request, response) => {
    response.on('error', () => {})
    let body = ''
    for await (const part of request) body += part
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost')
    const { method = '', headers } = request
    const entry = { method, path: pathname, query: searchParams, headers, body }
    asked.push(entry)
    started.script(entry, response, asked.length - 1)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-scripted-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
    server.closeAllConnections()
    server.close()
  })
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    kubeconfigOf(url, authority.certificate, { token: 'secret-token' }, 'shop'),
  )
  const started: ScriptedServer = { url, kubeconfig, ca: authority.certificate, asked, script }
  return started
}

export function json(response: ServerResponse, body: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

export function refuse(
  response: ServerResponse,
  code: number,
  reason: string,
  more: { readonly message?: string; readonly metadata?: object; readonly headers?: object } = {},
): void {
  const { message = `${reason} by script`, metadata = {}, headers = {} } = more
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }
  json(response, { ...status, metadata }, code, headers)
}

/** A list of objects of these names, in the namespace shop. */
export function listOf(names: readonly string[], more: object = {}): object {
  return {
    kind: 'ConfigMapList',
    apiVersion: 'v1',
    metadata: { resourceVersion: '100', ...more },
    items: names.map((name) => object(name)),
  }
}

export function object(name: string, resourceVersion = '50', more: object = {}) {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion }
  return { kind: 'ConfigMap', apiVersion: 'v1', metadata, ...more }
}
