import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { digest } from '../fakes/facts.ts'
import { startFakeRegistry } from '../fakes/registry.ts'
import { pod, WEB } from '../review/review_texts.ts'
import { BIN, tagwarden } from './run.ts'

const LATEST = 'ghcr.io/acme/web:latest'
const GOOD = pod('ghcr.io/acme/web:v1.4.2')
const BAD = pod(`${LATEST} # the newest`)

/** A folder with a policy, an index of its repository, and manifests. */
async function world(t: Test, files: Readonly<Record<string, string>> = { 'a.yaml': BAD }) {
  const cwd = t.testdir({ policies: { 'web.yaml': WEB }, deploy: { ...files } })
  const catalog = createCatalog({ path: join(cwd, 'catalog') })
  catalog.recordTags('ghcr.io/acme/web', ['v1.2.3', 'v1.4.2', 'v2.0.0', 'latest'], Date.now())
  for (const [tag, letter] of Object.entries({ 'v1.2.3': 'a', 'v1.4.2': 'b', 'v2.0.0': 'c' })) {
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    const description = { digest: digest(letter), mediaType, platforms: ['linux/amd64'] }
    catalog.recordManifest('ghcr.io/acme/web', tag, description, Date.now())
  }
  await catalog.close()
  const run = (args: string[], input?: string) =>
    tagwarden(['review', '--offline', ...args], { cwd, ...(input !== undefined && { input }) })
  const read = (name: string) => readFileSync(join(cwd, name), 'utf8')
  return { cwd, run, read }
}

t.test('the verdict is the exit code, and the report says why', async (t) => {
  const { run } = await world(t, { 'a.yaml': BAD, 'b.yaml': GOOD })
  const bad = await run(['deploy'])
  t.equal(bad.code, 1)
  t.match(
    bad.out,
    /deploy\/a\.yaml\n.*7:14 .*\[LatestTag\].*newest is v1\.4\.2.*Use .*web:v1\.4\.2/s,
  )
  t.equal(bad.err, '')
  t.match(await run(['deploy/b.yaml']), { code: 0, err: '' })
  t.match(await run(['deploy/a.yaml', '--exclude', 'a.yaml']), { code: 0 })
  const piped = await run(['-', '--output', 'json'], BAD)
  t.equal(piped.code, 1)
  t.match(JSON.parse(piped.out), {
    door: 'review',
    findings: [{ location: { file: '-', line: 7, column: 14 } }],
  })
  t.match(await run(['--stdin'], GOOD), { code: 0 })
  const empty = { code: 2, out: /ERR_INVALID_MANIFEST -: standard input is empty\. A program/ }
  t.match(await run(['-'], ' \n'), empty, 'a renderer that failed is not all right')
  t.match(await run(['-', '-o', 'manifests'], ''), { code: 0, out: '' }, 'a release without any')
  t.match(await run(['--stdin', 'deploy/b.yaml'], BAD), { code: 1, out: /in 2 files/ }, 'both')
  t.match(await run([]), { code: 1, out: /deploy\/a\.yaml/ }, 'the working directory')
  t.match(await run(['deploy/**/b.yaml', '-n', 'shop']), { code: 0 })
})

t.test('something that cannot be looked at is exit 2, and the rest is told', async (t) => {
  const { run } = await world(t, { 'a.yaml': BAD, 'b.yaml': `${GOOD}a: b: c\n`, 'c.yaml': '\0' })
  const { code, out } = await run(['deploy', 'gone.yaml'])
  t.equal(code, 2)
  t.match(out, /ERR_INVALID_MANIFEST deploy\/b\.yaml:8:\d+: is not YAML/)
  t.match(out, /ERR_INVALID_MANIFEST deploy\/c\.yaml: is not UTF-8/)
  t.match(out, /ERR_INVALID_MANIFEST gone\.yaml: there is no such file/)
  t.match(out, /LatestTag/)
})

t.test(
  'namespaces that the webhook is not asked about are judged when they are named',
  async (t) => {
    const { run, cwd } = await world(t, { 'a.yaml': BAD.replace('shop', 'kube-system') })
    t.match(await run(['deploy']), { code: 0, out: /What belongs to kube-system is not judged/ })
    t.match(await run(['deploy', '-n', 'kube-system']), { code: 1, out: /LatestTag/ })
    const excluded = 'cluster: { webhooks: { excludedNamespaces: [shop] } }\n'
    writeFileSync(join(cwd, 'tagwarden.yaml'), `policies: [policies]\n${excluded}`)
    writeFileSync(join(cwd, 'deploy/a.yaml'), BAD)
    t.match(await run(['deploy']), { code: 0, out: /What belongs to shop is not judged/ })
  },
)

t.test('a name that is not UTF-8 is told as such', async (t) => {
  const { run, cwd } = await world(t)
  const name = Buffer.concat([
    Buffer.from(join(cwd, 'deploy/b')),
    Buffer.from([0xff, ...Buffer.from('.yaml')]),
  ])
  try {
    writeFileSync(name, BAD)
  } catch {
    return t.comment('this file system knows no such names')
  }
  const told = /has a name that is not UTF-8\. Rename/
  t.match(await run(['deploy']), { code: 2, out: /LatestTag/ })
  for (const path of ['deploy', 'deploy/*']) t.match(await run([path]), { code: 2, out: told })
})

t.test('--fix writes the remedy and nothing else', async (t) => {
  const text = `# é\r\n${BAD.replaceAll('\n', '\r\n')}---\r\n${GOOD}`
  const { run, read, cwd } = await world(t, { 'a.yaml': text, 'b.yaml': GOOD })
  const dry = await run(['deploy', '--fix', '--dry-run'])
  t.match(dry, { code: 1, err: /LatestTag|would fix 1 image in 1 file/ })
  t.match(dry.out, /^--- a\/deploy\/a\.yaml\n\+\+\+ b\/deploy\/a\.yaml\n@@ -5,7 \+5,7 @@\n/)
  t.match(dry.out, /^-.*latest # the newest\r\n\+.*v1\.4\.2 # the newest\r\n/m)
  t.equal(read('deploy/a.yaml'), text)
  const patch = spawn('patch', ['-p1', '--binary', '--dry-run'], {
    cwd,
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  patch.stdin.end(dry.out)
  t.strictSame(await once(patch, 'close').catch(() => [0, null]), [0, null])

  const before = statSync(join(cwd, 'deploy/b.yaml')).mtimeMs
  const fixed = await run(['deploy', '--fix'])
  t.match(fixed, { code: 0, err: 'tagwarden: fixed 1 image in 1 file\n' })
  t.equal(read('deploy/a.yaml'), text.replace('latest', 'v1.4.2'))
  t.equal(statSync(join(cwd, 'deploy/b.yaml')).mtimeMs, before, 'others are not touched')
  t.strictSame(readdirSync(join(cwd, 'deploy')), ['a.yaml', 'b.yaml'])
  t.match(await run(['deploy', '--pin']), { code: 0, err: /fixed 3 images in 2 files/ })
  t.match(read('deploy/b.yaml'), `web:v1.4.2@${digest('b')}\n`)
  t.match(await run(['deploy', '--pin']), { code: 0, err: '' }, 'and again there is nothing to do')
})

t.test('--output manifests is a renderer: all that came, fixed and resolved', async (t) => {
  const { run } = await world(t)
  const more = '---\n# c\nkind: Service\napiVersion: v1\n...\n'
  const text = `${BAD}${more}---\n${pod('ghcr.io/acme/web:v1.2.3')}`
  const { code, out, err } = await run(['--stdin', '--output', 'manifests'], text)
  t.equal(code, 0)
  const newest = `v1.4.2@${digest('b')}`
  t.equal(out, text.replace('latest', newest).replace('v1.2.3', newest))
  t.match(err, /fixed 2 images\n$/)
  const denied = await run(['-', '--fix', '--output', 'manifests'], pod('web'))
  t.match(denied, { code: 1, out: pod('web'), err: /LatestTag/ })
  const broken = `${BAD}---\nkind: Pod\napiVersion: v1\nimage: [\n`
  t.match(await run(['-', '--output', 'manifests'], broken), {
    code: 2,
    out: broken.replace('latest', `v1.4.2@${digest('b')}`),
  })
})

t.test('--output admission answers reviews', async (t) => {
  const { run } = await world(t)
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'shop' },
    spec: { containers: [{ name: 'a', image: LATEST }] },
  }
  const kind = { group: '', version: 'v1', kind: 'Pod' }
  const request = { uid: 'u', kind, operation: 'CREATE', namespace: 'shop', object }
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
  const { code, out } = await run(['-', '--output', 'admission'], JSON.stringify(review))
  t.equal(code, 1)
  t.match(JSON.parse(out), {
    response: { uid: 'u', allowed: false, status: { message: /LatestTag/ } },
  })
})

t.test('a baseline accepts what is there, and a run fails on what is new', async (t) => {
  const { run, cwd } = await world(t)
  t.match(await run(['deploy', '--write-baseline', 'out/base.json']), { code: 1 })
  t.match(await run(['deploy', '--baseline', 'out/base.json']), { code: 0, out: /1 accepted/ })
  writeFileSync(join(cwd, 'deploy', 'b.yaml'), BAD)
  const { code, out } = await run(['deploy', '--baseline', 'out/base.json', '--output', 'json'])
  t.equal(code, 1)
  t.match(JSON.parse(out), { findings: [{ location: { file: 'deploy/b.yaml' } }] })
  t.match(await run(['deploy', '--baseline', 'gone.json']), { code: 2, err: /ERR_USAGE/ })
})

t.test('--changed-since looks at changed documents only', async (t) => {
  const { run, cwd } = await world(t, { 'a.yaml': `${BAD}---\n${BAD}`, 'b.yaml': BAD })
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd,
      stdio: 'pipe',
    })
  git('init', '-q')
  git('add', '-A')
  git('commit', '-qm', 'x')
  const since = ['deploy', '--changed-since', 'HEAD', '--output', 'json']
  t.match(await run(since), { code: 0 })
  writeFileSync(join(cwd, 'deploy/a.yaml'), `${BAD}---\n# changed\n${BAD}`)
  writeFileSync(join(cwd, 'deploy/c.yaml'), BAD)
  const { code, out } = await run(since)
  t.equal(code, 1)
  t.strictSame(
    JSON.parse(out).findings.map(({ location }: { location: { file: string; line: number } }) => [
      location.file,
      location.line,
    ]),
    [
      ['deploy/a.yaml', 16],
      ['deploy/c.yaml', 7],
    ],
  )
  writeFileSync(join(cwd, 'deploy/d.yaml'), `# ${'\r'.repeat(40)}\n${GOOD}---\n${BAD}`)
  git('add', '-A')
  git('commit', '-qm', 'y')
  writeFileSync(join(cwd, 'deploy/d.yaml'), `# ${'\r'.repeat(40)}\n${GOOD}---\n# x\n${BAD}`)
  t.match(await run(since), { code: 1, out: /d\.yaml/ }, 'where Git counts lines otherwise')
  t.match(await run(['--changed-since', '--help']), { code: 2, err: /ERR_USAGE|argument missing/ })
  t.match(await run(['--changed-since', 'nowhere']), { code: 2, err: /ERR_GIT/ })
})

t.test('several reports are written at once', async (t) => {
  const { run, read } = await world(t)
  const result = await run([
    'deploy',
    '--report',
    'sarif=out/r.sarif',
    '--report',
    'json=out/r.json',
  ])
  t.match(result, { code: 1, out: /LatestTag/ })
  t.match(JSON.parse(read('out/r.sarif')), { version: '2.1.0', runs: [{ results: [{}] }] })
  t.match(JSON.parse(read('out/r.json')), { findings: [{ reason: 'LatestTag' }] })
  t.match(await run(['deploy', '--report', 'json=deploy/a.yaml/x']), { code: 2, err: /ERR_WRITE/ })
  for (const report of ['json', 'json=', 'json=-', '=x', 'pdf=x', '__proto__=x']) {
    t.match(await run(['deploy', '--report', report]), { code: 2, err: /ERR_USAGE/ }, report)
  }
  const same = ['--report', 'json=x', '--report', 'sarif=./x']
  t.match(await run(['deploy', ...same]), { code: 2, err: /ERR_USAGE two reports/ })
})

t.test('a report goes through a link, and never takes the place of what is open', async (t) => {
  const { run, read, cwd } = await world(t)
  mkdirSync(join(cwd, 'out'))
  symlinkSync('out/real.json', join(cwd, 'link.json'))
  symlinkSync('/proc/self/fd/1', join(cwd, 'stdout'))
  t.match(await run(['deploy', '--report', 'json=link.json']), { code: 1, err: '' })
  t.match(await run(['deploy', '--report', 'json=link.json']), { code: 1, err: '' }, 'and again')
  t.ok(lstatSync(join(cwd, 'link.json')).isSymbolicLink())
  t.match(JSON.parse(read('out/real.json')), { door: 'review' })
  if (!existsSync('/proc/self/fd')) return
  // standard output is a file here, so the link leads to a file
  const command = `"${process.execPath}" "${BIN}" review --offline deploy --report json=stdout > all.txt`
  t.equal(spawnSync('sh', ['-c', command], { cwd }).status, 1)
  t.ok(lstatSync(join(cwd, 'stdout')).isSymbolicLink())
  t.match(read('all.txt'), /^deploy\/a\.yaml\n.*LatestTag.*\n\n1 image in .*\n\{\n(?:.*\n)*\}\n$/)
})

t.test('what the shell has opened is read, and never written', async (t) => {
  const { run, cwd } = await world(t, {})
  execFileSync('mkfifo', ['pipe'], { cwd })
  const piped = async (...args: string[]) => {
    const writes = spawn('sh', ['-c', `printf '%s' "$TEXT" > pipe`], {
      cwd,
      env: { ...process.env, TEXT: BAD },
      stdio: 'inherit',
    })
    const [result] = await Promise.all([run(['pipe', ...args]), once(writes, 'close')])
    return result
  }
  t.match(await piped(), { code: 1, out: /^pipe\n +7:14 {2}deny/ })
  t.match(await piped('--fix'), { code: 2, out: /LatestTag.*ERR_WRITE pipe: is not fixed/s })
  t.match(await piped('--fix', '--dry-run'), { code: 2, out: '', err: /is not fixed/ })
})

t.test('--fail-on warn counts warnings', async (t) => {
  const { run, cwd } = await world(t)
  writeFileSync(join(cwd, 'policies/web.yaml'), WEB.replace('action: Track', 'enforcement: Warn'))
  t.match(await run(['deploy']), { code: 0, out: /LatestTag/ })
  t.match(await run(['deploy', '--fail-on', 'warn']), { code: 1 })
  t.match(await run(['deploy', '--fail-on', 'warn', '--fix']), { code: 0, err: /fixed 1 image/ })
})

t.test('without policies, the defaults count and that is said', async (t) => {
  const cwd = t.testdir({ 'a.yaml': pod('web', 'web:v1') })
  const { code, out } = await tagwarden(['review', '--offline', 'a.yaml'], { cwd })
  t.equal(code, 1)
  t.match(out, /a\.yaml\n.*LatestTag/)
  t.match(out, /No policies were given/)
  t.notOk(existsSync(join(cwd, 'catalog')), 'nothing is written')
})

t.test('a folder without a policy is no way to have everything permitted', async (t) => {
  const cwd = t.testdir({ 'a.yaml': pod('web:v1'), none: { 'web.yaml.txt': WEB }, policies: {} })
  const run = (...args: string[]) => tagwarden(['review', '--offline', 'a.yaml', ...args], { cwd })
  const named = await run('--policies', 'none')
  t.match(named, { code: 2, err: /ERR_INVALID_POLICY there is no policy in none\. Check the path/ })
  t.match(await run(), { code: 0, out: /There is no policy in \.\/policies, so only the defaults/ })
})

t.test('--index reads another index, and leaves it as it is', async (t) => {
  const { run, cwd } = await world(t)
  const index = join(cwd, 'catalog')
  const state = () =>
    readdirSync(index).map((name) => [name, readFileSync(join(index, name), 'hex')])
  const before = state()
  const args = ['review', '--offline', '--index', index, 'a.yaml', '--policies', '../policies']
  const result = await tagwarden(args, { cwd: join(cwd, 'deploy') })
  t.match(result, { code: 1, out: /newest is v1\.4\.2/ })
  t.strictSame(state(), before)
  t.match(await run(['--index', 'deploy/a.yaml', 'deploy']), { code: 2, err: /ERR_CATALOG/ })
  writeFileSync(join(index, before[0]![0]!), '{"damaged')
  t.match(await run(['--index', index, 'deploy']), {
    code: 1,
    err: /is left out.*Bring another copy/,
    out: /not known yet/,
  })
  t.strictSame(
    readdirSync(index),
    before.map(([name]) => name),
  )
  t.match(await run(['--index', 'gone']), { code: 2, err: /ERR_CATALOG/ })
})

t.test('registries are asked for what the index lacks, once for all files', async (t) => {
  const registry = await startFakeRegistry({
    repositories: { 'acme/web': ['v1.2.3', 'v1.4.2', 'latest'] },
  })
  t.teardown(() => registry.close())
  const name = `${registry.host}/acme/web`
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [
      `${index}.yaml`,
      pod(`${name}:latest`, `${name}:v1.2.3`),
    ]),
  )
  const cwd = t.testdir({
    deploy: files,
    policies: { 'web.yaml': WEB.replace('ghcr.io/acme/web', `"${name}"`) },
    'tagwarden.yaml': `policies: [policies]\ncatalog: { path: catalog }\nregistries: [{ host: "${registry.host}", insecure: true }]\n`,
  })
  const { code, out, err } = await tagwarden(['review', 'deploy', '--output', 'json'], { cwd })
  t.equal(code, 1, err)
  const report = JSON.parse(out)
  t.match(report.totals, { files: 50, denied: 50, changed: 50 })
  t.equal(report.findings[0].use, `${name}:v1.4.2`)
  t.ok(registry.requests.length < 8, `${registry.requests.length} requests`)
  const offline = await tagwarden(['review', '--offline', 'deploy/1.yaml'], { cwd })
  t.match(offline, { code: 1, out: /v1\.4\.2/ }, 'and what they said is kept')
})

t.test('Ctrl-C ends at once, with what was found so far', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const host = `127.0.0.1:${(silent.address() as { port: number }).port}`
  const cwd = t.testdir({
    'a.yaml': pod('web'),
    'b.yaml': pod(`${host}/acme/web:v1.2.3`),
    'tagwarden.yaml': `policies: [policies]\nregistries: [{ host: "${host}", insecure: true }]\n`,
    policies: { 'web.yaml': WEB.replace('ghcr.io/acme/web', `"${host}/acme/web"`) },
  })
  const asked = once(silent, 'connection')
  const bin = join(import.meta.dirname, '../../bin/tagwarden.js')
  const child = spawn(process.execPath, [bin, 'review', '--output', 'json', 'a.yaml', 'b.yaml'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (part) => {
    out += part
  })
  const [socket] = await asked
  const started = Date.now()
  child.kill('SIGINT')
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  socket.destroy()
  t.equal(code, 130)
  t.ok(Date.now() - started < 9_000, 'before the registry is given up')
  t.match(JSON.parse(out), { interrupted: true, findings: [{ image: 'web' }] })
})

t.test('labels of namespaces come from any file', async (t) => {
  const { run, cwd } = await world(t, {
    'a.yaml': pod('ghcr.io/acme/web:v9.0.0'),
    'z.yaml':
      'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { tier: front } }\n',
  })
  const policy = WEB.replace('kind: I', 'kind: ClusterI').replace(', namespace: shop', '')
  const selector = 'spec: { namespaceSelector: { matchLabels: { tier: front } },'
  writeFileSync(join(cwd, 'policies/web.yaml'), policy.replace('spec: {', selector))
  t.match(await run(['deploy']), { code: 1, out: /OutOfRange.*ClusterImagePolicy web/ })
  t.match(await run(['deploy/a.yaml']), { code: 0 })
})

t.test('a wrong command line is told with a remedy', async (t) => {
  const { run } = await world(t)
  const rows: [args: string[], message: RegExp][] = [
    [['--dry-run'], /Add --fix or --pin/],
    [['-', '--fix'], /Add --output manifests/],
    [['-', '--changed-since', 'HEAD'], /needs files/],
    [['--output', 'pdf'], /Allowed choices are/],
    [['--fail-on', 'audit'], /Allowed choices are/],
    [['--policies', 'gone'], /gone: there is no such file/],
    [['--config', 'gone.yaml'], /ERR_INVALID_CONFIG/],
    [['--cluster', '--kubeconfig', 'gone'], /gone/],
  ]
  for (const [args, message] of rows) {
    const { code, err } = await run(args, '')
    t.equal(code, 2, args.join(' '))
    t.match(err, message, args.join(' '))
    t.notMatch(err, /\n\s+at /)
  }
})
