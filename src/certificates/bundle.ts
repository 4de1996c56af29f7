import { X509Certificate } from 'node:crypto'

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** What a text has in the form of PEM certificates, unread. */
export function pemBlocks(text: string): readonly string[] {
  return text.match(PEM_CERTIFICATE) ?? []
}

/**
 * The certificates of a bundle, each once, in its order. What is no certificate is left out.
 *
 * @example
 *   readBundle(text).map(({ fingerprint256 }) => fingerprint256)
 */
export function readBundle(text: string): X509Certificate[] {
  const found = new Map<string, X509Certificate>()
  for (const block of pemBlocks(text)) {
    try {
      const certificate = new X509Certificate(block)
      if (!found.has(certificate.fingerprint256)) {
        found.set(certificate.fingerprint256, certificate)
      }
    } catch {}
  }
  return [...found.values()]
}

/** One PEM bundle of several, each certificate once. */
export function joinBundles(...bundles: readonly string[]): string {
  return readBundle(bundles.join('\n')).map(String).join('')
}

/** SHA-256 of each certificate, 64 hex digits. */
export function fingerprintsOf(bundle: string): string[] {
  return readBundle(bundle).map(fingerprintOf)
}

export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}

/** Whether the key of `ca` signed `leaf`, and both say so. */
export function isIssuedBy(leaf: X509Certificate, ca: X509Certificate): boolean {
  return leaf.checkIssued(ca) && leaf.verify(ca.publicKey)
}

/**
 * Whether clients that trust these CAs accept the certificate. One that needs no CA of its own is
 * accepted anyway; where intermediates stand between, all of its CAs are needed.
 */
export function isCovered(
  { cert, ca }: { readonly cert: string; readonly ca: string },
  trusted: ReadonlySet<string>,
): boolean {
  const authorities = readBundle(ca)
  const leaf = new X509Certificate(cert)
  const issuers = authorities.filter((each) => isIssuedBy(leaf, each))
  return issuers.length > 0
    ? issuers.some((each) => trusted.has(fingerprintOf(each)))
    : authorities.every((each) => trusted.has(fingerprintOf(each)))
}
