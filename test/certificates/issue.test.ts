import { execFileSync, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { issueAuthority, issueServing } from '../../src/certificates/index.ts'
import { DAY, isTrusted } from './fixture.ts'

const NAMES = ['127.0.0.1', 'localhost', '::1', 'tagwarden.system.svc']

t.test('clients that trust the CA accept the certificate for each of its names', async (t) => {
  const authority = await issueAuthority(Date.now())
  const serving = await issueServing(authority, { names: NAMES, now: Date.now() })
  const leaf = new X509Certificate(serving.cert)
  t.ok(leaf.checkIssued(new X509Certificate(authority.cert)))
  t.ok(leaf.verify(new X509Certificate(authority.cert).publicKey))
  t.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1')
  t.ok(leaf.checkIP('::1'))
  t.equal(leaf.checkHost('localhost'), 'localhost')
  t.notOk(leaf.checkHost('example.com'))
  t.ok(await isTrusted(serving, authority.cert))
  t.ok(await isTrusted(serving, authority.cert, 'tagwarden.system.svc'))
  t.notOk(await isTrusted(serving, authority.cert, 'example.com'))
  const stranger = await issueAuthority(Date.now())
  t.notOk(await isTrusted(serving, stranger.cert))
})

t.test('it has what the TLS of Go asks for, and stricter checkers too', async (t) => {
  const path = t.testdir()
  const authority = await issueAuthority(Date.now())
  const serving = await issueServing(authority, { names: NAMES, now: Date.now() })
  writeFileSync(join(path, 'ca.crt'), authority.cert)
  writeFileSync(join(path, 'tls.crt'), serving.cert)
  const openssl = spawnSync('openssl', ['version'])
  if (openssl.error) {
    t.comment('openssl is not on this machine: its strict check is left out')
  } else {
    const strict = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      'ca.crt',
      'tls.crt',
    ]
    t.match(execFileSync('openssl', strict, { cwd: path, encoding: 'utf8' }), 'tls.crt: OK')
  }
  const forge = (await import('node-forge')).default
  const leaf = forge.pki.certificateFromPem(serving.cert)
  const ca = forge.pki.certificateFromPem(authority.cert)
  t.match(leaf.getExtension('basicConstraints'), { critical: true, cA: false })
  t.match(leaf.getExtension('keyUsage'), { critical: true, digitalSignature: true })
  t.match(leaf.getExtension('extKeyUsage'), { serverAuth: true })
  t.match(ca.getExtension('basicConstraints'), { critical: true, cA: true, pathLenConstraint: 0 })
  t.match(ca.getExtension('keyUsage'), { critical: true, keyCertSign: true })
  const subject = ca.getExtension('subjectKeyIdentifier') as { subjectKeyIdentifier: string }
  const signer = leaf.getExtension('authorityKeyIdentifier') as { value: string }
  t.match(Buffer.from(signer.value, 'latin1').toString('hex'), subject.subjectKeyIdentifier)
})

t.test('it lasts 90 days, the CA ten years, and never longer than its CA', async (t) => {
  const now = Date.now()
  const authority = await issueAuthority(now)
  const days = (text: string) => {
    const { validFromDate, validToDate } = new X509Certificate(text)
    return [validFromDate, validToDate].map((date) => Math.round((date.getTime() - now) / DAY))
  }
  t.same(days(authority.cert), [0, 3650])
  t.same(days((await issueServing(authority, { names: NAMES, now })).cert), [0, 90])
  const late = await issueServing(authority, { names: NAMES, now: now + 3640 * DAY })
  t.same(days(late.cert), [3640, 3650])
  const { validFromDate } = new X509Certificate(authority.cert)
  t.ok(now - validFromDate.getTime() >= 3_599_000, 'a clock that is an hour behind accepts it')
})

t.test('serial numbers are positive, of 16 octets, and never the same', async (t) => {
  const authority = await issueAuthority(Date.now())
  const serials = new Set<string>([new X509Certificate(authority.cert).serialNumber])
  for (let i = 0; i < 3; i++) {
    const { cert } = await issueServing(authority, { names: NAMES, now: Date.now() })
    serials.add(new X509Certificate(cert).serialNumber)
  }
  t.equal(serials.size, 4)
  for (const serial of serials) t.match(serial, /^[4-7][0-9A-F]{31}$/)
})
