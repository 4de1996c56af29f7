import t from 'tap'
import { openCluster } from '../../src/cluster/index.ts'
import { createPullSecrets } from '../../src/credentials/index.ts'
import { installWithoutPods } from '../chart/installation.ts'
import { CONTROL_PLANE, HELM, skipWithout } from '../cluster/assets.ts'
import { startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { loginOf, WEB, workload } from './stage.ts'

const skip = skipWithout([...CONTROL_PLANE, HELM])
const PULL_SECRETS = {
  installation: ['hub'],
  namespaces: ['shop'],
  secrets: ['billing/regcred'],
}

t.test("pull secrets on a real API server, with the chart's rights", { skip }, async (t) => {
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  const kubectl = async (args: string) => {
    const { code, stderr } = await plane.kubectl(args.split(' '))
    if (code !== 0) throw new Error(`kubectl ${args}: ${stderr}`)
  }
  const secret = (namespace: string, name: string, user = name) =>
    kubectl(
      `-n ${namespace} create secret docker-registry ${name} --docker-server=ghcr.io --docker-username=${user} --docker-password=hunter2`,
    )
  for (const namespace of ['shop', 'billing', 'lab']) {
    await kubectl(`create namespace ${namespace}`)
    await secret(namespace, 'regcred', `${namespace}-user`)
  }
  const { kubeconfig, namespace } = await installWithoutPods(plane, { pullSecrets: PULL_SECRETS })
  await secret(namespace, 'hub')
  await secret('billing', 'other')
  await secret('shop', 'account')
  await kubectl('-n shop create serviceaccount builder')
  const patch = '{"imagePullSecrets":[{"name":"account"}]}'
  await kubectl(`-n shop patch serviceaccount builder -p ${patch}`)

  const cluster = await openCluster({ kubeconfig, namespace })
  const log: string[] = []
  const note = (_: object, message: string) => log.push(message)
  const secrets = createPullSecrets({
    cluster,
    namespace,
    settings: PULL_SECRETS,
    log: { debug: note, info: note, warn: note },
  })
  t.teardown(async () => {
    await secrets.close()
    await cluster.close()
  })
  await secrets.synced
  const found = (of: string, names: string[], account?: string) =>
    loginOf(secrets.accessFor({ ...workload(names, account), namespace: of }, WEB))
  const until = (what: string, holds: () => boolean) => waitFor(holds, { what })

  t.equal(found('shop', ['regcred']), 'shop/regcred shop-user')
  t.equal(found('shop', [], 'builder'), 'shop/account account')
  t.equal(found('billing', ['other', 'regcred']), 'billing/regcred billing-user')
  t.equal(found('lab', ['regcred']), undefined)
  t.match(secrets.installation('ghcr.io', 'acme/web'), { username: 'hub' })
  t.strictSame(log, [], 'nothing that it asked for was refused')

  await t.test('a label without the right is told, and a right without a restart', async (t) => {
    await kubectl('label namespace lab tagwarden.io/pull-secrets=true')
    for (const what of ['pull secrets', 'service accounts']) {
      const refusal = `the ${what} of lab cannot be read`
      await until(`${refusal} is told`, () => log.some((line) => line.includes(refusal)))
    }
    t.match(log.join('\n'), /forbids it/)
    await until('what cannot be read is waited for no more', () => secrets.isReady('lab'))
    t.equal(found('lab', ['regcred']), undefined)
    await kubectl(
      `-n lab create rolebinding tagwarden --clusterrole=tagwarden-pull-secrets --serviceaccount=${namespace}:tagwarden`,
    )
    await until('it is read', () => found('lab', ['regcred']) === 'lab/regcred lab-user')
  })

  await t.test('a changed and a deleted Secret count at once', async (t) => {
    const changes: (string | undefined)[] = []
    secrets.onChange((id) => changes.push(id))
    const before = secrets.access('billing/regcred')?.version
    await kubectl('-n billing label secret regcred a=b')
    await until('the change is seen', () => secrets.access('billing/regcred')?.version !== before)
    await kubectl('-n billing delete secret regcred')
    await until('it is gone', () => found('billing', ['regcred']) === undefined)
    await kubectl('label namespace lab tagwarden.io/pull-secrets-')
    await until('lab is forgotten', () => found('lab', ['regcred']) === undefined)
    t.ok(changes.includes('billing/regcred'))
    t.ok(changes.includes('lab/regcred'))
  })

  await t.test('a Secret that an ImageRepository refers to is followed by its name', async (t) => {
    await kubectl(
      '-n shop create secret generic login --from-literal=username=ann --from-literal=password=p',
    )
    const reading = () =>
      secrets.repositoryAccess('shop', { name: WEB, secretRef: { name: 'login' } })
    t.match(reading().problem, /is not there/)
    secrets.refer('ImageRepository shop/web', 'shop', ['login'])
    await until('it is read', () => reading().problem === undefined)
    t.equal(loginOf(secrets.access('shop/login')), 'shop/login ann')
  })

  t.notMatch(log.join('\n'), /hunter2/)
})
