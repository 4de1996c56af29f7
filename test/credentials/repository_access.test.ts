import t from 'tap'
import { SECRETS } from '../../src/cluster/index.ts'
import { createFakeAuthority } from '../fakes/registry_authority.ts'
import { loginOf, setStage, WEB } from './stage.ts'

const { client, certificate } = createFakeAuthority()
const other = createFakeAuthority().client
const OWNER = 'ImageRepository shop/web'

t.test('an ImageRepository is read by the Secrets that it refers to', async (t) => {
  const stage = setStage()
  const { secrets, changes, cluster } = stage
  stage.namespace('shop')
  stage.secret('shop', 'login', { username: 'ann', password: 'p' })
  stage.secret('shop', 'certs', {
    'ca.crt': certificate,
    'tls.crt': client.cert,
    'tls.key': client.key,
  })
  stage.secret('shop', 'corp', { address: 'http://proxy.test:3128', username: 'px', password: 'p' })
  await stage.settle()
  const spec = {
    name: WEB,
    secretRef: { name: 'login' },
    certSecretRef: { name: 'certs' },
    proxySecretRef: { name: 'corp' },
    insecure: true,
  }
  const reading = () => secrets.repositoryAccess('shop', spec)
  const id = 'shop/login,cert=certs,proxy=corp,insecure'
  t.match(
    reading(),
    { id, problem: /Secret shop\/login is not there/ },
    'nobody referred to it yet',
  )
  t.equal(secrets.access(id), undefined)
  changes.length = 0
  secrets.refer(OWNER, 'shop', ['login', 'certs', 'corp'])
  await stage.settle()
  t.strictSame(reading(), { id, problem: undefined })
  const access = secrets.access(id)
  t.equal(loginOf(access), `${id} ann`)
  t.match(access?.connection, {
    insecure: true,
    certificateAuthority: certificate,
    clientCertificate: client,
    proxy: { address: 'http://proxy.test:3128', username: 'px', password: 'p' },
  })
  t.ok(changes.includes(id), 'whoever asked for it is told that it is there')
  changes.length = 0
  stage.secret('shop', 'corp', { address: 'http://other.test:3128' })
  await stage.settle()
  t.strictSame(changes, ['shop/corp', id])
  t.not(secrets.access(id)?.version, access?.version)
  cluster.drop(SECRETS, { namespace: 'shop', name: 'certs' })
  await stage.settle()
  t.match(reading().problem, /Secret shop\/certs is not there/)
  t.equal(secrets.access(id), undefined, 'it is not read without its certificate')
  secrets.refer(OWNER, 'shop', [])
  await stage.settle()
  t.equal(secrets.access('shop/login'), undefined, 'what nobody refers to is not kept')
  await secrets.close()
})

t.test('one that names no Secret is read as the installation reads', async (t) => {
  const { secrets } = setStage()
  t.strictSame(secrets.repositoryAccess('shop', { name: WEB }), {
    id: undefined,
    problem: undefined,
  })
  await secrets.close()
})

t.test('one may be plain HTTP without any Secret', async (t) => {
  const stage = setStage({ settings: { namespaces: ['shop'], secrets: [], installation: [] } })
  const { id, problem } = stage.secrets.repositoryAccess('shop', { name: WEB, insecure: true })
  t.strictSame([id, problem], ['shop/,insecure', undefined])
  t.match(stage.secrets.access('shop/,insecure')?.connection, { insecure: true })
  await stage.secrets.close()
})

t.test('a Secret that does not do says why, and nothing of itself', async (t) => {
  const stage = setStage()
  const { secrets } = stage
  stage.namespace('shop')
  stage.namespace('bank', false)
  const rows: [field: string, data: Record<string, string>, words: RegExp][] = [
    ['secretRef', {}, /has no \.dockerconfigjson, or username and password/],
    ['secretRef', { username: 'ann' }, /has no \.dockerconfigjson/],
    ['secretRef', { username: 'ann', password: 'hunter2\n' }, /control character/],
    ['secretRef', { '.dockerconfigjson': '{"auths":{"quay.io":{}}}' }, /has no entry for ghcr\.io/],
    ['certSecretRef', {}, /has no ca\.crt, or tls\.crt and tls\.key/],
    ['certSecretRef', { 'ca.crt': 'hunter2' }, /ca\.crt of Secret .* holds no certificate/],
    ['certSecretRef', { 'tls.crt': client.cert }, /only one of tls\.crt and tls\.key/],
    [
      'certSecretRef',
      { 'tls.crt': client.cert, 'tls.key': other.key },
      /no certificate with its key/,
    ],
    [
      'certSecretRef',
      { 'tls.crt': 'hunter2', 'tls.key': 'hunter2' },
      /no certificate with its key/,
    ],
    ['proxySecretRef', {}, /has no address/],
    ['proxySecretRef', { address: 'hunter2' }, /address of .* is no proxy's/],
    ['proxySecretRef', { address: 'socks5://proxy.test' }, /is no proxy's/],
    ['proxySecretRef', { address: 'http://ann:hunter2@proxy.test' }, /is no proxy's/],
    ['proxySecretRef', { address: 'http://proxy.test/path' }, /is no proxy's/],
    ['proxySecretRef', { address: 'http://p.test', username: 'a\r', password: 'x' }, /control/],
  ]
  for (const [index, [field, data, words]] of rows.entries()) {
    const name = `s${index}`
    stage.secret('shop', name, data)
    secrets.refer(`${OWNER}${index}`, 'shop', [name])
    await stage.settle()
    const { problem } = secrets.repositoryAccess('shop', { name: WEB, [field]: { name } })
    t.match(problem, words)
    t.match(problem, new RegExp(`Secret shop/${name}`))
    t.notMatch([problem, ...stage.log].join(' '), /hunter2/)
  }
  const elsewhere = secrets.repositoryAccess('bank', { name: WEB, secretRef: { name: 'x' } })
  t.match(elsewhere.problem, /may not be read. Label the namespace tagwarden.io\/pull-secrets=true/)
  await secrets.close()
})

t.test('references do not read what may not be read', async (t) => {
  const stage = setStage({
    settings: { namespaces: [], secrets: ['bank/named'], installation: [] },
  })
  const { secrets, cluster } = stage
  for (const name of ['named', 'other']) stage.pullSecret('bank', name, { 'ghcr.io': 'bob:p' })
  secrets.refer('ImageRepository bank/web', 'bank', ['named', 'other', '../x', 'a,b', ''])
  secrets.refer('ImageRepository lab/web', 'lab', ['regcred'])
  await stage.settle()
  t.equal(loginOf(secrets.access('bank/named')), 'bank/named bob')
  t.equal(secrets.access('bank/other'), undefined)
  const watched = cluster.calls.filter(({ resource }) => resource === 'secrets')
  t.strictSame(
    watched.map(({ key }) => key),
    ['bank'],
    'one Secret, by its name',
  )
  secrets.refer('ImageRepository bank/web', 'shop', ['named'])
  await stage.settle()
  t.equal(loginOf(secrets.access('bank/named')), 'bank/named bob', 'the settings still name it')
  await secrets.close()
})

t.test('ten thousand references of one namespace are a hundred watches', async (t) => {
  const stage = setStage()
  stage.namespace('shop')
  await stage.settle()
  stage.cluster.calls.length = 0
  const names = Array.from({ length: 10_000 }, (_, index) => `s${index}`)
  stage.secrets.refer(OWNER, 'shop', names)
  await stage.settle()
  t.equal(stage.cluster.calls.length, 100)
  await stage.secrets.close()
})
