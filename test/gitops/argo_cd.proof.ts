import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { CHART } from '../chart/helm.ts'
import { waitFor } from '../cluster/child.ts'
import { NAMESPACE, startInstallation } from '../e2e/installation.ts'
import { deployment, GENERATION, IMAGE, webPolicy } from '../e2e/world.ts'
import { type Application, startArgoCd } from './argo_cd.ts'

const COMPARE = 'argocd.argoproj.io/compare-options'
const DEPLOY = { path: 'deploy' }
const automated = { selfHeal: true, prune: true }
const serverSide = { automated, syncOptions: ['ServerSideApply=true'] }

/** Applications with what docs/gitops.md tells to set, and without. */
const ROWS: readonly (readonly [name: string, parts: Application, sync: string])[] = [
  ['plain', { source: DEPLOY, syncPolicy: { automated: { prune: true } } }, 'OutOfSync'],
  [
    'server-side',
    {
      source: DEPLOY,
      annotations: { [COMPARE]: 'ServerSideDiff=true,IncludeMutationWebhook=true' },
      syncPolicy: serverSide,
    },
    'Synced',
  ],
  [
    'client-side',
    {
      source: DEPLOY,
      annotations: { [COMPARE]: 'ServerSideDiff=true,IncludeMutationWebhook=true' },
      syncPolicy: { automated },
    },
    'Synced',
  ],
  [
    'ignored',
    {
      source: DEPLOY,
      syncPolicy: { automated },
      ignoreDifferences: [
        {
          group: 'apps',
          kind: 'Deployment',
          jqPathExpressions: ['.spec.template.spec.containers[].image'],
        },
      ],
    },
    'Synced',
  ],
]

t.test('what Argo CD shows as drift', { timeout: 600_000 }, async (t) => {
  const programs = process.env['TAGWARDEN_ARGO_CD']
  if (programs === undefined) throw new Error('run it by scripts/gitops-proof.sh')
  const world = await startInstallation(t, { nodes: true, replicas: 1 })
  const { kubectl, image, pinned, registry } = world
  const argo = await startArgoCd(t, world, programs)
  const web = image('acme/web')
  mkdirSync(join(argo.repository, 'deploy'))
  const write = (tag: string) => {
    const text = deployment('web', `${web}:${tag}`, { replicas: 1 })
    writeFileSync(join(argo.repository, 'deploy/web.yaml'), text)
    return argo.commit()
  }
  const get = (namespace: string, field: string) =>
    kubectl(`get deployment web -n ${namespace} -o jsonpath=${field}`)
  const eventually = (what: string, check: () => Promise<boolean>) =>
    waitFor(check, { timeout: 60_000, what })
  await write('v1.3.0')
  for (const [name] of ROWS) {
    await kubectl(`create namespace ${name}`)
    await kubectl('apply -f -', webPolicy(web, 'action: Track', name))
  }
  await delay(2_000)

  await t.test('after a sync', async (t) => {
    for (const [name, parts, sync] of ROWS) {
      await argo.application(name, parts)
      await eventually(`${name} is synced`, async () => {
        const { code } = await world.cluster.kubectl(['get', 'deployment', 'web', '-n', name])
        return code === 0
      })
      t.match(await argo.refresh(name), { sync }, name)
      t.equal(await get(name, IMAGE), pinned('acme/web', 'v1.4.2'))
      t.equal(await get(name, GENERATION), '1')
    }
  })

  await t.test('after a promotion, which nothing reverts', async (t) => {
    for (const [name] of ROWS) {
      const promoted = 'action: Track\n  promote: Continuously'
      await kubectl('apply -f -', webPolicy(web, promoted, name))
    }
    registry.push('acme/web', 'v1.4.3')
    await kubectl('annotate imagerepositories.tagwarden.io -A --all tagwarden.io/scan=now')
    for (const [name, , sync] of ROWS) {
      await eventually(`${name} is moved`, async () => (await get(name, IMAGE)).includes('v1.4.3@'))
      t.match(await argo.refresh(name), { sync }, name)
    }
    // The time in which self-healing would have come, twice.
    await delay(10_000)
    for (const [name, , sync] of ROWS) {
      t.match(await argo.refresh(name), { sync }, name)
      t.equal(await get(name, IMAGE), pinned('acme/web', 'v1.4.3'))
      t.equal(await get(name, GENERATION), '2')
    }
  })

  await t.test('another tag in Git arrives, except where differences are ignored', async (t) => {
    await write('v1.4.1')
    const requested = '{.metadata.annotations.tagwarden\\.io/images}'
    for (const name of ['server-side', 'client-side']) {
      await argo.refresh(name)
      await eventually(`${name} is synced`, async () =>
        (await get(name, requested)).includes(`"requested":"${web}:v1.4.1"`),
      )
      t.match(await argo.refresh(name), { sync: 'Synced' }, name)
    }
    t.match(await argo.refresh('ignored'), { sync: 'Synced' })
    t.match(await get('ignored', requested), `"requested":"${web}:v1.3.0"`)
  })

  await t.test('the chart itself, while a replica runs', async (t) => {
    cpSync(CHART, join(argo.repository, 'chart'), { recursive: true })
    await argo.commit()
    await argo.application('tagwarden', {
      source: { path: 'chart' },
      namespace: NAMESPACE,
      syncPolicy: { automated },
    })
    await eventually(
      'it is synced',
      async () => (await argo.refresh('tagwarden')).sync === 'Synced',
    )
    await delay(10_000)
    t.strictSame(await argo.refresh('tagwarden'), { sync: 'Synced', different: [] })
  })
})
