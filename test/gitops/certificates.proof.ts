import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { start, waitFor } from '../cluster/child.ts'
import { NAME, NAMESPACE, startInstallation } from '../e2e/installation.ts'
import { webPolicy } from '../e2e/world.ts'
import { ownFolder } from './own_folder.ts'

const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments?dryRun=All'

t.test('with certificates of cert-manager', { timeout: 600_000 }, async (t) => {
  const programs = process.env['TAGWARDEN_CERT_MANAGER']
  if (programs === undefined) throw new Error('run it by scripts/gitops-proof.sh')
  const folder = ownFolder(t)
  const world = await startInstallation(t, {
    nodes: true,
    replicas: 0,
    // So the API server calls the Service as it would in a real cluster.
    flags: ['--service-cluster-ip-range=127.1.0.0/24'],
    values: ['certificates.source=CertManager'],
    env: { TAGWARDEN_CERTIFICATES_PATH: folder, TAGWARDEN_CLUSTER_WEBHOOKS_URL: undefined },
    prepare: async ({ kubectl, kubeconfig }) => {
      await kubectl(['apply', '--server-side', '-f', join(programs, 'crds.yaml')])
      await kubectl(['wait', '--for=condition=Established', '--timeout=30s', 'crd', '--all'])
      const path = join(programs, 'cert-manager')
      const running = start('cert-manager', '/usr/bin/env', [`KUBECONFIG=${kubeconfig}`, path])
      t.teardown(() => running.stop())
    },
  })
  const { kubectl, balancer, admin, image, pinned } = world
  const address = await kubectl(`get service ${NAME} -n ${NAMESPACE} -o jsonpath={.spec.clusterIP}`)
  const service = createServer((client) => {
    const upstream = connect(Number(new URL(balancer.url).port), '127.0.0.1')
    client.pipe(upstream).pipe(client)
    for (const each of [client, upstream]) {
      each.on('error', () => {}).on('close', () => [client, upstream].map((end) => end.destroy()))
    }
  })
  await new Promise<void>((resolve) => service.listen(443, address, resolve))
  t.teardown(() => service.close())

  /** What a kubelet does with a Secret that is mounted. */
  let version = ''
  const mount = async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}/secrets/tagwarden-tls`
    const { status, body } = await admin.call('GET', path)
    const { resourceVersion } = (body['metadata'] ?? {}) as { resourceVersion?: string }
    if (status !== 200 || resourceVersion === undefined || resourceVersion === version) return
    const own = `..${resourceVersion}`
    mkdirSync(join(folder, own))
    for (const [name, text] of Object.entries(body['data'] as Record<string, string>)) {
      writeFileSync(join(folder, own, name), Buffer.from(text, 'base64'))
      if (!existsSync(join(folder, name))) symlinkSync(join('..data', name), join(folder, name))
    }
    symlinkSync(own, join(folder, '..tmp'))
    renameSync(join(folder, '..tmp'), join(folder, '..data'))
    version = resourceVersion
  }
  await waitFor(
    async () => {
      await mount()
      return version !== ''
    },
    { timeout: 60_000, what: 'cert-manager gives a certificate' },
  )
  const mounting = setInterval(() => void mount(), 500)
  t.teardown(() => clearInterval(mounting))
  await Promise.all([world.start('replica-1'), world.start('replica-2')])
  await kubectl('apply -f -', webPolicy(image('acme/web'), 'onUnavailable: Deny'))

  const spec = {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'app', image: `${image('acme/web')}:v1.3.0` }] },
    },
  }
  const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec }
  const review = async () => JSON.stringify((await admin.call('POST', DEPLOYMENTS, body)).body)
  const resolved = `"image":"${pinned('acme/web', 'v1.4.2')}"`
  await waitFor(async () => (await review()).includes(resolved), {
    timeout: 60_000,
    what: 'the API server calls Tagwarden and trusts it',
  })
  const closed = `get validatingwebhookconfiguration ${NAME} -o jsonpath={.webhooks[*].failurePolicy}`
  await waitFor(async () => /Fail.*Fail/.test(await kubectl(closed)), {
    timeout: 30_000,
    what: 'the namespace is closed',
  })

  const serial = () =>
    kubectl(`get certificate ${NAME} -n ${NAMESPACE} -o jsonpath={.status.revision}`)
  /** As `cmctl renew` does. */
  const renew = (name: string) => {
    const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: '' }
    const value = { ...asked, lastTransitionTime: new Date().toISOString().replace(/\.\d+/, '') }
    const path = `/apis/cert-manager.io/v1/namespaces/${NAMESPACE}/certificates/${name}/status`
    const patch = [{ op: 'add', path: '/status/conditions/-', value }]
    return admin.call('PATCH', path, patch, 'application/json-patch+json')
  }
  for (const names of [[NAME], [`${NAME}-ca`, NAME]]) {
    const failed = new Set<string>()
    let reviews = 0
    let going = true
    const lane = async () => {
      while (going) {
        const answer = await review()
        if (!answer.includes(resolved)) failed.add(answer.slice(0, 300))
        reviews += 1
      }
    }
    const lanes = [lane(), lane()]
    for (const name of names) {
      const before = name === NAME ? await serial() : ''
      t.match(await renew(name), { status: 200 })
      const renewed = async () => name !== NAME || (await serial()) !== before
      await waitFor(renewed, { timeout: 30_000, what: `${name} is renewed` })
      await delay(5_000)
    }
    going = false
    await Promise.all(lanes)
    t.strictSame([...failed], [], `${reviews} reviews while ${names.join(' and ')} were renewed`)
  }
})
