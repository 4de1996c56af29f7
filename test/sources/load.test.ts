import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { describeError, type TagwardenError } from '../../src/errors.ts'
import { loadPolicies } from '../../src/sources/index.ts'
import { policy, writeConfigMap } from './folder.ts'

async function names(...paths: string[]): Promise<string[]> {
  const { set } = await loadPolicies({ paths })
  return set.policies.map(({ name }) => name)
}

async function failure(...paths: string[]): Promise<Error> {
  const error = await loadPolicies({ paths }).catch((cause: unknown) => cause)
  if (!(error instanceof Error)) throw new Error('it was loaded')
  return error
}

t.test('folders are read with all below them, in the order of their paths', async (t) => {
  const dir = t.testdir({
    'z.yaml': policy('z'),
    'b.json': JSON.stringify({
      apiVersion: 'tagwarden.io/v1alpha1',
      kind: 'ImagePolicy',
      metadata: { name: 'b' },
      spec: { images: ['b'], order: { numerical: {} } },
    }),
    a: { 'x.yml': policy('ax'), deeper: { 'y.YAML': policy('ay') } },
    'README.md': 'not: [yaml',
    'values.txt': 'x',
    '.hidden.yaml': 'a: [',
    '.git': { 'config.yaml': 'a: [' },
    'other.yaml': 'apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: Secret',
    'empty.yaml': '',
  })
  const { set, files, skipped } = await loadPolicies({ paths: [dir] })
  t.strictSame(
    set.policies.map(({ name }) => name),
    ['ay', 'ax', 'b', 'z'],
  )
  t.strictSame([files, skipped], [6, 2])
  t.equal(set.policies[0]?.position?.file, join(dir, 'a/deeper/y.YAML'))
})

t.test('single files are read whatever they are called, and several paths together', async (t) => {
  const dir = t.testdir({ policy: policy('a'), more: { 'b.yaml': policy('b') }, none: {} })
  t.strictSame(await names(join(dir, 'policy')), ['a'])
  t.strictSame(await names(join(dir, 'policy'), join(dir, 'more')), ['b', 'a'])
  t.strictSame(await names(dir, join(dir, 'more'), join(dir, 'more/b.yaml')), ['b'], 'each once')
  t.strictSame(await names(join(dir, 'none')), [])
  t.strictSame(await names(), [])
})

t.test("Flux's pair may stand in two files", async (t) => {
  const dir = t.testdir({
    'policy.yaml': `apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: { name: web }
spec: { imageRepositoryRef: { name: web }, policy: { semver: { range: 1.x } } }`,
    'repository.yaml': `apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: { name: web }
spec: { image: ghcr.io/acme/web, interval: 1m }`,
  })
  t.strictSame(await names(dir), ['web'])
})

t.test('a mounted ConfigMap is read once, through its links', async (t) => {
  const dir = t.testdir({})
  writeConfigMap(dir, '2026_11_24', { 'a.yaml': policy('a'), 'b.yaml': policy('b') })
  t.strictSame(await names(dir), ['a', 'b'])
})

t.test('links that lead back up, or nowhere, do no harm', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a'), sub: {} })
  symlinkSync('..', join(dir, 'sub', 'up'))
  symlinkSync('nowhere', join(dir, 'sub', 'dangling.yaml'))
  t.strictSame(await names(dir), ['a'])
})

t.test('a wrong policy is an error with file, line, field and remedy', async (t) => {
  const dir = t.testdir({ 'web.yaml': `${policy('web')}  imags: [x]\n` })
  const error = await failure(dir)
  t.match(error, { code: 'ERR_INVALID_POLICY', remedy: 'Write images instead' })
  t.equal(
    describeError(error).replace(dir, ''),
    '/web.yaml:7:3: spec.imags: is not a field. Write images instead',
  )
})

t.test('several problems come together, in the order of files and lines', async (t) => {
  const wrong = `${policy('web', 'x.y')}  imags: [x]\n`
  const dir = t.testdir({ 'b.yaml': wrong, 'a.yaml': policy('a', 'no'), 'c.yaml': policy('a') })
  const error = (await failure(dir)) as AggregateError
  const problems = error.errors as TagwardenError[]
  t.strictSame(
    problems.map(({ position }) => `${position?.file.slice(dir.length)}:${position?.line}`),
    ['/a.yaml:6', '/b.yaml:6', '/b.yaml:7', '/c.yaml:1'],
  )
  t.match(error.message, /^4 problems in the policies:\n.*a\.yaml:6:/)
  t.equal(error.message.split('\n').length, 5)
})

t.test('of very many problems, twenty are shown', async (t) => {
  const dir = t.testdir({
    'a.yaml': Array.from({ length: 50 }, (_, i) => policy(`p${i}`, 'no')).join('---\n'),
  })
  const error = (await failure(dir)) as AggregateError
  t.equal(error.errors.length, 50)
  t.equal(error.message.split('\n').length, 22)
  t.match(error.message, /\nand 30 more$/)
})

t.test('files that cannot be policies are named', async (t) => {
  const dir = t.testdir({
    'large.yaml': '#'.repeat(4 * 1024 * 1024 + 1),
    'latin.yaml': Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]),
    'wide.yaml': Buffer.from('\ufeffa: 1', 'utf16le'),
    'nul.yaml': 'a: \0',
  })
  const rows = [
    ['large.yaml', /is larger than 4 MiB\. Split it/],
    ['latin.yaml', /is not UTF-8 text\. Save it as UTF-8/],
    ['wide.yaml', /is not UTF-8 text/],
    ['nul.yaml', /holds a NUL character/],
    ['missing.yaml', /there is no such file or folder\. Make it, or change policies/],
    ['', /4 problems/],
  ] as const
  for (const [name, says] of rows)
    t.match(describeError(await failure(join(dir, name))), says, name)
  t.match(await failure(join(dir, 'missing')), { code: 'ERR_INVALID_CONFIG' })
})

t.test('a file that cannot be read is named', async (t) => {
  const dir = t.testdir({})
  symlinkSync('a.yaml', join(dir, 'a.yaml'))
  t.match(describeError(await failure(dir)), /a\.yaml: cannot be read \(ELOOP\)\. Let the user/)
})

t.test('the configured enforcement reaches the policies', async (t) => {
  const dir = t.testdir({ 'a.yaml': policy('a') })
  const { set } = await loadPolicies({ paths: [dir], enforcement: 'Warn' })
  t.equal(set.policies[0]?.enforcement, 'Warn')
})

t.test('what is left out on purpose is noted', async (t) => {
  const dir = t.testdir({})
  writeFileSync(
    join(dir, 'flux.yaml'),
    `apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: { name: web }
spec: { suspend: true, imageRepositoryRef: { name: web }, policy: { semver: { range: 1.x } } }
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: { name: web }
spec: { image: ghcr.io/acme/web, interval: 1m }`,
  )
  const { notes, set } = await loadPolicies({ paths: [dir] })
  t.strictSame(
    [notes, set.policies],
    [['ImagePolicy default/web is left out: it is suspended'], []],
  )
})
