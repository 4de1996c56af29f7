import { generateKeyPair, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import type { pki } from 'node-forge'
import type { KeyPair } from './types.ts'

export const DAY = 86_400_000
const SERVING_DAYS = 90
const AUTHORITY_DAYS = 3_650

/** Clients' clocks may be behind. */
const SKEW = 3_600_000

/** Makes a CA. */
export async function issueAuthority(now: number): Promise<KeyPair> {
  const [forge, keys] = await Promise.all([import('node-forge'), newKeys()])
  const { pki, md } = forge.default
  const certificate = blank(pki, keys.publicKey, now, now + AUTHORITY_DAYS * DAY)
  const subject = [{ name: 'commonName', value: `Tagwarden CA ${randomBytes(4).toString('hex')}` }]
  certificate.setSubject(subject)
  certificate.setIssuer(subject)
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
    { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
    { name: 'subjectKeyIdentifier' },
  ])
  certificate.sign(pki.privateKeyFromPem(keys.privateKey), md.sha256.create())
  return { key: keys.privateKey, cert: toPem(pki, certificate) }
}

interface ServingRequest {
  /** DNS names and IP addresses */
  readonly names: readonly string[]
  readonly now: number
}

/** Makes a serving certificate; it ends with its CA at the latest. The CA may still be in the making. */
export async function issueServing(
  signer: KeyPair | Promise<KeyPair>,
  { names, now }: ServingRequest,
): Promise<KeyPair> {
  const making = [import('node-forge'), newKeys(), signer] as const
  const [forge, keys, authority] = await Promise.all(making)
  const { pki, md } = forge.default
  const issuer = pki.certificateFromPem(authority.cert)
  const end = Math.min(now + SERVING_DAYS * DAY, issuer.validity.notAfter.getTime())
  const certificate = blank(pki, keys.publicKey, now, end)
  certificate.setSubject([{ name: 'commonName', value: 'tagwarden' }])
  certificate.setIssuer(issuer.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: names.map(altName) },
    { name: 'subjectKeyIdentifier' },
    {
      name: 'authorityKeyIdentifier',
      keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes(),
    },
  ])
  certificate.sign(pki.privateKeyFromPem(authority.key), md.sha256.create())
  return { key: keys.privateKey, cert: toPem(pki, certificate) }
}

/** Node makes the keys: in threads of its own, and many times faster than forge. */
function newKeys(): Promise<{ publicKey: string; privateKey: string }> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}

function blank(forge: typeof pki, publicKey: string, now: number, end: number): pki.Certificate {
  const certificate = forge.createCertificate()
  certificate.publicKey = forge.publicKeyFromPem(publicKey)
  certificate.serialNumber = randomSerial()
  certificate.validity.notBefore = new Date(now - SKEW)
  certificate.validity.notAfter = new Date(end)
  return certificate
}

/** forge ends lines as Windows does. */
function toPem(forge: typeof pki, certificate: pki.Certificate): string {
  return forge.certificateToPem(certificate).replaceAll('\r\n', '\n')
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets. */
function randomSerial(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40
  return bytes.toString('hex')
}

/** RFC 5280 §4.2.1.6: dNSName is 2, iPAddress is 7. */
function altName(name: string) {
  return isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }
}
