import type { Test } from 'tap'
import type { ReviewHandler } from '../../src/admission/index.ts'
import type { ServingCertificate } from '../../src/certificates/index.ts'
import type { ClusterSettings } from '../../src/config/index.ts'
import { closedNamespaces } from '../../src/webhooks/closed_namespaces.ts'
import type { Installation } from '../../src/webhooks/types.ts'
import { type Admin, type Answer, openAdmin } from '../cluster/admin.ts'
import { type ControlPlane, waitFor } from '../cluster/control-plane.ts'
import { changeable, makeCertificate, startServer } from '../server/fixture.ts'

export const SETTINGS: ClusterSettings['webhooks'] = {
  manage: 'Always',
  caBundle: 'Own',
  annotations: [],
  url: undefined,
  port: 443,
  timeout: 10_000,
  excludedNamespaces: [],
  probeInterval: 30_000,
}

export const CLUSTER_SETTINGS: ClusterSettings = {
  mode: 'On',
  kubeconfig: undefined,
  context: undefined,
  namespace: undefined,
  name: 'tagwarden',
  identity: undefined,
  leaseDuration: 15_000,
  promotion: 'On',
  certificates: 'Secret',
  webhooks: SETTINGS,
  pullSecrets: { namespaces: [], secrets: [], installation: [] },
}

export const OPEN = closedNamespaces([], new Set())

export function installation(changes: Partial<ClusterSettings['webhooks']> = {}): Installation {
  return {
    name: 'tagwarden',
    namespace: 'tagwarden',
    webhooks: { ...SETTINGS, ...changes },
    fields: [],
  }
}

/** A webhook that lets everything pass and says what it was asked. */
export interface Recorder {
  readonly url: string
  readonly certificate: ServingCertificate
  /** serves another one from now on */
  serve(certificate: ServingCertificate): void
  /** names of the paths that were asked since, each once, sorted */
  take(): string[]
  stop(): Promise<void>
}

export async function startRecorder(
  t: Test,
  more: Readonly<Record<string, ReviewHandler>> = {},
): Promise<Recorder> {
  let seen: string[] = []
  const record =
    (path: string): ReviewHandler =>
    async (body) => {
      seen.push(path)
      const { uid } = JSON.parse(body.toString()).request
      const response = { uid, allowed: true }
      const answer = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }
      return { status: 200, body: JSON.stringify(answer) }
    }
  const paths = ['mutate', 'validate', 'policies']
  const handlers = { ...Object.fromEntries(paths.map((path) => [path, record(path)])), ...more }
  const certificate = await makeCertificate()
  const certificates = changeable(certificate)
  const { url, server } = await startServer(t, { handlers, certificates })
  return {
    url,
    certificate,
    serve: certificates.change,
    stop: () => server.stop(),
    take: () => {
      const taken = [...new Set(seen)].sort()
      seen = []
      return taken
    },
  }
}

/** An API server's admin, closed with the test. */
export function adminOf(t: Test, { kubeconfig }: ControlPlane): Admin {
  const admin = openAdmin(kubeconfig)
  t.teardown(() => admin.close())
  return admin
}

/** A namespace in which pods can be made. */
export async function makeNamespace(admin: Admin, name: string, labels = {}): Promise<void> {
  await admin.call('POST', '/api/v1/namespaces', { metadata: { name, labels } })
  await waitFor(
    async () => {
      const path = `/api/v1/namespaces/${name}/serviceaccounts`
      const { status } = await admin.call('POST', path, { metadata: { name: 'default' } })
      return status === 201 || status === 409
    },
    { what: `namespace ${name} takes a service account` },
  )
}

export const CONTAINERS = [{ name: 'app', image: 'registry.example.com/acme/web:v1' }]

/** A dry run of a pod, which leaves nothing behind. */
export function tryPod(admin: Admin, namespace: string): Promise<Answer> {
  return admin.call('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, {
    metadata: { name: 'try' },
    spec: { containers: CONTAINERS },
  })
}
