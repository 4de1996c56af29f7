import forge from 'node-forge'

/** A certificate authority made for one test, and a server certificate of it for 127.0.0.1. */
export interface FakeAuthority {
  /** PEM of the authority's certificate: what a client is to trust */
  readonly certificate: string
  /** PEM of the server's certificate and key */
  readonly server: { readonly cert: string; readonly key: string }
  /** PEM of a client's certificate and key */
  readonly client: { readonly cert: string; readonly key: string }
}

/** Makes keys of 2048 bits, which takes about 100 ms. */
export function createFakeAuthority(): FakeAuthority {
  const authorityKeys = forge.pki.rsa.generateKeyPair(2048)
  const serverKeys = forge.pki.rsa.generateKeyPair(2048)
  const authorityName = [{ name: 'commonName', value: 'Fake registry authority' }]
  const authority = certificate('01', authorityName, authorityName, authorityKeys.publicKey, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ])
  authority.sign(authorityKeys.privateKey, forge.md.sha256.create())
  const serverName = [{ name: 'commonName', value: 'localhost' }]
  const server = certificate('02', serverName, authorityName, serverKeys.publicKey, [
    {
      name: 'subjectAltName',
      altNames: [
        { type: 2, value: 'localhost' },
        { type: 7, ip: '127.0.0.1' },
      ],
    },
    { name: 'extKeyUsage', serverAuth: true },
  ])
  server.sign(authorityKeys.privateKey, forge.md.sha256.create())
  const clientKeys = forge.pki.rsa.generateKeyPair(2048)
  const clientName = [{ name: 'commonName', value: 'tagwarden' }]
  const client = certificate('03', clientName, authorityName, clientKeys.publicKey, [
    { name: 'extKeyUsage', clientAuth: true },
  ])
  client.sign(authorityKeys.privateKey, forge.md.sha256.create())
  return {
    client: {
      cert: forge.pki.certificateToPem(client),
      key: forge.pki.privateKeyToPem(clientKeys.privateKey),
    },
    certificate: forge.pki.certificateToPem(authority),
    server: {
      cert: forge.pki.certificateToPem(server),
      key: forge.pki.privateKeyToPem(serverKeys.privateKey),
    },
  }
}

function certificate(
  serial: string,
  subject: forge.pki.CertificateField[],
  issuer: forge.pki.CertificateField[],
  publicKey: forge.pki.rsa.PublicKey,
  extensions: object[],
): forge.pki.Certificate {
  const made = forge.pki.createCertificate()
  made.serialNumber = serial
  made.publicKey = publicKey
  made.validity.notBefore = new Date(Date.now() - 3_600_000)
  made.validity.notAfter = new Date(Date.now() + 86_400_000)
  made.setSubject(subject)
  made.setIssuer(issuer)
  made.setExtensions(extensions)
  return made
}
