import t from 'tap'
import { createReviewSource } from '../../src/credentials/index.ts'
import type { FactNeed, FactSource } from '../../src/decisions/index.ts'
import type { RegistryAccess } from '../../src/registry/index.ts'
import { createFakeCluster } from '../fakes/cluster.ts'
import { snapshot } from '../fakes/facts.ts'
import { loginOf, setStage, WEB } from './stage.ts'

const POD = { group: '', kind: 'Pod' }
const NEED: FactNeed = { fact: 'repository', name: WEB }

/** A scanner that says by which access it was asked. */
function scannerOf() {
  const asked: (string | undefined)[] = []
  const base: FactSource = {
    snapshot: () => undefined,
    gather: async () => {
      asked.push('installation')
      return undefined
    },
  }
  const view = (accessOf: (name: string) => RegistryAccess | undefined): FactSource => ({
    snapshot: (name) =>
      accessOf(name)?.id === 'shop/known' ? snapshot(name, { v1: {} }) : undefined,
    gather: async ({ name }) => {
      asked.push(loginOf(accessOf(name)))
      return undefined
    },
  })
  return { ...base, view, asked }
}

t.test('without anything to read, a review asks the scanner itself', async (t) => {
  const stage = setStage()
  await stage.settle()
  const scanner = scannerOf()
  const source = createReviewSource(stage.secrets, scanner)
  t.equal(source({ kind: POD, namespace: 'shop', object: {} }), scanner)
  await stage.secrets.close()
})

t.test('a workload is asked for by its own pull secrets and service account', async (t) => {
  const stage = setStage()
  stage.namespace('shop')
  for (const name of ['own', 'account', 'default']) {
    stage.pullSecret('shop', name, { 'ghcr.io': `${name}:p` })
  }
  stage.account('shop', 'default', ['default'])
  stage.account('shop', 'builder', ['account'])
  await stage.settle()
  const scanner = scannerOf()
  const source = createReviewSource(stage.secrets, scanner)
  const ask = async (kind: { group: string; kind: string }, object: unknown) => {
    await source({ kind, namespace: 'shop', object }).gather(NEED, AbortSignal.timeout(1000))
    return scanner.asked.pop()
  }
  const spec = { serviceAccountName: 'builder', imagePullSecrets: [{ name: 'own' }] }
  const template = { spec }
  const own = 'shop/own own'
  t.equal(await ask(POD, { spec }), own)
  t.equal(await ask({ group: 'apps', kind: 'Deployment' }, { spec: { template } }), own)
  const cron = { spec: { jobTemplate: { spec: { template } } } }
  t.equal(await ask({ group: 'batch', kind: 'CronJob' }, cron), own)
  t.equal(await ask({ group: '', kind: 'PodTemplate' }, { template }), own)
  t.equal(await ask({ group: 'argoproj.io', kind: 'Rollout' }, { spec: { template } }), undefined)
  t.equal(await ask(POD, { spec: { serviceAccount: 'builder' } }), 'shop/account account')
  for (const object of [
    undefined,
    null,
    1,
    {},
    { spec: null },
    { spec: { imagePullSecrets: {} } },
  ]) {
    t.equal(await ask(POD, object), 'shop/default default')
  }
  const hostile = [
    null,
    1,
    { name: 1 },
    { name: '' },
    { __proto__: { name: 'own' } },
    { name: 'own' },
  ]
  t.equal(await ask(POD, { spec: { imagePullSecrets: hostile } }), own)
  const late = [...Array.from({ length: 100 }, () => ({ name: 'x' })), { name: 'own' }]
  t.equal(await ask(POD, { spec: { imagePullSecrets: late } }), 'shop/default default')
  await stage.secrets.close()
})

t.test('a review waits for the Secrets of its namespace, within its time', async (t) => {
  const cluster = createFakeCluster({ namespace: 'tagwarden' })
  cluster.available = false
  const stage = setStage({}, cluster)
  const scanner = scannerOf()
  const source = createReviewSource(stage.secrets, scanner)
  const shop = source({
    kind: POD,
    namespace: 'shop',
    object: { spec: { imagePullSecrets: [{ name: 'regcred' }, { name: 'known' }] } },
  })
  const impatient = new AbortController()
  const early = shop.gather(NEED, impatient.signal)
  t.equal(shop.snapshot(WEB), undefined)
  impatient.abort()
  await early
  scanner.asked.length = 0
  const waiting = shop.gather(NEED, AbortSignal.timeout(10_000))
  stage.namespace('shop')
  stage.pullSecret('shop', 'regcred', { 'ghcr.io': 'ann:p' })
  cluster.available = true
  await waiting
  t.strictSame(scanner.asked, ['shop/regcred ann'], 'never as the installation')
  await stage.secrets.close()
})

t.test('what was known all the time is not asked for again', async (t) => {
  const cluster = createFakeCluster({ namespace: 'tagwarden' })
  cluster.available = false
  const stage = setStage({}, cluster)
  stage.namespace('shop')
  stage.pullSecret('shop', 'known', { 'ghcr.io': 'ann:p' })
  const scanner = scannerOf()
  const source = createReviewSource(stage.secrets, scanner)
  const object = { spec: { imagePullSecrets: [{ name: 'known' }] } }
  const shop = source({ kind: POD, namespace: 'shop', object })
  const waiting = shop.gather(NEED, AbortSignal.timeout(10_000))
  cluster.available = true
  await waiting
  t.strictSame(scanner.asked, [])
  t.strictSame(shop.snapshot(WEB)?.tags, ['v1'])
  await stage.secrets.close()
})

t.test('where the registry refuses one pull secret, it is asked with the next', async (t) => {
  const stage = setStage()
  stage.namespace('shop')
  for (const name of ['old', 'other', 'good', 'spare']) {
    stage.pullSecret('shop', name, { 'ghcr.io': `${name}:p` })
  }
  await stage.settle()
  const asked: (string | undefined)[] = []
  const answers: Record<string, string> = {
    'shop/old': 'ERR_REGISTRY_UNAUTHORIZED',
    'shop/other': 'ERR_REGISTRY_NOT_FOUND',
  }
  let down = false
  const scanner = {
    ...scannerOf(),
    view: (accessOf: (name: string) => RegistryAccess | undefined): FactSource => ({
      snapshot: () => undefined,
      gather: async ({ name }) => {
        const id = accessOf(name)?.id ?? ''
        asked.push(id)
        const code = down ? 'ERR_REGISTRY_UNREACHABLE' : answers[id]
        return code === undefined ? undefined : { code: code as never, message: 'no', at: 0 }
      },
    }),
  }
  const spec = { imagePullSecrets: ['old', 'other', 'good', 'spare'].map((name) => ({ name })) }
  const source = createReviewSource(
    stage.secrets,
    scanner,
  )({
    ...{ kind: POD, namespace: 'shop', object: { spec } },
  })
  const gather = (need: FactNeed = NEED) => source.gather(need, AbortSignal.timeout(1_000))
  t.equal(await gather(), undefined)
  t.strictSame(asked.splice(0), ['shop/old', 'shop/other', 'shop/good'])
  await gather()
  t.strictSame(asked.splice(0), ['shop/good'], 'it is remembered')
  down = true
  t.match(await gather(), { code: 'ERR_REGISTRY_UNREACHABLE' })
  t.strictSame(asked.splice(0), ['shop/good'], 'which says nothing of the Secret')
  down = false
  for (const id of ['shop/good', 'shop/spare']) answers[id] = 'ERR_REGISTRY_UNAUTHORIZED'
  t.match(await gather(), { code: 'ERR_REGISTRY_UNAUTHORIZED' })
  t.strictSame(asked.splice(0), ['shop/good', 'shop/spare', 'shop/old'], 'each once')
  answers['shop/old'] = 'ERR_REGISTRY_NOT_FOUND'
  t.match(await gather({ fact: 'manifest', name: WEB, tag: 'v9', platforms: false }), {
    code: 'ERR_REGISTRY_NOT_FOUND',
  })
  t.strictSame(asked.splice(0), ['shop/old'], 'a tag that is not there is no refusal')
  await stage.secrets.close()
})
