import type { Certificates } from '../certificates/types.ts'
import type { Log } from './log.ts'

/** Says in the log when another certificate, or another CA, is taken into use. */
export function logCertificates(certificates: Certificates, log: Log): void {
  let { cert, ca } = certificates.current()
  certificates.subscribe((next) => {
    if (next.cert !== cert) {
      const notAfter = new Date(next.notAfter).toISOString()
      log.info({ notAfter }, 'another serving certificate is in use')
    }
    if (next.ca !== ca) {
      log.info('another CA is in use: whoever calls the webhook has to trust the new ca.crt')
    }
    ;({ cert, ca } = next)
  })
}
