import { X509Certificate } from 'node:crypto'
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { folderStore, openCertificates } from '../../src/certificates/index.ts'
import { FILES, folder, isTrusted, nextCertificate, open, read, readAll, write } from './fixture.ts'

t.test('an empty folder gets a CA and a certificate; keys are for their owner only', async (t) => {
  const path = join(folder(t), 'deep', 'certs')
  const { certificates, problems } = await open(t, path)
  const { key, cert, ca, valid, notAfter } = certificates.current()
  t.ok(await isTrusted({ key, cert }, ca))
  t.ok(valid(Date.now()))
  t.notOk(valid(notAfter))
  t.notOk(valid(0))
  t.same(readdirSync(path).sort(), [...FILES])
  t.same(
    FILES.map((name) => statSync(join(path, name)).mode & 0o777),
    [0o644, 0o600, 0o644, 0o600].map((mode) => mode & ~process.umask()),
  )
  t.same(problems, [])
})

t.test('a second start uses what the first one made', async (t) => {
  const path = folder(t)
  await open(t, path)
  const before = readAll(path)
  const again = await open(t, path)
  t.same(readAll(path), before)
  t.equal(again.certificates.current().cert, before[2])
})

t.test('processes that start at once agree on one CA and one certificate', async (t) => {
  const path = folder(t)
  const opened = await Promise.all([open(t, path), open(t, path), open(t, path)])
  for (const { certificates } of opened) await certificates.refresh()
  const fingerprints = opened.map(({ certificates }) => certificates.current().cert)
  t.equal(new Set(fingerprints).size, 1)
})

t.test('a lock that a dead process left does not stop the next one', async (t) => {
  const path = folder(t, { '.lock': '' })
  const old = new Date(Date.now() - 60_000)
  utimesSync(join(path, '.lock'), old, old)
  const { certificates } = await open(t, path)
  t.ok(certificates.current().valid(Date.now()))
  t.notOk(readdirSync(path).includes('.lock'))
})

t.test('at two thirds of its life the certificate is renewed, under the same CA', async (t) => {
  const path = folder(t)
  const { certificates, advance } = await open(t, path)
  const first = certificates.current()
  advance(59)
  await certificates.refresh()
  t.equal(certificates.current(), first, 'not before')
  const told = nextCertificate(certificates)
  advance(2)
  await certificates.refresh()
  const second = certificates.current()
  t.equal(await told, second)
  t.not(second.cert, first.cert)
  t.not(second.key, first.key)
  t.equal(second.ca, first.ca)
  t.ok(second.notAfter > first.notAfter)
  t.equal(read(path, 'tls.crt'), second.cert)
})

t.test('a year before its end the CA gets a successor; both are trusted meanwhile', async (t) => {
  const path = folder(t)
  const { certificates, advance, problems } = await open(t, path)
  const first = certificates.current()
  advance(3650 - 360)
  await certificates.refresh()
  const second = certificates.current()
  const blocks = second.ca.match(/BEGIN CERTIFICATE/g) ?? []
  t.equal(blocks.length, 2, 'the bundle holds the new CA and the old one')
  t.ok(second.ca.includes(first.ca))
  const [next, old] = second.ca.split(/(?<=-----END CERTIFICATE-----\n)/)
  const leaf = new X509Certificate(second.cert)
  t.ok(leaf.checkIssued(new X509Certificate(old!)), 'still signed by the CA that all know')
  t.ok(new X509Certificate(first.ca).publicKey.equals(new X509Certificate(old!).publicKey))

  advance(61)
  await certificates.refresh()
  const third = new X509Certificate(certificates.current().cert)
  t.ok(third.checkIssued(new X509Certificate(next!)), 'the next one is signed by the new CA')
  t.equal(certificates.current().ca, second.ca)

  advance(300)
  await certificates.refresh()
  t.equal(certificates.current().ca, next, 'a CA that has ended leaves the bundle')
  t.same(problems, [])
})

t.test('a folder whose CA has ended while nobody looked starts afresh', async (t) => {
  const path = folder(t)
  const { certificates, advance, problems } = await open(t, path)
  const first = certificates.current()
  advance(3651)
  await certificates.refresh()
  const { key, cert, ca, valid } = certificates.current()
  t.not(ca, first.ca)
  t.ok(valid(Date.now() + 3651 * 86_400_000))
  t.ok(
    new X509Certificate(cert).checkPrivateKey((await import('node:crypto')).createPrivateKey(key)),
  )
  t.same(problems, [])
})

t.test('a name that the certificate lacks makes a new one', async (t) => {
  const path = folder(t)
  const { certificates } = await open(t, path)
  const more = await open(t, path, { names: ['127.0.0.1', 'tagwarden.system.svc', '10.1.2.3'] })
  const leaf = new X509Certificate(more.certificates.current().cert)
  t.equal(leaf.checkHost('tagwarden.system.svc'), 'tagwarden.system.svc')
  t.equal(leaf.checkIP('10.1.2.3'), '10.1.2.3')
  t.equal(more.certificates.current().ca, certificates.current().ca)
})

t.test('what dies between two files is mended at the next start', async (t) => {
  const path = folder(t, { one: {}, two: {} })
  const [one, two] = [join(path, 'one'), join(path, 'two')]
  await open(t, one)
  const before = readAll(one)
  await openCertificates({ store: folderStore(two), names: ['localhost'] }).then((each) =>
    each.close(),
  )
  const states: [title: string, break_: () => void][] = [
    ['the new tls.key with the old tls.crt', () => write(one, 'tls.key', read(two, 'tls.key'))],
    [
      'a new CA in ca.crt, its key not yet there',
      () => write(one, 'ca.crt', read(two, 'ca.crt') + before[0]),
    ],
  ]
  for (const [title, breakIt] of states) {
    for (const [index, name] of FILES.entries()) write(one, name, before[index]!)
    breakIt()
    const { certificates } = await open(t, one)
    const { key, cert, ca } = certificates.current()
    t.ok(await isTrusted({ key, cert }, ca), title)
    t.ok(await isTrusted({ key, cert }, before[0]!), `${title}: the known CA still signs`)
  }
})

t.test(
  'files that another process replaces are taken over by notice of the file system',
  async (t) => {
    const path = folder(t, { one: {}, two: {} })
    const [one, two] = [join(path, 'one'), join(path, 'two')]
    const first = await open(t, one)
    const second = await open(t, two)
    // a look that was under way may have read some files before and some after
    const { cert, ca } = second.certificates.current()
    const told = nextCertificate(first.certificates, (next) => next.cert === cert && next.ca === ca)
    for (const name of FILES) write(one, name, read(two, name))
    t.ok((await told).valid(Date.now()))
  },
)

t.test('without notices the interval finds them', async (t) => {
  const path = folder(t, { one: {}, two: {} })
  const [one, two] = [join(path, 'one'), join(path, 'two')]
  const first = await open(t, one, { interval: 20 })
  const second = await open(t, two)
  const { cert, ca } = second.certificates.current()
  const told = nextCertificate(first.certificates, (next) => next.cert === cert && next.ca === ca)
  for (const name of FILES) write(one, name, read(two, name))
  t.ok((await told).valid(Date.now()))
})

t.test('after close nothing is told any more', async (t) => {
  const path = folder(t)
  const { certificates, advance } = await open(t, path)
  certificates.subscribe(() => t.fail('told after close'))
  const before = certificates.current()
  certificates.close()
  advance(61)
  await certificates.refresh()
  t.equal(certificates.current(), before)
})

t.test('a folder that cannot be written says so and names the setting', async (t) => {
  const path = folder(t, { file: 'not a folder' })
  writeFileSync(join(path, 'x'), '')
  await t.rejects(openCertificates({ store: folderStore(join(path, 'file')), names: [] }), {
    code: 'ERR_CERTIFICATE',
    remedy: /certificates\.path/,
  })
})
