import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { createAuthority } from '../cluster/authority.ts'
import { waitFor } from '../cluster/control-plane.ts'
import { call } from '../server/fixture.ts'
import { type Installation, NAME, NAMESPACE, startInstallation } from './installation.ts'
import { webPolicy } from './world.ts'

const skip = skipWithoutControlPlane()
/** Only root may listen on the port that the chart's Service has. */
const PORT = process.getuid?.() === 0 ? 443 : 8443
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments?dryRun=All'

/** What docs/webhook.md tells an administrator to give the API server. */
function admissionConfiguration(kubeConfigFile: string): string {
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'WebhookAdmissionConfiguration',
    kubeConfigFile,
  }
  const names = ['MutatingAdmissionWebhook', 'ValidatingAdmissionWebhook']
  return JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AdmissionConfiguration',
    plugins: names.map((name) => ({ name, configuration })),
  })
}

/** Passes on what the API server sends to the Service, as kube-proxy would. */
async function startService(t: Tap, { kubectl, balancer }: Installation): Promise<void> {
  const own = `service ${NAME} -n ${NAMESPACE}`
  const port = `[{"op":"replace","path":"/spec/ports/0/port","value":${PORT}}]`
  await kubectl(`patch ${own} --type=json -p ${port}`)
  const address = await kubectl(`get ${own} -o jsonpath={.spec.clusterIP}`)
  const service = createServer((client) => {
    const upstream = connect(Number(new URL(balancer.url).port), '127.0.0.1')
    client.pipe(upstream).pipe(client)
    for (const each of [client, upstream]) {
      each.on('error', () => {}).on('close', () => [client, upstream].map((end) => end.destroy()))
    }
  })
  await new Promise<void>((resolve) => service.listen(PORT, address, resolve))
  t.teardown(() => service.close())
}

type Tap = Pick<typeof t, 'teardown'>

t.test('only the API server is answered reviews', { skip }, async (t) => {
  // tap takes a folder away after all teardowns, when nobody writes there, if one comes before it
  t.teardown(() => {})
  const folder = t.testdir({ world: {} })
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const teardown = (end: () => unknown) => t.teardown(end)
  const owner = { testdir: () => join(folder, 'world'), teardown }
  const clients = createAuthority('webhook clients')
  const own = clients.issue('kube-apiserver-webhooks', { usage: 'clientAuth' })
  const user = {
    'client-certificate': file('api.crt', own.certificate),
    'client-key': file('api.key', own.key),
  }
  const kubeconfig = (users: object[]) =>
    file('webhooks.kubeconfig', JSON.stringify({ apiVersion: 'v1', kind: 'Config', users }))
  const host = `${NAME}.${NAMESPACE}.svc`
  const known = [{ name: PORT === 443 ? host : `${host}:${PORT}`, user }]
  const trusted = file('clients.crt', clients.certificate)
  const world = await startInstallation(owner, {
    replicas: 0,
    flags: [
      '--service-cluster-ip-range=127.1.0.0/24',
      `--admission-control-config-file=${file('admission.yaml', admissionConfiguration(kubeconfig(known)))}`,
    ],
    env: {
      TAGWARDEN_CLUSTER_WEBHOOKS_URL: undefined,
      TAGWARDEN_CLUSTER_WEBHOOKS_PORT: String(PORT),
      TAGWARDEN_CLIENTS_CERTIFICATE_AUTHORITY: trusted,
      TAGWARDEN_CLIENTS_NAMES: 'kube-apiserver-webhooks',
    },
  })
  const { admin, kubectl, image, pinned, cluster } = world
  await startService(t, world)
  const replicas = await Promise.all([world.start('replica-1'), world.start('replica-2')])
  await kubectl('apply -f -', webPolicy(image('acme/web'), 'onUnavailable: Deny'))
  const closed = `get validatingwebhookconfiguration ${NAME} -o jsonpath={.webhooks[*].failurePolicy}`
  await waitFor(async () => /Fail.*Fail/.test(await kubectl(closed, undefined).catch(() => '')), {
    what: 'the namespace is closed',
  })
  const review = async (tag: string): Promise<string> => {
    const spec = {
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' } },
        spec: { containers: [{ name: 'app', image: `${image('acme/web')}:${tag}` }] },
      },
    }
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec }
    const answer = await admin.call('POST', DEPLOYMENTS, body)
    return `${answer.status} ${JSON.stringify(answer.body)}`
  }
  const resolves = async () =>
    (await review('v1.3.0')).includes(`"image":"${pinned('acme/web', 'v1.4.2')}"`)

  await t.test('the API server is, with its certificate', async (t) => {
    await waitFor(resolves, { what: 'the API server calls Tagwarden' })
    t.match(await review('latest'), /^403 .*denied the request: .*\[LatestTag\]/)
    await waitFor(async () => replicas.some((each) => each.output().includes('calls Tagwarden')), {
      what: 'the probe passes',
    })
    const shown = await Promise.all(
      replicas.map(({ url }) => call(`${url}/metrics`, { method: 'GET' })),
    )
    const end = /_expiry_timestamp_seconds\{certificate="client"\} \d{10}/
    t.ok(
      shown.some(({ body }) => end.test(body)),
      'when its certificate ends is known',
    )
  })

  await t.test('a pod is not, whatever it posts and shows', async (t) => {
    const stranger = createAuthority('webhook clients').issue('kube-apiserver-webhooks', {})
    const neighbour = clients.issue('another-webhook', {})
    const rows: [client: { certificate: string; key: string } | undefined, status: number][] = [
      [undefined, 401],
      [stranger, 401],
      [neighbour, 403],
    ]
    for (const { url, output } of replicas) {
      for (const [client, status] of rows) {
        const shown = client && { cert: client.certificate, key: client.key }
        for (const path of ['mutate', 'validate', 'policies', 'probe-mutate', 'probe-validate']) {
          const answer = await call(`${url}/${path}?timeout=10s`, { ...shown })
          t.equal(answer.status, status, path)
          t.match(answer.body, /"kind":"Status".*client/)
        }
      }
      for (const path of ['healthz', 'readyz', 'metrics']) {
        t.match(await call(`${url}/${path}`, { method: 'GET' }), { status: 200 }, path)
      }
      const { body } = await call(`${url}/metrics`, { method: 'GET' })
      t.match(body, 'tagwarden_client_problems_total{reason="none"} 5')
      t.match(output(), /a review was refused: the client shows no certificate/)
    }
  })

  await t.test(
    'nothing is refused while the CA is renewed, and the wrong CA is told',
    async (t) => {
      const next = createAuthority('next webhook clients').certificate
      let wrong = ''
      let done = 0
      let stopped = false
      const load = (async () => {
        for (; !stopped; done += 1) if (!(await resolves())) wrong ||= await review('v1.3.0')
      })()
      const taken = async (times: number) => {
        const told = ({ output }: (typeof replicas)[number]) =>
          output().split('another CA of clients is in use').length > times
        await waitFor(() => replicas.every(told), {
          what: `CA ${times} is in use`,
        })
      }
      file('clients.crt', next + clients.certificate)
      await taken(1)
      file('clients.crt', 'no certificate')
      await waitFor(() => replicas.every(({ output }) => output().includes('no PEM certificate')), {
        what: 'a broken file is told',
      })
      file('clients.crt', clients.certificate)
      await taken(2)
      await waitFor(() => done > 20, { what: 'there were reviews' })
      stopped = true
      await load
      t.equal(wrong, '')

      file('clients.crt', next)
      await taken(3)
      await waitFor(async () => (await review('v1.3.0')).includes('does not count'), {
        what: 'the API server is refused, as its CA is gone',
      })
      t.match(await review('v1.3.0'), /failed calling webhook .* --admission-control-config-file/)
      file('clients.crt', clients.certificate)
      await taken(4)
      t.ok(await resolves(), 'and answered again at once, once the CA is back')
    },
  )

  await t.test('an API server without a certificate learns what it lacks', async (t) => {
    await cluster.restartApiServer(() => kubeconfig([]))
    await waitFor(async () => (await review('v1.3.0')).includes('shows no certificate'), {
      what: 'the review is refused',
    })
    const text = await review('v1.3.0')
    t.match(text, /^5\d\d .*failed calling webhook .*the API server gets its certificate by/)
    t.comment(text)
  })
})
