import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { folderStore, LOOPBACK, openCertificates } from '../../src/certificates/index.ts'
import { certificateFigures } from '../../src/cli/certificate_figures.ts'

t.test('the metrics tell when certificate and CA end, also without a cluster', async (t) => {
  const certificates = await openCertificates({ store: folderStore(t.testdir()), names: LOOPBACK })
  t.teardown(() => certificates.close())
  const current = certificates.current()
  t.strictSame(certificateFigures(current), [
    { name: 'serving', notAfter: new X509Certificate(current.cert).validToDate.getTime() },
    { name: 'ca', notAfter: new X509Certificate(current.ca).validToDate.getTime() },
  ])
  t.strictSame(certificateFigures({ ...current, ca: '' }), [
    { name: 'serving', notAfter: current.notAfter },
  ])
})
