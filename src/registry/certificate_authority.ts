import { X509Certificate } from 'node:crypto'
import { getCACertificates } from 'node:tls'
import { TagwardenError } from '../errors.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * The certificates of a PEM file together with the ones trusted anyway.
 *
 * @throws TagwardenError ERR_CERTIFICATE
 */
export function readAuthority(text: string, path: string): string[] {
  const certificates = text.match(CERTIFICATE) ?? []
  try {
    if (certificates.length === 0) throw new Error('no certificate in it')
    for (const pem of certificates) new X509Certificate(pem)
  } catch (cause) {
    throw new TagwardenError('ERR_CERTIFICATE', `${path} holds no certificate that can be used`, {
      cause,
      remedy: 'Put the certificate of the authority there, in PEM form (BEGIN CERTIFICATE)',
    })
  }
  return [...getCACertificates('default'), ...certificates]
}
