import t from 'tap'
import { SECRETS, SERVICE_ACCOUNTS } from '../../src/cluster/index.ts'
import { loginOf, setStage, WEB, workload } from './stage.ts'

t.test('the four sources count in their order', async (t) => {
  const ids = new Map([['shop ghcr.io/acme/web', 'shop/repository']])
  const stage = setStage({
    settings: { namespaces: [], secrets: [], installation: ['central'] },
    imageRepository: (namespace, name) => ids.get(`${namespace} ${name}`),
  })
  const { secrets } = stage
  stage.namespace('shop')
  for (const name of ['own', 'second', 'account', 'repository']) {
    stage.pullSecret('shop', name, { 'ghcr.io': `${name}:p` })
  }
  stage.pullSecret('shop', 'elsewhere', { 'quay.io': 'elsewhere:p' })
  stage.pullSecret('tagwarden', 'central', { 'ghcr.io': 'central:p' })
  stage.account('shop', 'default', ['elsewhere', 'account'])
  stage.account('shop', 'builder', ['second'])
  await stage.settle()
  const found = (names: string[], account?: string) =>
    loginOf(secrets.accessFor(workload(names, account), WEB))
  t.equal(found(['own', 'second']), 'shop/own own')
  t.equal(found(['second', 'own']), 'shop/second second')
  t.equal(found(['missing', 'elsewhere', 'own']), 'shop/own own', 'without an entry: the next')
  t.equal(found(['elsewhere']), 'shop/account account')
  t.equal(found([]), 'shop/account account')
  t.equal(found([], 'builder'), 'shop/second second')
  t.equal(found([], 'other'), 'shop/repository repository')
  const custom = { namespace: 'shop', serviceAccountName: undefined, imagePullSecrets: [] }
  t.equal(loginOf(secrets.accessFor(custom, WEB)), 'shop/repository repository')
  ids.set('shop ghcr.io/acme/web', 'shop/elsewhere')
  t.equal(found([], 'other'), undefined, 'an ImageRepository whose Secret has no entry')
  ids.clear()
  t.equal(found([], 'other'), undefined, 'the installation')
  t.match(secrets.installation('ghcr.io', 'acme/web'), { username: 'central' })
  t.equal(secrets.installation('quay.io', 'acme/web'), undefined)
  t.equal(loginOf(secrets.accessFor({ ...workload(['own']), namespace: 'bank' }, WEB)), undefined)
  await secrets.close()
})

t.test('a pull secret that the registry has refused comes after the others', async (t) => {
  const stage = setStage()
  const { secrets } = stage
  stage.namespace('shop')
  for (const name of ['own', 'account']) {
    stage.pullSecret('shop', name, { 'ghcr.io': `${name}:p`, 'quay.io': `${name}:p` })
  }
  stage.account('shop', 'default', ['account'])
  await stage.settle()
  const found = (name = WEB) => loginOf(secrets.accessFor(workload(['own']), name), name)
  t.equal(found(), 'shop/own own')
  secrets.noteRefused('shop/own', WEB)
  t.equal(found(), 'shop/account account')
  t.equal(found('quay.io/acme/web'), 'shop/own own', 'of another repository nothing was said')
  t.equal(found('ghcr.io/acme/web2'), 'shop/own own')
  secrets.noteRefused('shop/account', WEB)
  t.equal(found(), 'shop/own own', 'where all are refused, the first')
  stage.pullSecret('shop', 'own', { 'ghcr.io': 'new:p' })
  await stage.settle()
  t.equal(found(), 'shop/own new', 'a Secret that has changed is another one')
  await secrets.close()
})

t.test('only namespaces that opt in are read, and no longer than they do', async (t) => {
  const stage = setStage({ settings: { namespaces: ['fixed'], secrets: [], installation: [] } })
  const { secrets, changes, cluster } = stage
  for (const namespace of ['shop', 'bank', 'fixed']) {
    stage.namespace(namespace, namespace === 'shop')
    stage.pullSecret(namespace, 'regcred', { 'ghcr.io': `${namespace}:p` })
  }
  await stage.settle()
  const found = (namespace: string) =>
    loginOf(secrets.accessFor({ ...workload(['regcred']), namespace }, WEB))
  t.equal(found('shop'), 'shop/regcred shop')
  t.equal(found('fixed'), 'fixed/regcred fixed')
  t.equal(found('bank'), undefined)
  t.strictSame([...changes].sort(), ['fixed/regcred', 'shop/regcred'])
  const asked = cluster.calls.filter(({ resource }) => resource !== 'namespaces')
  const elsewhere = asked.filter(({ key }) => !['shop', 'fixed'].includes(key))
  t.strictSame(elsewhere, [], 'nothing else is even asked for')
  changes.length = 0
  stage.namespace('shop', false)
  stage.namespace('bank')
  await stage.settle()
  t.equal(found('shop'), undefined)
  t.equal(secrets.access('shop/regcred'), undefined)
  t.equal(found('bank'), 'bank/regcred bank')
  t.strictSame(changes, ['shop/regcred', 'bank/regcred'])
  cluster.drop(SECRETS, { namespace: 'bank', name: 'regcred' })
  await stage.settle()
  t.equal(found('bank'), undefined)
  await secrets.close()
})

t.test('single Secrets are read by name, and nothing beside them', async (t) => {
  const stage = setStage({
    settings: { namespaces: [], secrets: ['shop/regcred'], installation: [] },
  })
  const { secrets, cluster } = stage
  stage.pullSecret('shop', 'regcred', { 'ghcr.io': 'named:p' })
  stage.pullSecret('shop', 'other', { 'ghcr.io': 'other:p' })
  stage.account('shop', 'default', ['regcred'])
  await stage.settle()
  t.equal(loginOf(secrets.accessFor(workload(['other', 'regcred']), WEB)), 'shop/regcred named')
  t.equal(loginOf(secrets.accessFor(workload(), WEB)), undefined, 'service accounts are not read')
  t.notOk(cluster.calls.some(({ resource }) => resource === 'serviceaccounts'))
  await secrets.close()
})

t.test('a rotated Secret is another access', async (t) => {
  const stage = setStage()
  const { secrets, changes } = stage
  stage.namespace('shop')
  stage.pullSecret('shop', 'regcred', { 'ghcr.io': 'ann:old' })
  await stage.settle()
  const before = secrets.access('shop/regcred')
  t.equal(secrets.access('shop/regcred'), before)
  changes.length = 0
  stage.pullSecret('shop', 'regcred', { 'ghcr.io': 'ann:new' })
  await stage.settle()
  const after = secrets.access('shop/regcred')
  t.not(after?.version, before?.version)
  t.match(after?.credential?.('ghcr.io', 'acme/web'), { password: 'new' })
  t.strictSame(changes, ['shop/regcred'])
  stage.pullSecret('shop', 'regcred', { 'quay.io': 'ann:new' })
  await stage.settle()
  t.equal(secrets.accessFor(workload(['regcred']), WEB), undefined, 'the entry is gone')
  await secrets.close()
})

t.test('the installation’s own Secrets may change while they are in use', async (t) => {
  const stage = setStage({ settings: { namespaces: [], secrets: [], installation: ['a', 'b'] } })
  const { secrets, changes } = stage
  stage.pullSecret('tagwarden', 'b', { 'ghcr.io': 'b:p' })
  await stage.settle()
  t.match(secrets.installation('ghcr.io', 'acme/web'), { username: 'b' })
  stage.pullSecret('tagwarden', 'a', { 'ghcr.io': 'a:p' })
  await stage.settle()
  t.match(secrets.installation('ghcr.io', 'acme/web'), { username: 'a' })
  t.equal(changes.filter((id) => id === undefined).length, 2)
  await secrets.close()
})

t.test('a service account may be given other Secrets, or none, while it is in use', async (t) => {
  const stage = setStage()
  const { secrets, cluster } = stage
  stage.namespace('shop')
  stage.pullSecret('shop', 'one', { 'ghcr.io': 'one:p' })
  stage.pullSecret('shop', 'two', { 'ghcr.io': 'two:p' })
  const found = async () => {
    await stage.settle()
    return loginOf(secrets.accessFor(workload(), WEB))
  }
  stage.account('shop', 'default', ['one'])
  t.equal(await found(), 'shop/one one')
  stage.account('shop', 'default', ['two'])
  t.equal(await found(), 'shop/two two')
  stage.account('shop', 'default', [])
  t.equal(await found(), undefined)
  stage.account('shop', 'default', ['one'])
  t.equal(await found(), 'shop/one one')
  cluster.drop(SERVICE_ACCOUNTS, { namespace: 'shop', name: 'default' })
  t.equal(await found(), undefined)
  await secrets.close()
})

t.test('what may not be read is told once, and counts as if it were not there', async (t) => {
  const stage = setStage()
  const { secrets, cluster, log } = stage
  const end = cluster.refuse('watch', SECRETS, 'Forbidden')
  stage.namespace('shop')
  stage.pullSecret('shop', 'regcred', { 'ghcr.io': 'ann:p' })
  await stage.settle()
  t.equal(secrets.isReady('shop'), true, 'no review waits for what will not come')
  await secrets.ready('shop')
  await secrets.synced
  t.equal(secrets.accessFor(workload(['regcred']), WEB), undefined)
  t.match(log, [
    /the pull secrets of shop cannot be read: the API server forbids it\. Grant .*tenancy/,
  ])
  end()
  cluster.available = false
  cluster.available = true
  await stage.settle()
  t.equal(loginOf(secrets.accessFor(workload(['regcred']), WEB)), 'shop/regcred ann')
  await secrets.close()
})

t.test('until the first list is there, nobody is told that there is nothing', async (t) => {
  const stage = setStage()
  const { secrets, cluster } = stage
  t.equal(secrets.isReady('shop'), false)
  t.equal(secrets.reads('shop'), true)
  await stage.settle()
  t.equal(secrets.isReady('shop'), true)
  t.equal(secrets.reads('shop'), false)
  stage.namespace('shop')
  stage.pullSecret('shop', 'regcred', { 'ghcr.io': 'ann:p' })
  cluster.available = false
  const other = setStage({}, cluster)
  await stage.settle()
  t.equal(other.secrets.isReady('shop'), false)
  const ready = other.secrets.ready('shop')
  cluster.available = true
  await ready
  t.equal(other.secrets.isReady('shop'), true)
  t.equal(loginOf(other.secrets.accessFor(workload(['regcred']), WEB)), 'shop/regcred ann')
  await other.secrets.close()
  await secrets.close()
})

t.test('closing lets go of all who wait', async (t) => {
  const stage = setStage({ settings: { namespaces: ['shop'], secrets: [], installation: [] } })
  stage.cluster.available = false
  const ready = stage.secrets.ready('shop')
  await stage.secrets.close()
  await ready
  t.equal(stage.secrets.access('shop/regcred'), undefined)
})

t.test('a hostile name finds nothing', async (t) => {
  const stage = setStage()
  const { secrets } = stage
  stage.namespace('shop')
  stage.pullSecret('shop', 'regcred', { 'ghcr.io': 'ann:p' })
  stage.pullSecret('bank', 'regcred', { 'ghcr.io': 'bob:p' })
  await stage.settle()
  const names = ['', '__proto__', 'constructor', '../bank/regcred', 'regcred ', 'x,insecure', '\0']
  for (const name of [...names, 'x'.repeat(300)]) {
    t.equal(secrets.accessFor(workload([name]), WEB), undefined, name)
    t.equal(secrets.accessFor(workload([], name), WEB), undefined, name)
    t.equal(secrets.access(`shop/${name}`), undefined, name)
    t.equal(secrets.accessFor({ ...workload(['regcred']), namespace: name }, WEB), undefined, name)
    t.equal(secrets.accessFor(workload(['regcred']), name), undefined, name)
    const reading = secrets.repositoryAccess('shop', { name: WEB, secretRef: { name } })
    t.ok(reading.problem, name)
    t.equal(secrets.access(reading.id ?? ''), undefined, name)
    t.notMatch(reading.id ?? ' ', / /, 'and is never the key of anything else')
  }
  await secrets.close()
})
