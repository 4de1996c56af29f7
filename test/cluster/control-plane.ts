import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireAsset } from './assets.ts'
import { createAuthority } from './authority.ts'
import { freePorts, type Running, start, waitFor } from './child.ts'

export { waitFor } from './child.ts'

/** What a kubectl run gave. */
export interface KubectlResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** One line of the audit log, as far as tests read it. */
export interface AuditEntry {
  readonly verb: string
  readonly objectRef?: { readonly resource?: string; readonly name?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

/** A real Kubernetes API server, with controllers and a fake node when asked for. */
export interface ControlPlane {
  readonly kubeconfig: string
  readonly url: string
  kubectl(
    args: readonly string[],
    options?: { readonly input?: string; readonly env?: Record<string, string> },
  ): Promise<KubectlResult>
  auditLog(): AuditEntry[]
  stop(): Promise<void>
}

const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{ level: Metadata, verbs: [create, update, patch, delete] }]
`
const NODE = `apiVersion: v1
kind: Node
metadata:
  name: fake
  annotations: { kwok.x-k8s.io/node: fake }
  labels: { kubernetes.io/hostname: fake, kubernetes.io/os: linux }
status:
  allocatable: { cpu: "64", memory: 256Gi, pods: "500" }
  capacity: { cpu: "64", memory: 256Gi, pods: "500" }
`

/**
 * Starts etcd and kube-apiserver on free ports of 127.0.0.1, with RBAC and an admin's kubeconfig;
 * with `nodes` also controller-manager (each controller under its own account), scheduler, and
 * kwok with one fake node on which pods become Running. Takes about 4 s.
 */
export async function startControlPlane(
  options: { readonly nodes?: boolean; readonly auditLog?: boolean } = {},
): Promise<ControlPlane> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-cluster-'))
  const running: Running[] = []
  const stop = async () => {
    for (const each of running.toReversed()) await each.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    }
    const url = await startApiServer(folder, write, running, options.auditLog === true)
    const kubeconfig = join(folder, 'kubeconfig')
    const kubectl: ControlPlane['kubectl'] = (args, more = {}) => run(kubeconfig, args, more)
    if (options.nodes) {
      await startNodes(write, running, kubeconfig, kubectl)
    } else {
      await waitFor(async () => (await kubectl(['create', 'sa', 'default'])).code === 0, {
        timeout: 15_000,
        what: 'the namespace default is there',
      })
    }
    const audit = join(folder, 'audit.log')
    return {
      kubeconfig,
      url,
      kubectl,
      stop,
      auditLog: () =>
        existsSync(audit)
          ? readFileSync(audit, 'utf8')
              .split('\n')
              .filter((line) => line.endsWith('}'))
              .map((line) => JSON.parse(line) as AuditEntry)
          : [],
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startApiServer(
  folder: string,
  write: (name: string, text: string) => string,
  running: Running[],
  auditLog: boolean,
): Promise<string> {
  const [client, peer, port] = (await freePorts(3)) as [number, number, number]
  const authority = createAuthority('tagwarden-test')
  const serving = authority.issue('kube-apiserver', {
    names: ['localhost', '127.0.0.1', '10.0.0.1'],
  })
  const admin = authority.issue('admin', { organization: 'system:masters' })
  const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const ca = write('ca.crt', authority.certificate)
  const accountKey = write(
    'sa.key',
    accounts.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  )
  const accountPublic = write(
    'sa.pub',
    accounts.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  )
  const etcd = `http://127.0.0.1:${client}`
  running.push(
    start('etcd', requireAsset('etcd'), [
      `--data-dir=${join(folder, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
      `--initial-cluster=default=http://127.0.0.1:${peer}`,
      '--log-level=error',
    ]),
    start('kube-apiserver', requireAsset('kube-apiserver'), [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      '--service-cluster-ip-range=10.0.0.0/24',
      `--cert-dir=${folder}`,
      `--tls-cert-file=${write('tls.crt', serving.certificate)}`,
      `--tls-private-key-file=${write('tls.key', serving.key)}`,
      `--client-ca-file=${ca}`,
      `--service-account-key-file=${accountPublic}`,
      `--service-account-signing-key-file=${accountKey}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      ...(auditLog
        ? [
            `--audit-policy-file=${write('audit.yaml', AUDIT_POLICY)}`,
            `--audit-log-path=${join(folder, 'audit.log')}`,
            '--audit-log-mode=blocking',
          ]
        : []),
    ]),
  )
  const url = `https://127.0.0.1:${port}`
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  write(
    'kubeconfig',
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [
        {
          name: 'test',
          cluster: { server: url, 'certificate-authority-data': encoded(authority.certificate) },
        },
      ],
      users: [
        {
          name: 'admin',
          user: {
            'client-certificate-data': encoded(admin.certificate),
            'client-key-data': encoded(admin.key),
          },
        },
      ],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    }),
  )
  const tls = { ca: authority.certificate, cert: admin.certificate, key: admin.key }
  await waitFor(() => isReady(`${url}/readyz`, tls), {
    timeout: 60_000,
    what: 'kube-apiserver is ready',
    running,
  })
  return url
}

async function startNodes(
  write: (name: string, text: string) => string,
  running: Running[],
  kubeconfig: string,
  kubectl: ControlPlane['kubectl'],
): Promise<void> {
  const [manager, scheduler, kwok] = await freePorts(3)
  const folder = join(kubeconfig, '..')
  running.push(
    start('kube-controller-manager', requireAsset('kube-controller-manager'), [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${join(folder, 'sa.key')}`,
      `--root-ca-file=${join(folder, 'ca.crt')}`,
      `--secure-port=${manager}`,
      `--cert-dir=${folder}`,
    ]),
    start('kube-scheduler', requireAsset('kube-scheduler'), [
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      `--secure-port=${scheduler}`,
      `--cert-dir=${folder}`,
    ]),
    start('kwok', requireAsset('kwok'), [
      `--kubeconfig=${kubeconfig}`,
      `--config=${requireAsset('kwok-stages.yaml')}`,
      '--manage-all-nodes=true',
      '--node-ip=127.0.0.1',
      `--server-address=127.0.0.1:${kwok}`,
    ]),
  )
  const node = await kubectl(['create', '-f', '-'], { input: NODE })
  if (node.code !== 0) throw new Error(`the node could not be made: ${node.stderr}`)
  write('node.yaml', NODE)
  await waitFor(async () => (await kubectl(['get', 'sa', 'default'])).code === 0, {
    timeout: 30_000,
    what: 'controllers make the default service account',
    running,
  })
  await waitFor(
    async () => {
      const status = '{.items[0].status.conditions[?(@.type=="Ready")].status}'
      const { stdout } = await kubectl(['get', 'nodes', '-o', `jsonpath=${status}`])
      return stdout === 'True'
    },
    { timeout: 30_000, what: 'the fake node is ready', running },
  )
}

function isReady(url: string, tls: { ca: string; cert: string; key: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request(url, { ...tls, agent: false, timeout: 2000 }, (answer) => {
      answer.resume()
      answer.on('end', () => resolve(answer.statusCode === 200))
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })
}

function run(
  kubeconfig: string,
  args: readonly string[],
  { input, env }: { input?: string; env?: Record<string, string> },
): Promise<KubectlResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(requireAsset('kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, HOME: join(kubeconfig, '..'), ...env },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (part) => {
      stdout += part
    })
    child.stderr.on('data', (part) => {
      stderr += part
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
    child.stdin.on('error', () => {})
    child.stdin.end(input ?? '')
  })
}
