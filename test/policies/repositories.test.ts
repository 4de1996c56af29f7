import t from 'tap'
import { file, read } from './reading.ts'

function repository(spec: object = {}, metadata: object = {}): string {
  return JSON.stringify({
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImageRepository',
    metadata: { name: 'web', ...metadata },
    spec: { image: 'ghcr.io/acme/web', ...spec },
  })
}

t.test('a repository with an image only gets the defaults of the CRD', (t) => {
  const { set, lines, notes } = read(repository())
  t.strictSame(lines, [])
  t.strictSame(notes, [])
  t.match(set.repositories, [
    {
      namespace: 'default',
      name: 'web',
      title: 'ImageRepository default/web',
      position: { file: 'f.yaml', line: 1 },
      image: 'ghcr.io/acme/web',
      interval: 600_000,
      timeout: undefined,
      provider: 'generic',
      secretRef: undefined,
      insecure: false,
      suspend: false,
      exclusionList: [],
    },
  ])
  t.ok(Object.isFrozen(set.repositories[0]))
  t.end()
})

t.test('every field reaches the compiled repository', (t) => {
  const spec = {
    image: 'nginx',
    interval: '1h30m',
    timeout: '30s',
    provider: 'generic',
    secretRef: { name: 'regcred' },
    certSecretRef: { name: 'ca' },
    proxySecretRef: { name: 'proxy' },
    insecure: true,
    suspend: true,
    exclusionList: ['^sha-', '(?i)-rc'],
  }
  const { set, lines, notes } = read(repository(spec, { namespace: 'shop' }))
  t.strictSame(lines, [])
  const [only] = set.repositories
  const { interval: _, timeout: __, image: ___, ...same } = spec
  t.match(only, { ...same, image: 'docker.io/library/nginx', interval: 5_400_000, timeout: 30_000 })
  t.strictSame(
    ['sha-abc', 'v1-RC.1', 'v1', ''].map((tag) => only?.excludes(tag)),
    [true, true, false, false],
  )
  t.strictSame(notes, [
    'ImageRepository shop/web names a Secret in secretRef and certSecretRef and proxySecretRef, which only a cluster has: its registry is asked with what the configuration says',
  ])
  t.strictSame(read(repository(spec), { secrets: true }).notes, [])
  t.end()
})

t.test('what is wrong with a repository has its place and its remedy', (t) => {
  const rows: [spec: object, says: RegExp][] = [
    [{ image: null }, /spec\.image: is missing\. Add it, such as image: "ghcr\.io\/acme\/web"/],
    [{ image: '' }, /spec\.image: is empty/],
    [{ image: ['a'] }, /spec\.image: must be a string, not a list/],
    [{ image: 'https://ghcr.io/acme/web' }, /has a scheme\. Write "ghcr\.io\/acme\/web"/],
    [{ image: 'ghcr.io/acme/web:v1' }, /has a tag or digest\. Write "ghcr\.io\/acme\/web"/],
    [{ image: 'ghcr.io/acme/*' }, /covers more than one repository\. Name one repository, and/],
    [{ image: '**' }, /covers more than one repository/],
    [{ image: '*' }, /could mean every image/],
    [{ image: 'ghcr.io' }, /names a registry only/],
    [{ image: 'ghcr.io/Acme/web' }, /is not an image repository/],
    [{ image: 'a\0b' }, /is not an image repository/],
    [{ image: 'x'.repeat(256) }, /has 256 characters, more than the 255/],
    [{ interval: '500ms' }, /interval: must be from 1s to 720h\. Write it like "30s"/],
    [{ interval: '1d' }, /interval: "1d" is not valid/],
    [{ interval: 600 }, /interval: must be a string, not a number\. Write it like "30s"/],
    [{ timeout: '1h' }, /timeout: must be from 1s to 10m/],
    [{ provider: 'aws' }, /"aws" is not one of generic/],
    [{ secretRef: 'regcred' }, /secretRef: must be an object, not a string/],
    [{ secretRef: {} }, /secretRef\.name: is missing\. Add it, such as name: "registry"/],
    [
      { secretRef: { name: 'x', namespace: 'y' } },
      /secretRef\.namespace: is not a field of secret/,
    ],
    [{ secretRef: { name: '../x' } }, /secretRef\.name: "\.\.\/x" is not valid\. Use lower-case/],
    [{ insecure: 'true' }, /insecure: must be true or false/],
    [{ exclusionList: ['a', '('] }, /exclusionList\[1\]: the pattern is not valid/],
    [{ exclusionList: ['(?=a)'] }, /exclusionList\[0\]: .*no lookahead/],
    [{ exclusionList: [''] }, /exclusionList\[0\]: is empty/],
    [{ exclusionList: Array(26).fill('a') }, /exclusionList: has 26 entries, more than the 25/],
    [{ imagee: 'x' }, /spec\.imagee: is not a field\. Write image instead/],
  ]
  for (const [spec, says] of rows) {
    const { lines, set } = read(repository(spec))
    t.match(lines, [says], JSON.stringify(spec).slice(0, 100))
    t.equal(set.repositories.length, 0)
  }
  t.end()
})

t.test('everything that is wrong is said at once', (t) => {
  const { lines } = read(repository({ image: 'a:b', interval: '1', exclusionList: ['('] }))
  t.equal(lines.length, 3)
  t.match(read(repository({ interval: '1' }, { name: 'A' })).lines, [
    /metadata\.name: "A" is not valid/,
    /spec\.interval: "1" is not valid/,
  ])
  t.end()
})

t.test('repositories of one name are told apart by namespace only', (t) => {
  const text = file(repository(), repository({}, { namespace: 'shop' }), repository())
  const { set, lines } = read(text)
  t.match(lines, [/ImageRepository default\/web is also in f\.yaml:1/])
  t.equal(set.repositories.length, 2)
  t.end()
})

t.test("Flux's ImageRepository is half of a policy, not one of these", (t) => {
  const flux = repository().replace('tagwarden.io/v1alpha1', 'image.toolkit.fluxcd.io/v1')
  t.strictSame(read(flux).set.repositories, [])
  t.end()
})
