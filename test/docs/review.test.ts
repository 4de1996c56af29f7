import { execFile } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { digest } from '../fakes/facts.ts'
import { WEB } from '../review/review_texts.ts'
import { ROOT, readPage } from './pages.ts'

const COMMAND = /\btagwarden review /
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  template:
    spec:
      containers:
        - name: app
          image: ghcr.io/acme/web:latest # the newest
          ports: [{ containerPort: 8080 }]
`

/** A repository as the page imagines it, on a branch that has changed a manifest. */
async function world(t: Test) {
  const script = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'bin/tagwarden.js')}' "$@"\n`
  const render = `#!/bin/sh\ncat deploy/web.yaml\n`
  const cwd = t.testdir({
    bin: { tagwarden: script, helm: render, kustomize: render, kubectl: '#!/bin/sh\ncat\n' },
    work: {
      policies: { 'web.yaml': WEB },
      deploy: { 'web.yaml': `${DEPLOYMENT}# before\n` },
      '.tagwarden': {},
    },
  })
  for (const name of ['tagwarden', 'helm', 'kustomize', 'kubectl'])
    chmodSync(join(cwd, 'bin', name), 0o755)
  const work = join(cwd, 'work')
  const index = join(work, '.tagwarden/index')
  const catalog = createCatalog({ path: index })
  catalog.recordTags('ghcr.io/acme/web', ['v1.2.3', 'v1.4.2', 'v2.0.0'], Date.now())
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const description = { digest: digest('b'), mediaType, platforms: ['linux/amd64'] }
  catalog.recordManifest('ghcr.io/acme/web', 'v1.4.2', description, Date.now())
  await catalog.close()
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('TAGWARDEN_'))
  const env = {
    ...Object.fromEntries(own),
    PATH: `${join(cwd, 'bin')}:${process.env['PATH']}`,
    TAGWARDEN_CATALOG_PATH: index,
  }
  const run = (line: string): Promise<{ code: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile('bash', ['-o', 'pipefail', '-c', line], { cwd: work, env }, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code), out, err })
      })
    })
  await run(
    'git init -qb main && git add deploy && git -c user.name=a -c user.email=a@b commit -qm x && git update-ref refs/remotes/origin/main HEAD',
  )
  writeFileSync(join(work, 'deploy/web.yaml'), DEPLOYMENT)
  return { work, run }
}

const PAGES = ['docs/review.md', 'docs/cli.md']
const settled = (text: string) => text.replace(/\d+[smh] ago/g, 'just now')

t.test('each command of the pages works, and prints what they say', async (t) => {
  const blocks = PAGES.flatMap((path) => readPage(path).blocks).filter(
    ({ language, text }) => language === 'sh' && COMMAND.test(text),
  )
  t.ok(blocks.length >= 8, `${blocks.length} blocks`)
  for (const { text, place, next } of blocks) {
    const { run } = await world(t)
    for (const line of text.trimEnd().split('\n')) {
      const { code, out, err } = await run(line)
      t.ok(code <= 1, `${place}: ${line}: ${code} ${err}`)
      const shown = next?.language === 'text' ? next.text : undefined
      if (shown !== undefined) t.equal(settled(out), settled(shown), `${place}: ${line}`)
      else if (!line.includes('>')) t.not(out + err, '', line)
    }
  }
})

t.test('the script of the post-renderer fixes what passes through it', async (t) => {
  const { work, run } = await world(t)
  const line = /`exec (tagwarden review [^`]*)`/.exec(readPage('docs/review.md').text)?.[1] ?? ''
  const { code, out } = await run(`cat deploy/web.yaml | ${line}`)
  t.equal(code, 0)
  t.equal(
    out,
    readFileSync(join(work, 'deploy/web.yaml'), 'utf8').replace('latest', `v1.4.2@${digest('b')}`),
  )
})

t.test('the forms that the page names are those that there are', async (t) => {
  const { run } = await world(t)
  const { err } = await run('tagwarden review --output x')
  const forms = /Allowed choices are (.*)\./.exec(err)?.[1]?.split(', ') ?? []
  const { text } = readPage('docs/review.md')
  t.ok(forms.length >= 8)
  for (const form of forms)
    t.ok(text.includes(`\`${form}\``) || text.includes(`--output ${form}\``), form)
})
