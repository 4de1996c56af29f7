import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Block, ROOT, readPage, section } from './pages.ts'

const PAGES = ['README.md', 'docs/cli.md']
const COMMAND = /^(?:printf '[^']*' \| )?tagwarden (?:select|explain) |^node examples\/post\.js /
const STARTED = 'tagwarden listens on '

interface World {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** A folder with the examples, where nothing is configured. */
function world(t: Test): World {
  const cwd = t.testdir({ examples: t.fixture('symlink', join(ROOT, 'examples')) })
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TAGWARDEN_'))
  const env = {
    ...Object.fromEntries(own),
    TAGWARDEN_LISTEN_PORT: '0',
    TAGWARDEN_LOG_LEVEL: 'error',
    TAGWARDEN_CATALOG_PATH: join(cwd, 'catalog'),
    TAGWARDEN_CERTIFICATES_PATH: join(cwd, 'certs'),
  }
  return { cwd, env }
}

interface Run {
  readonly code: number
  readonly output: string
}

/** Runs a line as a shell would, with `tagwarden` and `node` being the ones under test. */
function run(line: string, { cwd, env }: World): Promise<Run> {
  const node = `'${process.execPath}'`
  const text = line
    .replace(/(?<=^|\| )tagwarden /, `${node} '${join(ROOT, 'bin/tagwarden.js')}' `)
    .replace(/^node /, `${node} `)
  return new Promise((resolve) => {
    execFile('sh', ['-c', text], { cwd, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : Number(error.code)
      resolve({ code, output: stdout + stderr })
    })
  })
}

/** Without what differs from day to day and from machine to machine. */
function settled(text: string): string {
  return text
    .replace(/\d+[smhd] ago/g, 'just now')
    .replace(/\b\d{4}-\d\d-\d\d\b/g, 'today')
    .replace(/\b\d\d:\d\dZ/g, 'now')
    .replace(/https:\/\/127\.0\.0\.1:\d+/g, 'https://127.0.0.1:8443')
    .replace(/(?:TAGWARDEN_URL=\S+ )?node \S*examples\/post\.js/g, 'node examples/post.js')
}

/** A page's text as a pattern: a line `…` stands for any lines, `sha256:…` for any digest. */
function shown(text: string): RegExp {
  const pattern = settled(text)
    .replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
    .replace(/^…\n/gm, '(?:.*\\n)*?')
    .replaceAll('sha256:…', 'sha256:[0-9a-f]{64}')
  return new RegExp(`^${pattern}$`)
}

function commandBlocks(): Block[] {
  return PAGES.flatMap((path) => readPage(path).blocks).filter(
    ({ language, text }) => language === 'sh' && COMMAND.test(text),
  )
}

/** The server of `npm start`, on a free port. */
async function startServer(t: Test, { cwd, env }: World) {
  const child: ChildProcess = spawn(process.execPath, [join(ROOT, 'bin/tagwarden.js'), 'serve'], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let said = ''
  for await (const part of child.stdout!) {
    said += part
    if (/post\.js warned.*\n$/.test(said)) break
  }
  const stop = async () => {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    const [code] = await exited
    return code
  }
  return { said, url: /https:\S+/.exec(said)?.[0] ?? '', stop }
}

t.test('what the pages say that commands print is what they print', async (t) => {
  const { cwd, env } = world(t)
  const server = await startServer(t, { cwd, env })
  const start = readPage('README.md').blocks.find(({ text }) => text.startsWith(STARTED))
  t.equal(settled(server.said), settled(start?.text ?? ''))

  const own = { TAGWARDEN_URL: server.url, TAGWARDEN_CA: join(cwd, 'certs/ca.crt') }
  const blocks = commandBlocks()
  t.ok(blocks.length >= 7, `${blocks.length} commands`)
  for (const { text, place, next } of blocks) {
    for (const line of text.trimEnd().split('\n')) {
      // post.js runs against the server; the others have folders of their own, as it has its own.
      const post = line.startsWith('node ')
      const { code, output } = await run(line, {
        cwd,
        env: { ...env, ...(post ? own : { TAGWARDEN_CATALOG_PATH: join(cwd, 'other') }) },
      })
      const expected = next && ['text', 'json'].includes(next.language) ? next.text : undefined
      t.equal(code === 2, expected?.startsWith('tagwarden: ERR_') === true, `${place}: ${code}`)
      if (expected !== undefined) t.match(settled(output), shown(expected), `${place}: ${line}`)
      else t.not(output, '', `${place}: ${line}`)
    }
  }
  t.equal(await server.stop(), 0)
})

t.test('what explain says of tags that another policy refuses is in reasons.md', async (t) => {
  const { output } = await run('tagwarden explain registry.example.com/acme/web', world(t))
  const example = section(readPage('docs/reasons.md'), '## OtherPolicy').split('```')[1]
  const line = example?.replace('text', '').trim() ?? ''
  t.match(line, /OtherPolicy/)
  t.ok(output.includes(`  ${line}\n`), output)
})

t.test('npm start names the three examples, and each does what is said of it', async (t) => {
  const place = world(t)
  const server = await startServer(t, place)
  const lines = server.said.split('\n').flatMap((line) => {
    const found = /^ {2}((?:TAGWARDEN_URL=\S+ )?node \S+ (\w+)) +# /.exec(line)
    return found ? [found.slice(1)] : []
  })
  t.strictSame(
    lines.map(([, name]) => name),
    ['resolved', 'denied', 'warned'],
  )
  const env = { ...place.env, TAGWARDEN_CA: join(place.cwd, 'certs/ca.crt') }
  const outputs = []
  for (const [line = ''] of lines) outputs.push((await run(line, { ...place, env })).output)
  t.match(outputs[0], /^allowed\n[\s\S]*registry\.example\.com\/acme\/web:v1\.4\.2@sha256:/)
  t.match(outputs[1], /^denied\nDeployment shop\/web has 2 images[\s\S]*LatestTag[\s\S]*OutOfRange/)
  t.match(outputs[2], /^allowed\nWarning: .*\[LatestTag\]/)
  t.equal(await server.stop(), 0)
})

t.test('a text of a page is a pattern only where it says so', (t) => {
  const rows: [page: string, output: string, fits: boolean][] = [
    ['a (b) [c] $1\n', 'a (b) [c] $1\n', true],
    ['a.c\n', 'abc\n', false],
    ['a\n…\nd\n', 'a\nb\nc\nd\n', true],
    ['a\n…\nd\n', 'a\nd\n', true],
    ['a, …\n', 'a, b\n', false],
    ['seen 3m ago\n', 'seen 10s ago\n', true],
    ['seen 3m ago\n', 'seen\n', false],
    ['x@sha256:…\n', `x@sha256:${'a'.repeat(64)}\n`, true],
    ['x@sha256:…\n', 'x@sha256:aa\n', false],
    ['a\n', 'a\nb\n', false],
  ]
  for (const [page, output, fits] of rows) {
    t.equal(shown(page).test(settled(output)), fits, JSON.stringify([page, output]))
  }
  t.end()
})
