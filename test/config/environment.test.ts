import { join } from 'node:path'
import t from 'tap'
import { CONFIG_SCHEMA, loadConfig, type Setting, VARIABLES } from '../../src/config/index.ts'
import { describeError } from '../../src/errors.ts'
import { says } from './fixture.ts'

t.test('every setting has a variable, and no two share one', (t) => {
  const leaves = (setting: Setting): number =>
    setting.properties
      ? Object.values(setting.properties).reduce((sum, field) => sum + leaves(field), 0)
      : 1
  t.equal(VARIABLES.length, leaves(CONFIG_SCHEMA))
  t.equal(new Set(VARIABLES.map(({ name }) => name)).size, VARIABLES.length)
  for (const { name } of VARIABLES) t.match(name, /^TAGWARDEN_[A-Z_]+$/)
  t.end()
})

t.test('a variable wins over the file, the file over the default', async (t) => {
  const cwd = t.testdir({ 'tagwarden.yaml': 'listen: { port: 1, address: 0.0.0.0 }' })
  const config = await loadConfig({ env: { TAGWARDEN_LISTEN_PORT: ' 9443 ' }, cwd })
  t.match(config.listen, { port: 9443, address: '0.0.0.0', drainDelay: 0 })
})

t.test('each kind of value can be given: number, size, time, list, objects', async (t) => {
  const cwd = t.testdir({ conf: { 'a.yaml': 'certificates: { path: tls }' } })
  const env = {
    HOME: '/home/ada',
    TAGWARDEN_LISTEN_BODY_LIMIT: '1048576',
    TAGWARDEN_LISTEN_DRAIN_DELAY: '5s',
    TAGWARDEN_POLICIES: 'policies, ~/more,,',
    TAGWARDEN_CERTIFICATES_NAMES: 'a.svc,10.0.0.1',
    TAGWARDEN_CATALOG_PATH: 'index',
    TAGWARDEN_DEFAULTS_UNMATCHED: 'Deny',
    TAGWARDEN_REGISTRIES: '[{"host": "r.example.com", "certificateAuthority": "ca.pem"}]',
    TAGWARDEN_IMAGE_FIELDS: '[{ group: g.io, kind: Rollout, paths: [/spec/image] }]',
    TAGWARDEN_LOG_LEVEL: '',
  }
  const config = await loadConfig({ file: 'conf/a.yaml', env, cwd })
  t.match(config, {
    listen: { bodyLimit: 1024 * 1024, drainDelay: 5_000 },
    policies: [join(cwd, 'policies'), '/home/ada/more'],
    catalog: { path: join(cwd, 'index') },
    certificates: { path: join(cwd, 'conf', 'tls'), names: ['a.svc', '10.0.0.1'] },
    defaults: { unmatched: 'Deny', latest: 'Deny' },
    registries: [{ host: 'r.example.com', certificateAuthority: join(cwd, 'ca.pem') }],
    imageFields: [{ kind: 'Rollout' }],
    log: { level: 'info' },
  })
})

t.test('a wrong value names the variable and what to write', async (t) => {
  const rows: [name: string, value: string, said: string][] = [
    ['LISTEN_PORT', 'x', ': must be a number … Write a whole number from 0 to 65535'],
    ['LISTEN_PORT', '0x1G', ': must be a number'],
    ['LISTEN_PORT', '70000', ': 70000 is no port'],
    ['CATALOG_INTERVAL', 'soon', ': "soon" is not valid. Write a number and a unit'],
    ['DEFAULTS_LATEST', 'Denny', ': "Denny" is not one of Deny, Allow. Write Deny instead'],
    ['REGISTRIES', '[{', ': must be a list … Write a list of objects'],
    ['REGISTRIES', 'host', ': must be a list'],
    ['REGISTRIES', '[{host: a.b, insecur: true}]', '[0].insecur: is not a field of registries'],
    ['IMAGE_FIELDS', '[{group: a.b, kind: R, paths: [x]}]', '[0]: x does not start with "/"'],
    ['CERTIFICATES_NAMES', 'good,b@d', '[1]: "b@d" is not valid'],
  ]
  for (const [short, value, said] of rows) {
    const name = `TAGWARDEN_${short}`
    const loading = loadConfig({ env: { [name]: value }, cwd: t.testdir() })
    const error = await loading.catch((cause: unknown) => cause)
    t.match(error, { code: 'ERR_INVALID_CONFIG' })
    const shown = describeError(error)
    t.ok(says(shown, `environment variable: ${name}${said}`), shown)
  }
})

t.test('a misspelt variable is an error, foreign ones are left alone', async (t) => {
  const cwd = t.testdir()
  const wrong = loadConfig({ env: { TAGWARDEN_LISTEN_PROT: '1' }, cwd })
  await t.rejects(wrong, {
    code: 'ERR_INVALID_CONFIG',
    remedy: 'Write TAGWARDEN_LISTEN_PORT instead',
  })
  const foreign = {
    TAGWARDEN_SERVICE_HOST: '10.0.0.1',
    TAGWARDEN_SERVICE_PORT_HTTPS: '443',
    TAGWARDEN_PORT: 'tcp://10.0.0.1:443',
    TAGWARDEN_PORT_443_TCP: 'tcp://10.0.0.1:443',
    TAGWARDEN_CACHE_OF_CI: '/tmp',
    TAGWARDEN: 'x',
    PATH: '/bin',
  }
  t.match(await loadConfig({ env: foreign, cwd }), { listen: { port: 8443 } })
})

t.test('a variable wins even over a group in the file that is wrong', async (t) => {
  const cwd = t.testdir({ 'tagwarden.yaml': 'listen: 8443' })
  t.match(await loadConfig({ env: { TAGWARDEN_LISTEN_PORT: '1' }, cwd }), { listen: { port: 1 } })
})
