import t from 'tap'
import { tagwarden } from './run.ts'

const D1 = `sha256:${'1'.repeat(64)}`
const NATIVE = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web }
spec:
  images: [ghcr.io/acme/web]
  tags: { pattern: '^v(?P<version>[0-9.]+)(-build\\.(?P<build>[0-9]+))?$', extract: '$version' }
  order: { semver: { range: ">=1.2.3 <2.0.0" } }
`
const FLUX = `apiVersion: image.toolkit.fluxcd.io/v1
kind: ImageRepository
metadata: { name: web, namespace: flux-system }
spec: { image: ghcr.io/acme/web, interval: 5m }
---
apiVersion: image.toolkit.fluxcd.io/v1
kind: ImagePolicy
metadata: { name: web, namespace: flux-system }
spec:
  imageRepositoryRef: { name: web }
  policy: { semver: { range: 1.x } }
`
const KUSTOMIZATION = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps, namespace: flux-system }
spec:
  imagePolicies:
    - name: web
      policy: { alphabetical: { order: asc } }
      oci: { image: ghcr.io/acme/web, policy: { tags: { regex: '^v1' } }, ignoreTags: ['beta'] }
`
const FOLLOW = NATIVE.replace(/ {2}tags.*\n/, '').replace(
  /semver: .*\}/,
  `digest: { allowed: ["${D1}"] } }`,
)

t.test('all three forms of policy; JSON as documented', async (t) => {
  const cwd = t.testdir({
    'native.yaml': NATIVE,
    'flux.yaml': FLUX,
    'kustomization.yaml': KUSTOMIZATION,
    'digest.yaml': FOLLOW,
    'tags.txt': 'v1.3.0\nv1.4.2-build.7\n\nv2.0.0\r\nv1.10\nlatest\nv1.3.0\n',
  })
  const run = async (policy: string, ...more: string[]) => {
    const args = ['select', '--policy', policy, '--output', 'json', ...more]
    const { code, out, err } = await tagwarden(args, {
      cwd,
      input: 'v1.0.0\nv1.1.0-beta\nv0.9.0\n',
    })
    t.equal(err, '')
    return { code, ...JSON.parse(out) }
  }
  t.strictSame(await run('native.yaml', '--tags', 'tags.txt'), {
    code: 0,
    selected: { tag: 'v1.4.2-build.7', version: '1.4.2', build: '7' },
    reason: null,
    counts: { tags: 5, matched: 4, versions: 3, permitted: 2 },
    tags: [
      { tag: 'v1.4.2-build.7', permitted: true, reason: null },
      { tag: 'v1.3.0', permitted: true, reason: null },
      { tag: 'v2.0.0', permitted: false, reason: 'OutOfRange' },
      { tag: 'latest', permitted: false, reason: 'NotMatched' },
      { tag: 'v1.10', permitted: false, reason: 'NotAVersion' },
    ],
  })
  t.match(await run('flux.yaml'), { code: 0, selected: { tag: 'v1.0.0', build: null } })
  t.match(await run('kustomization.yaml', '--tags', '-'), { code: 0, selected: { tag: 'v1.0.0' } })
  const digests = await tagwarden(['select', '-p', 'digest.yaml', '-o', 'json'], {
    cwd,
    input: `v1.0.0@${D1}\nv1.1.0@sha256:${'2'.repeat(64)}\nv1.2.0\n`,
  })
  t.match(JSON.parse(digests.out), {
    selected: { tag: 'v1.0.0' },
    tags: [{ tag: 'v1.0.0' }, { reason: 'DigestUnknown' }, { reason: 'DigestNotAllowed' }],
  })
})

t.test('exit 1 when no tag is permitted, also for an empty list', async (t) => {
  const cwd = t.testdir({ 'p.yaml': NATIVE })
  for (const input of ['', 'v3.0.0\n']) {
    const { code, out } = await tagwarden(['select', '-p', 'p.yaml', '-o', 'json'], { cwd, input })
    t.equal(code, 1)
    t.match(JSON.parse(out), { selected: null, reason: 'NoPermittedTag' })
  }
  const text = await tagwarden(['select', '-p', 'p.yaml'], { cwd, input: 'v3.0.0\n' })
  t.match(text.out, /-> no permitted tag \[NoPermittedTag\]\n x v3\.0\.0 \[OutOfRange\]/)
})

t.test('exit 2 when the policy or the input is wrong, saying where and what to do', async (t) => {
  const cwd = t.testdir({
    'good.yaml': NATIVE,
    'two.yaml': `${NATIVE}---\n${NATIVE.replace('name: web', 'name: other')}`,
    'none.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n',
    'empty.yaml': '',
    'suspended.yaml': FLUX.replace('semver: { range: 1.x } }', '$&\n  suspend: true'),
    'wrong.yaml': NATIVE.replace('semver', 'semverr'),
    'hang.yaml': NATIVE.replace(/pattern: '.*', extract/, () => "pattern: '(a+)+\\1$', extract"),
    'binary.yaml': Buffer.from([0, 1, 2, 255]).toString('latin1'),
    'bomb.yaml': `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n`,
    folder: {},
  })
  const rows: [string[], RegExp, (string | undefined)?][] = [
    [['-p', 'nowhere.yaml'], /ERR_INVALID_POLICY nowhere\.yaml: .*ENOENT/],
    [['-p', 'folder'], /ERR_INVALID_POLICY folder: .*EISDIR/],
    [['-p', 'none.yaml'], /no policy in the file/],
    [['-p', 'empty.yaml'], /no policy in the file/],
    [
      ['-p', 'suspended.yaml'],
      /no policy in the file: ImagePolicy flux-system\/web is left out: .*/,
    ],
    [['-p', 'two.yaml'], /2 policies in the file: .*--name/],
    [['-p', 'two.yaml', '--name', 'third'], /no policy is called third/],
    [['-p', 'wrong.yaml'], /wrong\.yaml:7:\d+: spec\.order.*semver/],
    [['-p', 'hang.yaml'], /hang\.yaml:6:\d+: spec\.tags\.pattern/],
    [['-p', 'binary.yaml'], /ERR_INVALID_POLICY/],
    [['-p', 'bomb.yaml'], /no policy in the file|ERR_INVALID_POLICY/],
    [['-p', 'good.yaml', '-t', 'nowhere.txt'], /ERR_INVALID_TAGS nowhere\.txt/],
    [['-p', 'good.yaml'], /ERR_INVALID_TAGS tags:2: /, 'v1.2.3\n\u001b[2J\n'],
    [['-p', 'good.yaml'], /ERR_INVALID_TAGS tags:1: /, 'x'.repeat(5000)],
    [['-p', 'good.yaml'], /ERR_INVALID_TAGS tags:2: .*one tag a line/, 'v1.2.3\nv1.2.4 v1.2.5\n'],
    [['-p', 'good.yaml'], /ERR_INVALID_TAGS tags:1: /, '{"name":"web","tags":["v1.2.3"]}\n'],
    [['-p', 'good.yaml', '-o', 'xml'], /Allowed choices are text, json/],
    [[], /required option/],
  ]
  for (const [args, message, input = 'v1.2.3\n'] of rows) {
    const { code, out, err } = await tagwarden(['select', ...args], { cwd, input })
    t.equal(code, 2, args.join(' '))
    t.equal(out, '', args.join(' '))
    t.match(err, message, args.join(' '))
    t.notMatch(err, /\n\s+at /, 'no stack')
  }
})

t.test('a pattern that would hang a backtracking engine is quick', async (t) => {
  const cwd = t.testdir({
    'p.yaml': NATIVE.replace(/pattern: '.*', extract: '.*' \}/, () => "pattern: '^(a|aa|a*)*$' }"),
  })
  const input =
    `${'a'.repeat(120)}!\n`.repeat(1) +
    Array.from({ length: 1000 }, (_, i) => `${'a'.repeat(60)}${i}!`).join('\n')
  const { code } = await tagwarden(['select', '-p', 'p.yaml'], { cwd, input })
  t.equal(code, 1)
})
