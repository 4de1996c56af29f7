import { chmod, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCredentialStore } from '../../src/registry/credentials.ts'
import { parseDockerConfig } from '../../src/registry/docker_config.ts'
import { locateRepository } from '../../src/registry/endpoint.ts'
import { base64, failureOf } from './pair.ts'

const SECRET = 'hunter2-very-secret'
const entry = { auth: base64(`ann:${SECRET}`) }

function find(auths: object, host: string, path = 'acme/web') {
  return parseDockerConfig(JSON.stringify({ auths }), 'config.json').stored(host, path)
}

t.test('an entry is found under every spelling that tools write', (t) => {
  const rows = [
    ['registry.example.com', 'registry.example.com'],
    ['https://registry.example.com', 'registry.example.com'],
    ['https://registry.example.com/v2/', 'registry.example.com'],
    ['http://Registry.Example.com/v1/', 'registry.example.com'],
    ['registry.example.com:5000', 'registry.example.com:5000'],
    ['[::1]:5000', '[::1]:5000'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['registry.example.com/acme', 'registry.example.com'],
    ['registry.example.com/acme/web', 'registry.example.com'],
  ] as const
  for (const [key, host] of rows) {
    t.match(find({ [key]: entry }, host), { kind: 'basic', username: 'ann', password: SECRET }, key)
  }
  t.end()
})

t.test('credentials of one registry never serve another', (t) => {
  const rows = [
    ['registry.example.com', 'registry.example.com.evil.test'],
    ['registry.example.com', 'registry.example.com:5000'],
    ['registry.example.com:5000', 'registry.example.com'],
    ['example.com', 'registry.example.com'],
    ['registry.example.com/acm', 'registry.example.com'],
    ['registry.example.com/acme/web/x', 'registry.example.com'],
    ['__proto__', 'registry.example.com'],
    ['', 'registry.example.com'],
  ] as const
  for (const [key, host] of rows) t.equal(find({ [key]: entry }, host), undefined, key)
  t.end()
})

t.test('the longest path wins, and an empty entry is passed over', (t) => {
  const auths = {
    'example.com': { username: 'host', password: 'p' },
    'example.com/acme/web': { username: 'web', password: 'p' },
    'example.com/acme': { username: 'acme', password: 'p' },
    'example.com/acme/empty': {},
  }
  const user = (path: string) => {
    const found = find(auths, 'example.com', path)
    return found?.kind === 'basic' ? found.username : undefined
  }
  t.equal(user('acme/web'), 'web')
  t.equal(user('acme/web2'), 'acme')
  t.equal(user('acme/empty'), 'acme')
  t.equal(user('other'), 'host')
  t.end()
})

t.test('refresh and registry tokens are told from passwords', (t) => {
  t.match(find({ h: { identitytoken: 'r', auth: entry.auth } }, 'h'), {
    kind: 'identity',
    token: 'r',
  })
  t.match(find({ h: { registrytoken: 'b' } }, 'h'), { kind: 'bearer', token: 'b' })
  t.match(find({ h: { username: '<token>', password: 'r' } }, 'h'), {
    kind: 'identity',
    token: 'r',
  })
  t.match(find({ h: { auth: base64('a:b:c') } }, 'h'), { username: 'a', password: 'b:c' })
  t.end()
})

t.test('a wrong file is said without a word of its contents', (t) => {
  const rows = [
    ['not json', `{"auths": {"h": {"auth": "${SECRET}"`],
    ['no colon', JSON.stringify({ auths: { h: { auth: base64(SECRET) } } })],
    ['no text', JSON.stringify({ auths: { h: { auth: 'YTr/' } } })],
    ['line break', JSON.stringify({ auths: { h: { auth: base64(`a:${SECRET}\r\nX: y`) } } })],
    ['NUL', JSON.stringify({ auths: { h: { username: 'a\0', password: SECRET } } })],
    ['token', JSON.stringify({ auths: { h: { registrytoken: `${SECRET}\n` } } })],
  ] as const
  for (const [what, text] of rows) {
    let failure: unknown
    try {
      parseDockerConfig(text, 'config.json').stored('h', 'acme/web')
    } catch (error) {
      failure = error
    }
    t.match(failure, { code: 'ERR_CREDENTIALS', message: /config\.json/, cause: undefined }, what)
    t.notMatch((failure as Error).stack, SECRET, what)
  }
  t.end()
})

t.test('a file of another shape holds nothing', (t) => {
  for (const text of [
    '{}',
    '[]',
    'null',
    '1',
    '{"auths":[]}',
    '{"auths":{"h":"x"}}',
    '{"auths":null}',
  ]) {
    t.equal(parseDockerConfig(text, 'f').stored('h', 'a'), undefined, text)
    t.equal(parseDockerConfig(text, 'f').helper('h'), undefined, text)
  }
  t.end()
})

function store(path: string, time = { now: 0 }) {
  const found = createCredentialStore({ now: () => time.now, sleep: async () => {} })
  const repository = (host: string) =>
    locateRepository(`${host}/acme/web`, [{ host, auth: { dockerConfig: path } }])
  return {
    find: (host: string) => found.find(repository(host)),
    forget: (host: string) => found.forget(repository(host)),
  }
}

t.test('new credentials are used as soon as the file has changed', async (t) => {
  const path = join(
    t.testdir({ 'config.json': JSON.stringify({ auths: { h: entry } }) }),
    'config.json',
  )
  const { find } = store(path)
  t.match(await find('h'), { password: SECRET })
  await writeFile(path, JSON.stringify({ auths: { h: { auth: base64('ann:new') } } }))
  await utimes(path, new Date(), new Date(Date.now() + 5000))
  t.match(await find('h'), { password: 'new' })
})

t.test('a file that is not there is an error, not an anonymous request', async (t) => {
  const path = join(t.testdir({}), 'config.json')
  const failure = await failureOf(store(path).find('h'))
  t.match(failure, { code: 'ERR_CREDENTIALS', remedy: /auth\.dockerConfig/ })
  t.match(failure.message, `${path} cannot be read (ENOENT)`)
})

t.test('a host without auth in its settings is asked anonymously', async (t) => {
  const found = createCredentialStore({ now: Date.now, sleep: async () => {} })
  t.equal(await found.find(locateRepository('h/acme', [])), undefined)
})

/** A folder with a configuration and a credential helper, put on the search path. */
function helper(t: Test, config: object, script: string): string {
  const folder = t.testdir({
    'config.json': JSON.stringify(config),
    'docker-credential-fake': script,
  })
  const path = process.env.PATH
  process.env.PATH = `${folder}:${path}`
  t.teardown(() => {
    process.env.PATH = path
  })
  return folder
}

async function executable(folder: string): Promise<string> {
  await chmod(join(folder, 'docker-credential-fake'), 0o755)
  return join(folder, 'config.json')
}

const COUNTING = `#!/bin/sh
echo x >> "$(dirname "$0")/calls"
read server
[ "$1" = get ] && printf '{"ServerURL":"%s","Username":"ann","Secret":"for-%s"}' "$server" "$server"
`

t.test(
  'a credential helper is asked for the host, and its answer is kept for a while',
  async (t) => {
    const folder = helper(t, { credHelpers: { h: 'fake', 'docker.io': 'fake' } }, COUNTING)
    const time = { now: 0 }
    const { find, forget } = store(await executable(folder), time)
    const calls = async () => (await readFile(join(folder, 'calls'), 'utf8')).length / 2
    t.match(await find('h'), { kind: 'basic', username: 'ann', password: 'for-h' })
    await find('h')
    t.equal(await calls(), 1)
    t.match(await find('docker.io'), { password: 'for-https://index.docker.io/v1/' })
    t.equal(await calls(), 2)
    time.now += 6 * 60_000
    await find('h')
    t.equal(await calls(), 3)
    forget('h')
    await find('h')
    t.equal(await calls(), 4)
  },
)

t.test('a helper that has none leaves the word to the file', async (t) => {
  const none = '#!/bin/sh\necho "credentials not found in native keychain"\nexit 1\n'
  const folder = helper(t, { credsStore: 'fake', auths: { h: entry } }, none)
  const { find } = store(await executable(folder))
  t.match(await find('h'), { password: SECRET })
  t.equal(await find('other'), undefined)
})

t.test('a helper that fails is named, and what it printed is not', async (t) => {
  const rows = [
    [
      `#!/bin/sh\necho ${SECRET}\necho ${SECRET} >&2\nexit 3\n`,
      /docker-credential-fake failed \(3\)/,
    ],
    [`#!/bin/sh\necho '{"Username": "${SECRET}'\n`, /printed no credentials/],
    [`#!/bin/sh\necho '{"Username": 1, "Secret": 2}'\n`, /printed no credentials/],
  ] as const
  for (const [script, expected] of rows) {
    const folder = helper(t, { credsStore: 'fake' }, script)
    const failure = await failureOf(store(await executable(folder)).find('h'))
    t.match(failure, { code: 'ERR_CREDENTIALS', message: expected })
    t.notMatch(`${failure.stack} ${failure.cause}`, SECRET)
  }
})

t.test('the name of a helper cannot start another program', async (t) => {
  for (const name of ['../../bin/sh', 'x;id', 'x y', 'X', 'a'.repeat(65)]) {
    const folder = t.testdir({ 'config.json': JSON.stringify({ credsStore: name }) })
    const failure = await failureOf(store(join(folder, 'config.json')).find('h'))
    t.match(failure, { code: 'ERR_CREDENTIALS', message: /may hold a-z/ }, name)
  }
  const folder = t.testdir({ 'config.json': JSON.stringify({ credsStore: 'not-there' }) })
  const failure = await failureOf(store(join(folder, 'config.json')).find('h'))
  t.match(failure.message, 'docker-credential-not-there is not installed')
})
