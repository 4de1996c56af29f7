import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Config, loadConfig } from '../../src/config/index.ts'
import { describeError, TagwardenError } from '../../src/errors.ts'
import { says } from './fixture.ts'

const FULL = `
listen: { address: 0.0.0.0, port: 9443, bodyLimit: 8MiB, drainDelay: 5s }
policies: [./policies, /etc/policies, ~/policies]
catalog: { path: ../index, interval: 1h30m, tagLimit: 1000000 }
certificates: { path: tls, names: [tagwarden.system.svc, 10.0.0.7, "fd00::7"] }
clients: { certificateAuthority: ./clients.crt, names: [kube-apiserver-webhooks], enforcement: Warn }
audit: { mode: Off, interval: 30m }
defaults: { latest: Allow, unmatched: Warn, enforcement: Audit, ownedObjects: Enforce }
annotations: { prefix: example.com }
registries:
  - host: registry.example.com:5000
    insecure: true
    auth: { dockerConfig: ~/.docker/config.json }
    certificateAuthority: ./ca.pem
  - host: "*.example.com"
  - host: "[::1]:5000"
imageFields:
  - { group: argoproj.io, kind: Rollout, paths: ["/spec/template/spec/containers/*/image"] }
controllers: [system:serviceaccount:argo:controller]
deadline: 20s
log: { level: debug, format: Json }
`

const HOME = '/home/ada'

const CLUSTER = {
  mode: 'Off',
  name: 'tagwarden',
  leaseDuration: 15_000,
  promotion: 'On',
  certificates: 'Secret',
  webhooks: {
    manage: 'Always',
    caBundle: 'Own',
    annotations: [],
    port: 443,
    timeout: 10_000,
    excludedNamespaces: [],
    probeInterval: 30_000,
  },
  pullSecrets: { namespaces: [], secrets: [], installation: [] },
}

async function load(t: Test, text: string, env: NodeJS.ProcessEnv = {}): Promise<Config> {
  const cwd = t.testdir({ 'tagwarden.yaml': text })
  return loadConfig({ env: { HOME, ...env }, cwd })
}

async function failure(loading: Promise<Config>): Promise<TagwardenError> {
  const error = await loading.then(
    () => new Error('it was accepted'),
    (cause: unknown) => cause,
  )
  if (!(error instanceof TagwardenError)) throw error
  return error
}

t.test('without a file the built-in defaults hold', async (t) => {
  const cwd = t.testdir()
  t.strictSame(await loadConfig({ env: {}, cwd }), {
    file: undefined,
    listen: { address: '127.0.0.1', port: 8443, bodyLimit: 32 * 1024 * 1024, drainDelay: 0 },
    policies: [],
    catalog: { path: join(cwd, 'catalog'), interval: 600_000, tagLimit: 250_000 },
    certificates: { path: join(cwd, 'certs'), names: [] },
    clients: { names: [], enforcement: 'Enforce' },
    cluster: CLUSTER,
    audit: { mode: 'On', interval: 3_600_000 },
    defaults: {
      latest: 'Deny',
      unmatched: 'Allow',
      enforcement: 'Enforce',
      ownedObjects: 'Enforce',
    },
    annotations: { prefix: 'fluxcd.io' },
    registries: [],
    imageFields: [],
    controllers: [],
    deadline: 10_000,
    log: { level: 'info', format: 'Auto' },
  })
})

t.test('every setting of the file is read; paths are relative to its folder', async (t) => {
  const root = t.testdir({ conf: { 'warden.yaml': FULL } })
  const conf = join(root, 'conf')
  const file = join(conf, 'warden.yaml')
  const config = await loadConfig({ file: 'conf/warden.yaml', env: { HOME }, cwd: root })
  t.strictSame(config, {
    file,
    listen: { address: '0.0.0.0', port: 9443, bodyLimit: 8 * 1024 * 1024, drainDelay: 5_000 },
    policies: [join(conf, 'policies'), '/etc/policies', '/home/ada/policies'],
    catalog: { path: join(root, 'index'), interval: 5_400_000, tagLimit: 1_000_000 },
    certificates: {
      path: join(conf, 'tls'),
      names: ['tagwarden.system.svc', '10.0.0.7', 'fd00::7'],
    },
    clients: {
      certificateAuthority: join(conf, 'clients.crt'),
      names: ['kube-apiserver-webhooks'],
      enforcement: 'Warn',
    },
    cluster: CLUSTER,
    audit: { mode: 'Off', interval: 1_800_000 },
    defaults: { latest: 'Allow', unmatched: 'Warn', enforcement: 'Audit', ownedObjects: 'Enforce' },
    annotations: { prefix: 'example.com' },
    registries: [
      {
        host: 'registry.example.com:5000',
        insecure: true,
        auth: { dockerConfig: '/home/ada/.docker/config.json' },
        certificateAuthority: join(conf, 'ca.pem'),
      },
      { host: '*.example.com' },
      { host: '[::1]:5000' },
    ],
    imageFields: [
      {
        group: 'argoproj.io',
        kind: 'Rollout',
        paths: ['/spec/template/spec/containers/*/image'],
      },
    ],
    controllers: ['system:serviceaccount:argo:controller'],
    deadline: 20_000,
    log: { level: 'debug', format: 'Json' },
  })
})

t.test('what is read cannot be changed', async (t) => {
  const config = await load(t, FULL)
  const change = (object: object) => () => Object.assign(object, { more: 1 })
  for (const part of [config, config.listen, config.policies, config.registries, config.defaults]) {
    t.throws(change(part), TypeError)
  }
  for (const part of [config.registries[0]!, config.registries[0]!.auth!, config.imageFields[0]!]) {
    t.throws(change(part), TypeError)
  }
})

t.test('an empty file, or one of comments only, means the defaults', async (t) => {
  for (const text of ['', '# nothing\n', '{}', '---\n', 'listen:\n', 'listen: null\n']) {
    t.match(await load(t, text), { listen: { port: 8443 } }, JSON.stringify(text))
  }
})

t.test('JSON is taken as well', async (t) => {
  t.match(await load(t, '{"listen": {"port": 0}}'), { listen: { port: 0 } })
})

t.test('a wrong setting is told with line, column, field and what to write', async (t) => {
  const rows: [text: string, said: string][] = [
    ['lisen: {}\n', '1:1: lisen: is not a field. Write listen instead'],
    [
      'listen:\n  adress: 0.0.0.0\n',
      '2:11: listen.adress: is not a field of listen. Write address instead',
    ],
    [
      'listen:\n  port: "8443"\n',
      '2:9: listen.port: must be a number … Write a whole number from 0 to 65535',
    ],
    [
      'listen: { port: 65536 }\n',
      '1:17: listen.port: 65536 is no port. Write a whole number from 0 to 65535',
    ],
    [
      'catalog: { tagLimit: 1000001 }\n',
      '1:22: catalog.tagLimit: 1000001 is no number of tags that can be held. Write a whole number from 1 to 1000000',
    ],
    ['catalog: { tagLimit: 0.5 }\n', '1:22: catalog.tagLimit: 0.5 is no number of tags'],
    ['listen: { port: -1 }\n', '1:17: listen.port: -1 is no port. Write a whole number'],
    ['listen: { port: 1.5 }\n', '1:17: listen.port: 1.5 is no port'],
    ['listen: { port: .nan }\n', '1:17: listen.port: NaN is no port'],
    ['listen: { bodyLimit: 16MB }\n', '1:22: listen.bodyLimit: "16MB" is not valid. Write bytes'],
    ['listen: { bodyLimit: 0 }\n', '1:22: listen.bodyLimit: 0 is not between 1KiB and 1GiB'],
    ['listen: { bodyLimit: 2GiB }\n', '1:22: listen.bodyLimit: 2GiB is not between'],
    ['listen: 8443\n', '1:9: listen: must be an object'],
    ['policies: ./policies\n', '1:11: policies: must be a list … Write a list: ["./policies"]'],
    ['policies:\n  - 7\n', '2:5: policies[0]: must be a'],
    [
      'catalog: { interval: 10 }\n',
      '1:22: catalog.interval: must be a … Write a number and a unit',
    ],
    [
      'catalog: { interval: 10 minutes }\n',
      '1:22: catalog.interval: "10 minutes" is not valid. Write a number and a unit',
    ],
    [
      'catalog: { interval: 1ms }\n',
      '1:22: catalog.interval: is shorter than a second. Write 1s or more',
    ],
    ['deadline: 100d\n', '1:11: deadline: is longer than 24 days'],
    [
      'defaults: { latest: deny }\n',
      '1:21: defaults.latest: "deny" is not one of Deny, Allow. Write Deny instead',
    ],
    [
      'defaults: { unmatched: "" }\n',
      '1:24: defaults.unmatched: "" is not one of Allow, Warn, Deny',
    ],
    [
      'registries:\n  - insecure: true\n',
      '2:5: registries[0].host: is missing. Add it, such as host: "registry.example.com"',
    ],
    [
      'registries: [{ host: "https://x.com" }]\n',
      '1:22: registries[0].host: "https://x.com" is not valid. Write a host without scheme',
    ],
    ['registries: [{ host: x.com/path }]\n', '1:22: registries[0].host: '],
    ['registries: [{ host: "*" }]\n', '1:22: registries[0].host: '],
    [
      'imageFields:\n  - { group: g.io, kind: Rollout, paths: [spec.image] }\n',
      'imageFields[0]: spec.image does not start with "/"',
    ],
    [
      'imageFields: [{ group: g.io/v1, kind: R, paths: [/a] }]\n',
      'imageFields[0]: g.io/v1 is not an API group',
    ],
    ['imageFields: [{ group: g.io, kind: R }]\n', 'imageFields[0].paths: is missing'],
    [
      'certificates: { names: ["a b"] }\n',
      '1:25: certificates.names[0]: "a b" is not valid. Write a DNS name or an IP address',
    ],
    ['annotations: { prefix: Fluxcd.io }\n', '1:24: annotations.prefix: "Fluxcd.io" is not valid'],
    ['log: { level: verbose }\n', '1:15: log.level: "verbose" is not one of trace'],
    ['__proto__: { listen: 1 }\n', '__proto__: is not a field'],
    ['constructor: 1\n', 'constructor: is not a field'],
    [`${'x'.repeat(300)}: 1\n`, 'is not a field'],
    [
      'listen: {}\nlisten: {}\n',
      '2:1: listen: is given twice, first in line 1. Keep one of the two',
    ],
    ['listen: {\n', 'is not YAML'],
    ['\tlisten: {}\n', '1:1: is not YAML'],
    ['listen: {}\n---\nlisten: {}\n', 'holds more than one document. Remove what follows "---"'],
    ['- listen\n', '1:1: holds no settings'],
    ['just words\n', '1:1: holds no settings'],
    ['a\0b', 'holds a NUL character'],
    ['a: &a [*a]\n', 'a: is not a field'],
  ]
  for (const [text, said] of rows) {
    const error = await failure(load(t, text))
    const shown = describeError(error)
    t.equal(error.code, 'ERR_INVALID_CONFIG', text.slice(0, 60))
    t.ok(says(shown, `tagwarden.yaml … ${said}`), `${said} <- ${shown}`)
    t.not(error.remedy, '', 'says what to do')
  }
})

t.test('several mistakes: the first is told, the others are counted', async (t) => {
  const error = await failure(load(t, 'listen: { prot: 1, adress: 2 }\ndeadlin: 3s\n'))
  t.match(error.message, /is not a field \(and 2 more\)/)
})

t.test('a file that was asked for must be there, the usual one need not', async (t) => {
  const cwd = t.testdir({ folder: {} })
  const missing = await failure(loadConfig({ file: 'nope.yaml', env: {}, cwd }))
  t.equal(
    describeError(missing),
    `${cwd}/nope.yaml: there is no such file. Give --config a YAML file`,
  )
  const byVariable = await failure(loadConfig({ env: { TAGWARDEN_CONFIG: 'no.yaml' }, cwd }))
  t.match(byVariable.position?.file, `${cwd}/no.yaml`)
  const folder = await failure(loadConfig({ file: 'folder', env: {}, cwd }))
  t.match(folder.message, 'EISDIR')
})

t.test('a huge file is refused before it is read', async (t) => {
  const cwd = t.testdir()
  writeFileSync(join(cwd, 'tagwarden.yaml'), Buffer.alloc(1024 * 1024 + 1, '#'))
  const error = await failure(loadConfig({ env: {}, cwd }))
  t.match(error.message, 'larger than 1 MiB')
})

t.test('TAGWARDEN_CONFIG names the file, --config wins over it', async (t) => {
  const cwd = t.testdir({ 'a.yaml': 'listen: { port: 1 }', 'b.yaml': 'listen: { port: 2 }' })
  const env = { TAGWARDEN_CONFIG: 'a.yaml' }
  t.match(await loadConfig({ env, cwd }), { listen: { port: 1 } })
  t.match(await loadConfig({ env, cwd, file: 'b.yaml' }), { listen: { port: 2 } })
  chmodSync(join(cwd, 'a.yaml'), 0o600)
})
