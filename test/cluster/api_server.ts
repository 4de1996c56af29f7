import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import { requireAsset } from './assets.ts'
import { AUDIT_POLICY } from './audit_log.ts'
import { createAuthority } from './authority.ts'
import { type Running, start, waitFor } from './child.ts'
import { freePorts } from './ports.ts'
import { startSlowLink } from './slow_link.ts'

/** A ready kube-apiserver, with its etcd. */
export interface ApiServer {
  readonly url: string
  /** path of a kubeconfig of group system:masters */
  readonly kubeconfig: string
  /** PEM of the authority of its certificate */
  readonly ca: string
  /** URL of its etcd, past the delay */
  readonly etcd: string
  /** Asks as admin, with JSON; the status, or 0 where nobody answers. */
  call<Body = unknown>(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: Body | undefined }>
  /** Ends kube-apiserver as a crash would, waits for what is to be done meanwhile, starts it again. */
  restart(meanwhile?: () => unknown): Promise<void>
  /** Lets etcd answer so many ms later, each way. */
  delayEtcd(ms: number): void
  close(): Promise<void>
}

/** How to start one. */
export interface ApiServerOptions {
  readonly auditLog?: boolean
  /** further flags of kube-apiserver */
  readonly flags?: readonly string[]
}

/**
 * Starts etcd and kube-apiserver and waits until they are ready. `folder` then also holds what
 * controllers need: `kubeconfig`, `ca.crt`, `sa.key`; with `auditLog`, `audit.log`.
 */
export async function startApiServer(
  folder: string,
  running: Running[],
  { auditLog = false, flags = [] }: ApiServerOptions,
): Promise<ApiServer> {
  const file = (name: string) => join(folder, name)
  const write = (name: string, text: string) => {
    writeFileSync(file(name), text)
    return file(name)
  }
  const [client, peer, port] = (await freePorts(3)) as [number, number, number]
  running.push(startEtcd(file('etcd'), client, peer))
  const link = await startSlowLink(client)

  const authority = createAuthority('tagwarden-test')
  const names = ['localhost', '127.0.0.1', '10.0.0.1']
  const serving = authority.issue('kube-apiserver', { names })
  const admin = authority.issue('admin', { organization: 'system:masters' })
  const accounts = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const startServer = () =>
    start('kube-apiserver', requireAsset('kube-apiserver'), [
      `--etcd-servers=http://127.0.0.1:${link.port}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      `--cert-dir=${folder}`,
      `--tls-cert-file=${write('tls.crt', serving.certificate)}`,
      `--tls-private-key-file=${write('tls.key', serving.key)}`,
      `--client-ca-file=${write('ca.crt', authority.certificate)}`,
      `--service-account-key-file=${write('sa.pub', accounts.publicKey)}`,
      `--service-account-signing-key-file=${write('sa.key', accounts.privateKey)}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      ...(auditLog
        ? [
            `--audit-policy-file=${write('audit.yaml', AUDIT_POLICY)}`,
            `--audit-log-path=${file('audit.log')}`,
            '--audit-log-mode=blocking',
          ]
        : []),
      ...flags,
    ])
  if (auditLog) write('audit.log', '')
  let server = startServer()
  running.push(server)

  const url = `https://127.0.0.1:${port}`
  const tls = { ca: authority.certificate, cert: admin.certificate, key: admin.key }
  const dispatcher = new Agent({ connect: tls })
  const call: ApiServer['call'] = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' }
    const sent = body === undefined ? null : JSON.stringify(body)
    try {
      const answer = await request(`${url}${path}`, { method, dispatcher, headers, body: sent })
      const text = await answer.body.text()
      return {
        status: answer.statusCode,
        body: text.startsWith('{') ? JSON.parse(text) : undefined,
      }
    } catch {
      return { status: 0, body: undefined }
    }
  }
  const ready = () =>
    waitFor(async () => (await call('GET', '/readyz')).status === 200, {
      what: 'kube-apiserver is ready',
      running,
    })
  await ready()
  const user = {
    'client-certificate-data': base64(tls.cert),
    'client-key-data': base64(tls.key),
  }
  const ca = authority.certificate
  const kubeconfig = write('kubeconfig', kubeconfigOf(url, ca, user))
  return {
    url,
    kubeconfig,
    ca,
    etcd: `http://127.0.0.1:${client}`,
    call,
    async restart(meanwhile) {
      await server.stop()
      await meanwhile?.()
      const next = startServer()
      running.splice(running.indexOf(server), 1, next)
      server = next
      await ready()
    },
    delayEtcd: link.delay,
    async close() {
      await Promise.all([dispatcher.destroy(), link.close()])
    },
  }
}

function startEtcd(folder: string, client: number, peer: number): Running {
  return start('etcd', requireAsset('etcd'), [
    `--data-dir=${folder}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-cluster=default=http://127.0.0.1:${peer}`,
    '--log-level=error',
  ])
}

/** A kubeconfig of one context, `test`, in JSON. */
export function kubeconfigOf(
  server: string,
  ca: string,
  user: object,
  namespace = 'default',
): string {
  const cluster = { server, 'certificate-authority-data': base64(ca) }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster }],
    users: [{ name: 'test', user }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace } }],
  })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
