import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

/** A certificate and its key, PEM. */
export interface Issued {
  readonly certificate: string
  readonly key: string
}

/** A certificate authority for one test. */
export interface Authority {
  readonly certificate: string
  issue(commonName: string, options: Holder): Issued
  /** another authority, with a certificate of this one */
  subordinate(commonName: string): Authority
}

interface Holder {
  /** DNS names, IPv4 addresses and URIs */
  readonly names?: readonly string[]
  readonly organization?: string
  /** ms since the epoch; a day from now unless told */
  readonly end?: number
  /** what it may be used for; server and client unless told */
  readonly usage?: 'serverAuth' | 'clientAuth'
}

let serial = 1

/** Makes an authority that lives as long as the test. */
export function createAuthority(commonName: string): Authority {
  const own = newKey()
  return authorityOf(commonName, own, commonName, own)
}

type Key = ReturnType<typeof newKey>

function authorityOf(commonName: string, own: Key, issuer: string, signer: Key): Authority {
  const subject = [{ name: 'commonName', value: commonName }]
  const root = newCertificate(
    own.publicKey,
    subject,
    [{ name: 'commonName', value: issuer }],
    [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      { name: 'subjectKeyIdentifier' },
    ],
  )
  root.sign(signer.privateKey, forge.md.sha256.create())
  return {
    certificate: forge.pki.certificateToPem(root),
    subordinate: (name) => authorityOf(name, newKey(), commonName, own),
    issue: (name, { names = [], organization, end, usage }) => {
      const key = newKey()
      const holder = [{ name: 'commonName', value: name }]
      if (organization !== undefined) holder.push({ name: 'organizationName', value: organization })
      const altNames = names.map((each) =>
        /^[0-9.]+$/.test(each)
          ? { type: 7, ip: each }
          : { type: each.includes('://') ? 6 : 2, value: each },
      )
      const leaf = newCertificate(key.publicKey, holder, subject, [
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
        {
          name: 'extKeyUsage',
          serverAuth: usage !== 'clientAuth',
          clientAuth: usage !== 'serverAuth',
        },
        ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
      ])
      if (end !== undefined) leaf.validity.notAfter = new Date(end)
      leaf.sign(own.privateKey, forge.md.sha256.create())
      return { certificate: forge.pki.certificateToPem(leaf), key: key.pem }
    },
  }
}

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const key = forge.pki.privateKeyFromPem(pem)
  return { pem, privateKey: key, publicKey: forge.pki.setRsaPublicKey(key.n, key.e) }
}

function newCertificate(
  publicKey: forge.pki.rsa.PublicKey,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
  extensions: object[],
): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  certificate.serialNumber = (serial++).toString(16).padStart(2, '0')
  certificate.validity.notBefore = new Date(Date.now() - 3_600_000)
  certificate.validity.notAfter = new Date(Date.now() + 24 * 3_600_000)
  certificate.setSubject(subject)
  certificate.setIssuer(issuer)
  certificate.setExtensions(extensions)
  return certificate
}
