import { X509Certificate } from 'node:crypto'
import t, { type Test } from 'tap'
import { secretStore } from '../../src/certificates/cluster.ts'
import {
  type Certificates,
  fingerprintsOf,
  isCovered,
  issueAuthority,
  issueServing,
  type ServingCertificate,
  serviceNames,
} from '../../src/certificates/index.ts'
import { type KubernetesObject, SECRETS } from '../../src/cluster/index.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { DAY, FILES, isTrusted, open } from './fixture.ts'

const NAME = 'tagwarden-certificates'
const PLACE = { namespace: 'tagwarden', name: NAME }
const TRUSTED = 'tagwarden.io/trusted-authorities'

interface Secret extends KubernetesObject {
  readonly type?: string
  readonly data?: Readonly<Record<string, string>>
}

const secretOf = (cluster: FakeCluster) => cluster.all<Secret>(SECRETS)[0]

/** Opens a replica's certificates; the clock is the test's. */
function replica(t: Test, cluster: FakeCluster, changes: Parameters<typeof open>[2] = {}) {
  return open(t, secretStore({ cluster, ...PLACE }), changes)
}

/** Lets notices arrive, and what they cause. */
async function settle(...all: readonly { readonly certificates: Certificates }[]): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    for (const { certificates } of all) await certificates.refresh()
  }
}

const texts = (files: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  )

t.test('the first replica makes a TLS Secret with CA and certificate', async (t) => {
  const cluster = createFakeCluster()
  const labels = { 'app.kubernetes.io/name': 'tagwarden' }
  const names = serviceNames('tagwarden', 'system')
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'gate' }
  const owner = { ...role, uid: 'abc' }
  const store = secretStore({ cluster, ...PLACE, labels, owner: async () => owner })
  const { certificates } = await open(t, store, { names })
  const secret = secretOf(cluster)
  t.match(secret, { type: 'kubernetes.io/tls', metadata: { ...PLACE, labels } })
  t.strictSame(secret?.metadata.ownerReferences, [owner], 'it goes with the installation')
  t.same(Object.keys(secret?.data ?? {}).sort(), [...FILES])
  const { key, cert, ca } = certificates.current()
  for (const name of ['tagwarden', 'tagwarden.system.svc', 'tagwarden.system.svc.cluster.local']) {
    t.ok(await isTrusted({ key, cert }, ca, name), name)
  }
})

t.test('three replicas that start at once agree on one CA and one certificate', async (t) => {
  const cluster = createFakeCluster()
  const all = await Promise.all([0, 1, 2].map(() => replica(t, cluster)))
  const used = all.map(({ certificates }) => certificates.current())
  t.equal(new Set(used.map(({ cert }) => cert)).size, 1)
  t.equal(new Set(used.map(({ ca }) => ca)).size, 1)
  t.same(
    all.flatMap(({ problems }) => problems),
    [],
  )
})

t.test('a replica that starts later takes what is there and writes nothing', async (t) => {
  const cluster = createFakeCluster()
  const first = await replica(t, cluster)
  const { length } = cluster.calls
  const second = await replica(t, cluster)
  const [{ valid: _, ...one }, { valid: __, ...two }] = [first, second].map(({ certificates }) =>
    certificates.current(),
  ) as [ServingCertificate, ServingCertificate]
  t.same(two, one)
  t.same(
    cluster.calls.slice(length).filter(({ verb }) => !['get', 'watch'].includes(verb)),
    [],
  )
})

t.test('a look at an unchanged Secret does not ask the API server', async (t) => {
  const cluster = createFakeCluster()
  const only = await replica(t, cluster)
  await settle(only)
  const { length } = cluster.calls
  await settle(only)
  t.equal(cluster.calls.length, length)
})

t.test('one replica renews, the others take it over at once', async (t) => {
  const cluster = createFakeCluster()
  const all = await Promise.all([0, 1, 2].map(() => replica(t, cluster)))
  const [{ certificates }] = all as [(typeof all)[0]]
  const before = certificates.current()
  await certificates.noteTrusted(before.ca)
  await settle(...all)
  for (const each of all) each.advance(61)
  await Promise.all(all.map((each) => each.certificates.refresh()))
  await settle(...all)
  const used = new Set(all.map((each) => each.certificates.current().cert))
  t.equal(used.size, 1)
  t.notOk(used.has(before.cert))
  t.equal(certificates.current().ca, before.ca)
})

t.test('what the webhook configurations do not trust yet signs nothing', async (t) => {
  const cluster = createFakeCluster()
  const only = await replica(t, cluster)
  const { certificates } = only
  const before = certificates.current()
  t.notOk(certificates.trusted(), 'nobody has said so')
  only.advance(61)
  await certificates.refresh()
  t.equal(certificates.current().cert, before.cert, 'renewed once its CA is published')
  await certificates.noteTrusted(before.ca)
  t.ok(certificates.trusted())
  t.not(certificates.current().cert, before.cert)
})

t.test('where nobody says what is trusted, nothing waits for it', async (t) => {
  const cluster = createFakeCluster()
  const store = secretStore({ cluster, ...PLACE, awaitsTrust: false })
  const only = await open(t, store)
  const before = only.certificates.current()
  t.ok(only.certificates.trusted())
  only.advance(61)
  await only.certificates.refresh()
  t.not(only.certificates.current().cert, before.cert)
})

t.test('an untrusted certificate is used when the present one has ended', async (t) => {
  const cluster = createFakeCluster()
  const only = await replica(t, cluster)
  const before = only.certificates.current()
  only.advance(91)
  await only.certificates.refresh()
  t.not(only.certificates.current().cert, before.cert)
  t.ok(only.certificates.current().valid(Date.now() + 91 * DAY))
})

t.test('a new CA renews the certificate by the old one, and signs two months later', async (t) => {
  const cluster = createFakeCluster()
  const only = await replica(t, cluster)
  const { certificates } = only
  await certificates.noteTrusted(certificates.current().ca)
  only.advance(3650 - 364)
  await certificates.refresh()
  const fresh = new X509Certificate(certificates.current().cert)
  const [next, old] = certificates.current().ca.split(/(?<=-----END CERTIFICATE-----\n)/)
  t.ok(fresh.checkIssued(new X509Certificate(old!)))
  t.ok(fresh.validFromDate.getTime() > Date.now() + 3280 * DAY, 'it is a fresh one')
  await certificates.noteTrusted(certificates.current().ca)
  only.advance(61)
  await certificates.refresh()
  t.ok(new X509Certificate(certificates.current().cert).checkIssued(new X509Certificate(next!)))
})

t.test('a Secret that is restored from a backup is taken over by who runs', async (t) => {
  const cluster = createFakeCluster()
  await replica(t, cluster)
  const { key, cert } = await issueServing(await issueAuthority(Date.now()), {
    names: ['localhost'],
    now: Date.now(),
  })
  const restored = {
    ...(secretOf(cluster) as Secret),
    data: { ...texts({ 'tls.key': key, 'tls.crt': cert }) },
  }
  const told: ((secret: Secret) => void)[] = []
  const backup = {
    ...cluster,
    get: async () => restored,
    watch: (_: unknown, __: unknown, handlers: { upsert: (secret: Secret) => void }) => {
      told.push(handlers.upsert)
      return { synced: Promise.resolve(), isSynced: () => true, close: async () => {} }
    },
  } as unknown as FakeCluster
  const store = secretStore({ cluster: backup, ...PLACE })
  const stop = store.watch(
    () => {},
    () => {},
  )
  const at = (resourceVersion: string, from: Secret) => ({
    ...from,
    metadata: { ...from.metadata, resourceVersion },
  })
  told[0]?.(at('1000', secretOf(cluster) as Secret))
  t.not((await store.read()).files['tls.crt'], cert)
  told[0]?.(at('900', restored))
  t.equal((await store.read()).files['tls.crt'], cert)
  stop()
})

t.test('a deleted Secret is made again with the same CA and certificate', async (t) => {
  const cluster = createFakeCluster()
  const all = await Promise.all([replica(t, cluster), replica(t, cluster)])
  const { certificates } = all[0]
  await certificates.noteTrusted(certificates.current().ca)
  await settle(...all)
  const before = secretOf(cluster)
  cluster.drop(SECRETS, PLACE)
  await settle(...all)
  const after = secretOf(cluster)
  t.not(after?.metadata.uid, before?.metadata.uid)
  t.same(after?.data, before?.data)
  t.equal(after?.metadata.annotations?.[TRUSTED], before?.metadata.annotations?.[TRUSTED])
  t.ok(all.every((each) => each.certificates.trusted()))
})

t.test('an emptied Secret is filled again; what else is in it stays', async (t) => {
  const cluster = createFakeCluster()
  const only = await replica(t, cluster)
  const before = secretOf(cluster)
  const metadata = { ...PLACE, labels: { team: 'a' } }
  cluster.put<Secret>(SECRETS, { metadata, data: { ...texts({ other: 'x' }), 'tls.crt': '' } })
  await settle(only)
  t.match(secretOf(cluster), { data: { ...before?.data, ...texts({ other: 'x' }) }, metadata })
})

t.test('garbage in the Secret is told once, and the last good certificate stays', async (t) => {
  const rows: [title: string, files: Record<string, string>][] = [
    ['no PEM', { 'tls.crt': 'hello' }],
    ['a NUL', { 'tls.key': '\0' }],
    ['a key of another', { 'ca.key': (await issueAuthority(Date.now())).key }],
    ['prototype', { 'ca.crt': '__proto__' }],
    ['cut', { 'tls.crt': '-----BEGIN CERTIFICATE-----\nMIIC' }],
  ]
  for (const [title, files] of rows) {
    const cluster = createFakeCluster()
    const only = await replica(t, cluster)
    const before = only.certificates.current()
    const good = secretOf(cluster)!
    cluster.put<Secret>(SECRETS, { ...good, data: { ...good.data, ...texts(files) } })
    await settle(only)
    t.equal(only.certificates.current().cert, before.cert, title)
    t.equal(only.problems.length, 1, title)
    t.match(only.problems[0]?.position?.file, /^Secret tagwarden\/tagwarden-certificates\//, title)
    t.notMatch(JSON.stringify(only.problems), /BEGIN/, title)
    cluster.put<Secret>(SECRETS, good)
    await settle(only)
    t.equal(only.problems.length, 1, title)
  }
})

t.test('an API server that does not answer is told once; the certificate stays', async (t) => {
  const cluster = createFakeCluster()
  const only = await replica(t, cluster)
  await settle(only)
  cluster.available = false
  await settle(only)
  t.equal(only.problems.length, 1)
  t.equal(only.problems[0]?.code, 'ERR_CLUSTER')
  cluster.available = true
  await settle(only)
  only.advance(91)
  await only.certificates.refresh()
  t.ok(only.certificates.current().valid(Date.now() + 91 * DAY))
})

t.test('a start without the right to the Secret fails with the reason', async (t) => {
  const cluster = createFakeCluster()
  cluster.refuse('create', SECRETS, 'Forbidden')
  await t.rejects(replica(t, cluster), { code: 'ERR_CLUSTER' })
})

t.test('what keeps changing the Secret is not fought for ever', async (t) => {
  const cluster = createFakeCluster()
  cluster.refuse('create', SECRETS, 'Conflict')
  await t.rejects(replica(t, cluster), { code: 'ERR_CERTIFICATE', message: /keeps changing it/ })
  t.ok(cluster.calls.length < 50)
})

t.test('a certificate that a person puts there waits until its CA is published', async (t) => {
  const cluster = createFakeCluster()
  const all = await Promise.all([replica(t, cluster), replica(t, cluster)])
  const { certificates } = all[0]
  const before = certificates.current()
  await certificates.noteTrusted(before.ca)
  const authority = await issueAuthority(Date.now())
  const given = await issueServing(authority, { names: ['localhost'], now: Date.now() })
  const files = { 'tls.crt': given.cert, 'tls.key': given.key, 'ca.crt': authority.cert }
  const metadata = { ...PLACE, annotations: secretOf(cluster)?.metadata.annotations ?? {} }
  cluster.put<Secret>(SECRETS, { metadata, data: texts(files) })
  await settle(...all)
  for (const each of all) {
    t.equal(each.certificates.current().cert, before.cert, 'still the old one')
    t.same(
      fingerprintsOf(each.certificates.current().ca),
      fingerprintsOf(authority.cert + before.ca),
      'both CAs are to be published',
    )
  }
  await certificates.noteTrusted(certificates.current().ca)
  await settle(...all)
  for (const each of all) t.equal(each.certificates.current().cert, given.cert)
})

t.test('a certificate is covered by the CA that issued it, and by no other', async (t) => {
  const now = Date.now()
  const [one, two] = await Promise.all([issueAuthority(now), issueAuthority(now)])
  const { cert } = await issueServing(one, { names: ['localhost'], now })
  const rows: [ca: string, trusted: string, covered: boolean][] = [
    [one.cert, one.cert, true],
    [one.cert + two.cert, one.cert, true],
    [one.cert + two.cert, two.cert, false],
    [one.cert, '', false],
    ['', '', true],
    [two.cert, two.cert, true],
    [two.cert, one.cert, false],
    ['garbage', '', true],
  ]
  for (const [ca, trusted, covered] of rows) {
    t.equal(isCovered({ cert, ca }, new Set(fingerprintsOf(trusted))), covered)
  }
})
