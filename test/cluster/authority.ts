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
  issue(
    commonName: string,
    options: { readonly names?: readonly string[]; readonly organization?: string },
  ): Issued
}

let serial = 1

/** Makes an authority that lives as long as the test. */
export function createAuthority(commonName: string): Authority {
  const own = newKey()
  const subject = [{ name: 'commonName', value: commonName }]
  const root = newCertificate(own.publicKey, subject, subject, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ])
  root.sign(own.privateKey, forge.md.sha256.create())
  return {
    certificate: forge.pki.certificateToPem(root),
    issue: (name, { names = [], organization }) => {
      const key = newKey()
      const holder = [{ name: 'commonName', value: name }]
      if (organization !== undefined) holder.push({ name: 'organizationName', value: organization })
      const altNames = names.map((each) =>
        /^[0-9.]+$/.test(each) ? { type: 7, ip: each } : { type: 2, value: each },
      )
      const leaf = newCertificate(key.publicKey, holder, subject, [
        { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
        ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
      ])
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
