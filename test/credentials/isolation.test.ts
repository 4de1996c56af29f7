import fc from 'fast-check'
import t, { type Test } from 'tap'
import { createReviewHandlers } from '../../src/admission/index.ts'
import { createCatalog } from '../../src/catalog/index.ts'
import { SECRETS } from '../../src/cluster/index.ts'
import { createReviewSource } from '../../src/credentials/index.ts'
import { createRegistryClient } from '../../src/registry/index.ts'
import { createScanner } from '../../src/scanner/index.ts'
import { answered, deployment, review, reviewOptions } from '../admission/reviews.ts'
import { policy } from '../fakes/facts.ts'
import { startFakeRegistry } from '../fakes/registry.ts'
import type { FakeAccount } from '../fakes/registry_tokens.ts'
import { setStage } from './stage.ts'

const PASSWORDS = { ann: 'hunter2-of-ann', bob: 'hunter2-of-bob', old: 'hunter2-of-old' }

/** One private registry, two namespaces, and all of Tagwarden between. */
async function world(t: Test, by: 'token' | 'basic') {
  const accounts = new Map<string, FakeAccount>([
    ['ann', { password: PASSWORDS.ann, repositories: ['acme/web', 'acme/both'] }],
    ['bob', { password: PASSWORDS.bob, repositories: ['acme/bank', 'acme/both'] }],
  ])
  const registry = await startFakeRegistry({
    repositories: {
      'acme/web': ['v1.2.3', 'v1.4.2'],
      'acme/bank': ['v1.2.3', 'v1.9.9'],
      'acme/both': ['v1.5.5'],
    },
    authentication: { kind: 'accounts', by, accounts },
  })
  const stage = setStage()
  const { secrets, log } = stage
  const client = createRegistryClient({
    settings: [{ host: registry.host, insecure: true }],
    credential: secrets.installation,
  })
  const catalog = createCatalog()
  const note = (fields: object, message: string) => log.push(`${message} ${JSON.stringify(fields)}`)
  const scanner = createScanner({
    catalog,
    client,
    interval: 600_000,
    access: secrets.access,
    log: { debug: note, info: note, warn: note },
  })
  secrets.onChange((id) => scanner.renew(id))
  const images = ['web', 'bank', 'both'].map((name) => `${registry.host}/acme/${name}`)
  const { validate } = createReviewHandlers(
    reviewOptions([policy({ images, covers: (name) => images.includes(name) })], {
      source: createReviewSource(secrets, scanner),
      clock: Date.now,
      deadline: 5_000,
    }),
  )
  const put = (namespace: string, user: keyof typeof PASSWORDS) =>
    stage.pullSecret(namespace, 'regcred', { [registry.host]: `${user}:${PASSWORDS[user]}` })
  for (const [namespace, user] of [
    ['shop', 'ann'],
    ['bank', 'bob'],
  ] as const) {
    stage.namespace(namespace)
    put(namespace, user)
    stage.account(namespace, 'default', ['regcred'])
  }
  t.teardown(async () => {
    await scanner.stop()
    await secrets.close()
    await client.close()
    await registry.close()
  })
  async function denied(namespace: string, name: string, pullSecrets: string[] = []) {
    const object = deployment({ app: `${registry.host}/acme/${name}:v9.9.9` }, { namespace })
    const imagePullSecrets = pullSecrets.map((each) => ({ name: each }))
    Object.assign(object.spec.template.spec, { imagePullSecrets })
    const call = { timeoutSeconds: 10, received: Date.now() }
    return answered(await validate(review(object, { namespace }), call)).message ?? ''
  }
  return {
    ...{ stage, registry, accounts, catalog, scanner, put },
    /** the words of a denial: they name the newest permitted tag, if it may be seen */
    denied,
    /** the same, asked again while the registry has not answered: a denial waits a moment only */
    async shown(namespace: string, name: string) {
      let words = ''
      for (let times = 0; times < 20 && !/newest is v/.test(words); times += 1) {
        words = await denied(namespace, name)
      }
      return words
    },
  }
}

/** Tags that only one of the namespaces may know of. */
const MAY_SEE: Record<string, RegExp> = { shop: /v1\.9\.9/, bank: /v1\.4\.2/, lab: /v1\.[459]/ }

for (const by of ['token', 'basic'] as const) {
  t.test(`two namespaces of one private registry (${by})`, async (t) => {
    const { denied, shown, stage, accounts, put, catalog, registry } = await world(t, by)
    await stage.settle()

    t.test('each sees what its own credentials can read', async (t) => {
      t.match(await shown('shop', 'web'), /newest is v1\.4\.2/)
      t.match(await shown('bank', 'bank'), /newest is v1\.9\.9/)
      t.match(await shown('shop', 'both'), /newest is v1\.5\.5/)
      t.match(await shown('bank', 'both'), /newest is v1\.5\.5/)
      t.match(await denied('shop', 'bank'), /newest is not known yet/)
      t.match(await denied('bank', 'web'), /newest is not known yet/)
      t.match(await denied('lab', 'web'), /newest is not known yet/, 'without any')
    })

    t.test('naming the Secret of another namespace gains nothing', async (t) => {
      for (const name of ['bank/regcred', '../bank/regcred', 'regcred bank/regcred']) {
        t.match(await denied('lab', 'web', [name]), /not known yet/, name)
      }
    })

    t.test('a rotated Secret sees what the new account can read, and no more', async (t) => {
      put('shop', 'bob')
      await stage.settle()
      t.match(await denied('shop', 'web'), /newest is not known yet/)
      t.match(await shown('shop', 'bank'), /newest is v1\.9\.9/)
      put('shop', 'ann')
      await stage.settle()
      t.match(await shown('shop', 'web'), /newest is v1\.4\.2/)
      t.match(await denied('shop', 'bank'), /newest is not known yet/)
    })

    t.test('a new password is used at once', async (t) => {
      const { repositories } = accounts.get('ann') as FakeAccount
      accounts.set('old', { password: PASSWORDS.old, repositories })
      put('shop', 'old')
      await stage.settle()
      registry.requests.length = 0
      t.match(await shown('shop', 'web'), /newest is v1\.4\.2/)
      t.ok(registry.requests.length > 0, 'what the old one has read is not taken for granted')
    })

    t.test('a deleted Secret takes along what it has read', async (t) => {
      stage.cluster.drop(SECRETS, { namespace: 'shop', name: 'regcred' })
      await stage.settle()
      t.match(await denied('shop', 'web'), /newest is not known yet/)
      t.notOk(catalog.keys().some((key) => key.endsWith(' shop/regcred')))
    })

    t.test('a namespace that opts out is forgotten', async (t) => {
      t.ok(catalog.keys().some((key) => key.endsWith(' bank/regcred')))
      stage.namespace('bank', false)
      await stage.settle()
      t.match(await denied('bank', 'bank'), /newest is not known yet/)
      t.notOk(catalog.keys().some((key) => key.includes(' ')))
    })

    t.test('no password is in any line of the log, nor in the index', async (t) => {
      const all = JSON.stringify([stage.log, catalog.keys()])
      for (const password of Object.values(PASSWORDS)) {
        t.notMatch(all, password)
        t.notMatch(all, Buffer.from(password).toString('base64'))
      }
      t.match(all, 'cannot be scanned', 'there are such lines')
    })
  })
}

t.test('whatever happens in whichever order, nobody sees the tags of another', async (t) => {
  const { denied, shown, stage, put, scanner, registry } = await world(t, 'token')
  await stage.settle()
  const namespace = fc.constantFrom('shop', 'bank', 'lab')
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ review: namespace, name: fc.constantFrom('web', 'bank') }),
    },
    fc.record({ rotate: fc.constantFrom('shop', 'bank') }),
    fc.record({ drop: fc.constantFrom('shop', 'bank') }),
    fc.record({ optIn: fc.constantFrom('shop', 'bank'), on: fc.boolean() }),
    fc.record({ scan: fc.constantFrom('web', 'bank'), as: fc.constantFrom('shop', 'bank', '') }),
  )
  const users = { shop: 'ann', bank: 'bob' } as const
  const seen: string[] = []
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      const running: Promise<unknown>[] = []
      for (const each of steps) {
        if ('review' in each) {
          running.push(
            denied(each.review, each.name).then((words) => {
              seen.push(words)
              if (MAY_SEE[each.review]?.test(words)) throw new Error(`${each.review}: ${words}`)
            }),
          )
        } else if ('rotate' in each) {
          put(each.rotate as 'shop', users[each.rotate as 'shop'])
        } else if ('drop' in each) {
          stage.cluster.drop(SECRETS, { namespace: each.drop, name: 'regcred' })
        } else if ('optIn' in each) {
          stage.namespace(each.optIn, each.on)
        } else {
          const name = `${registry.host}/acme/${each.scan}`
          running.push(scanner.scanNow(each.as ? `${name} ${each.as}/regcred` : name))
        }
        if (running.length % 2 === 0) await stage.settle()
      }
      await Promise.all(running)
    }),
    { numRuns: 40 },
  )
  // what was drawn may have left a namespace without its Secret all along
  for (const each of ['shop', 'bank'] as const) {
    stage.namespace(each, true)
    put(each, users[each])
  }
  await stage.settle()
  seen.push(await shown('shop', 'web'), await shown('bank', 'bank'))
  t.ok(
    seen.some((words) => /newest is v1\.4\.2/.test(words)),
    'and some saw their own',
  )
  t.ok(seen.some((words) => /newest is v1\.9\.9/.test(words)))
})
