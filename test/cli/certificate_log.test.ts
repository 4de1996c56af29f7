import t from 'tap'
import type { ServingCertificate } from '../../src/certificates/index.ts'
import { logCertificates } from '../../src/cli/certificate_log.ts'
import { changeable } from '../server/fixture.ts'

t.test('another certificate is told, and another CA', (t) => {
  const first: ServingCertificate = {
    ...{ key: 'k1', cert: 'c1', ca: 'a1', notBefore: 0, notAfter: Date.UTC(2026, 10, 24) },
    valid: () => true,
  }
  const certificates = changeable(first)
  const lines: string[] = []
  const info = (...parts: unknown[]) =>
    void lines.push(parts.map((part) => JSON.stringify(part)).join(' '))
  logCertificates(certificates as never, { info } as never)
  const change = (next: Partial<ServingCertificate>) => {
    certificates.change({ ...certificates.current(), ...next })
    return lines.splice(0)
  }
  t.strictSame(change({}), [])
  t.match(change({ key: 'k2', cert: 'c2' }), [
    /^\{"notAfter":"2026-11-24T00:00:00.000Z"\} "another serving certificate is in use"$/,
  ])
  t.match(change({ ca: 'a2' }), [/another CA is in use.*new ca\.crt/])
  const both = change({ cert: 'c3', ca: 'a3' })
  t.match(both, [/another serving certificate/, /another CA is in use/])
  t.equal(both.length, 2)
  t.strictSame(change({}), [], 'each once')
  t.end()
})
