import t from 'tap'
import { base64, loginOf, setStage, WEB, workload } from './stage.ts'

const SECRET = 'hunter2-very-secret'
const config = (auths: unknown) => ({ '.dockerconfigjson': JSON.stringify({ auths }) })
const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`h${index}`, {}]))

t.test('a Secret that cannot be used is passed over, and says what is wrong with it', async (t) => {
  const rows: [string, Record<string, string>, RegExp | undefined][] = [
    ['not JSON', { '.dockerconfigjson': `{"auths": ${SECRET}` }, /is not JSON/],
    ['a megabyte', { '.dockerconfigjson': SECRET.repeat(55_000) }, /is not JSON/],
    ['empty', { '.dockerconfigjson': '' }, /is not JSON/],
    ['no key', { other: SECRET }, /has no \.dockerconfigjson/],
    ['base64', config({ 'ghcr.io': { auth: SECRET } }), /entry ghcr\.io of .* is not base64/],
    ['no colon', config({ 'ghcr.io': { auth: base64(SECRET) } }), /not base64 of user:password/],
    [
      'control characters',
      config({ 'ghcr.io': { username: 'ann', password: `${SECRET}\r\nHost: evil` } }),
      /holds a control character/,
    ],
    [
      'control characters in a host',
      config({ 'ghcr.io\r\n\u001b[31m': { auth: SECRET }, 'ghcr.io': { auth: SECRET } }),
      /the entry ghcr\.io\?\[31m of/,
    ],
    ['too many entries', config(many), /more than 10000 entries/],
    ['an entry that is none', config({ 'ghcr.io': SECRET }), undefined],
    ['auths that are none', config(SECRET), undefined],
    ['deep', { '.dockerconfigjson': `${'['.repeat(100_000)}` }, /is not JSON/],
    ['a prototype', { '.dockerconfigjson': '{"auths":{"__proto__":{"auth":"x"}}}' }, /__proto__/],
  ]
  for (const [title, data, expected] of rows) {
    const stage = setStage()
    stage.namespace('shop')
    stage.secret('shop', 'bad', data, 'kubernetes.io/dockerconfigjson')
    stage.pullSecret('shop', 'good', { 'ghcr.io': 'ann:p' })
    await stage.settle()
    const access = stage.secrets.accessFor(workload(['bad', 'good']), WEB)
    t.equal(loginOf(access), 'shop/good ann', title)
    const told = stage.log.filter((line) => line.startsWith('warn')).join('\n')
    if (expected) t.match(told, expected, title)
    else t.equal(told, '', title)
    const status = stage.secrets.repositoryAccess('shop', { name: WEB, secretRef: { name: 'bad' } })
    t.ok(status.problem, title)
    const all = [...stage.log, status.problem, JSON.stringify(stage.secrets.access('shop/bad'))]
    t.notMatch(all.join(' '), SECRET, `${title}: nothing of it is told`)
    t.notMatch(all.join(' '), base64(SECRET), `${title}: nothing of it is told`)
    t.notMatch(all.join(' '), /\p{Cc}/u, title)
    await stage.secrets.close()
  }
})

t.test('a namespace cannot fill the memory with Secrets', async (t) => {
  const stage = setStage()
  stage.namespace('shop')
  stage.namespace('bank')
  const large = { 'quay.io': `ann:${'x'.repeat(400_000)}` }
  for (let each = 0; each < 20; each += 1) stage.pullSecret('shop', `s${each}`, large)
  stage.pullSecret('bank', 'regcred', { 'ghcr.io': 'bob:p' })
  await stage.settle()
  t.match(stage.log.at(-1), /is not held: the Secrets of shop .* have more than \d+ bytes/)
  const bank = { ...workload(['regcred']), namespace: 'bank' }
  t.equal(loginOf(stage.secrets.accessFor(bank, WEB)), 'bank/regcred bob')
  const held = (name: string) =>
    stage.secrets.accessFor(workload([name]), 'quay.io/acme/web') !== undefined
  t.equal(held('s0'), true)
  t.equal(held('s19'), false)
  await stage.secrets.close()
})

t.test('the old form of pull secrets is read too', async (t) => {
  const stage = setStage()
  stage.namespace('shop')
  const dockercfg = JSON.stringify({ 'https://ghcr.io': { auth: base64('ann:p') } })
  stage.secret('shop', 'old', { '.dockercfg': dockercfg }, 'kubernetes.io/dockercfg')
  await stage.settle()
  t.equal(loginOf(stage.secrets.accessFor(workload(['old']), WEB)), 'shop/old ann')
  await stage.secrets.close()
})

t.test('a credential helper that a Secret names is never run', async (t) => {
  const stage = setStage()
  stage.namespace('shop')
  const text = JSON.stringify({ credsStore: 'evil', credHelpers: { 'ghcr.io': 'evil' } })
  const type = 'kubernetes.io/dockerconfigjson'
  stage.secret('shop', 'regcred', { '.dockerconfigjson': text }, type)
  await stage.settle()
  t.equal(stage.secrets.accessFor(workload(['regcred']), WEB), undefined)
  t.equal(
    stage.secrets.access('shop/regcred')?.credential?.('ghcr.io', 'acme/web'),
    undefined,
    'what it would print is not asked for',
  )
  await stage.secrets.close()
})

t.test('credentials go only to the hosts that their Secret names', async (t) => {
  const stage = setStage()
  stage.namespace('shop')
  stage.pullSecret('shop', 'regcred', {
    'ghcr.io/acme': 'path:p',
    '*.example.com': 'glob:p',
    'exact.example.com': 'exact:p',
    'reg*.example.org:5000': 'port:p',
    'https://index.docker.io/v1/': 'hub:p',
  })
  await stage.settle()
  const rows: [string, string | undefined][] = [
    ['ghcr.io/acme/web', 'path'],
    ['ghcr.io/acme-evil/web', undefined],
    ['ghcr.io/other/web', undefined],
    ['a.example.com/web', 'glob'],
    ['A.Example.com/web', 'glob'],
    ['exact.example.com/web', 'exact'],
    ['a.b.example.com/web', undefined],
    ['example.com/web', undefined],
    ['a.example.com:5000/web', undefined],
    ['a.example.com.evil.test/web', undefined],
    ['registry.example.org:5000/web', 'port'],
    ['registry.example.org/web', undefined],
    ['docker.io/library/nginx', 'hub'],
  ]
  for (const [name, user] of rows) {
    const access = stage.secrets.accessFor(workload(['regcred']), name)
    t.equal(loginOf(access, name), user && `shop/regcred ${user}`, name)
  }
  await stage.secrets.close()
})
