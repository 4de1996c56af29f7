import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { folderStore, openCertificates } from '../../src/certificates/index.ts'
import { logCertificates } from '../../src/cli/certificate_log.ts'

t.test('another certificate is told, and another CA', async (t) => {
  const path = t.testdir()
  const certificates = await openCertificates({ store: folderStore(path), names: ['127.0.0.1'] })
  t.teardown(() => certificates.close())
  const lines: string[] = []
  const info = (...parts: unknown[]) => void lines.push(String(parts.at(-1)))
  logCertificates(certificates, { info } as never)
  await certificates.refresh()
  t.same(lines, [])

  await rm(join(path, 'tls.crt'))
  await certificates.refresh()
  t.match(lines, [/^another serving certificate is in use$/])

  for (const name of ['ca.crt', 'ca.key', 'tls.crt', 'tls.key']) await rm(join(path, name))
  await certificates.refresh()
  t.match(lines.slice(1), [/another serving certificate/, /another CA is in use.*new ca\.crt/])
})
