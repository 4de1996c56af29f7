import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { TagwardenError } from '../errors.ts'
import { fingerprintOf, isIssuedBy, pemBlocks } from './bundle.ts'
import { DAY } from './issue.ts'
import type { FileName, KeyPair, ServingCertificate, StoredCertificates } from './types.ts'

/** The CA is replaced while it still outlives any certificate it signs, four times over. */
const AUTHORITY_OVERLAP = 365 * DAY

/** What the files hold and what has to be made. */
export interface Survey {
  /** the CA that can sign; undefined when the certificate was given, or nothing is there yet */
  readonly authority: KeyPair | undefined
  /** CA certificates that are to be trusted, the signing one first */
  readonly trusted: readonly string[]
  /** undefined when there is none that can be used */
  readonly serving: ServingCertificate | undefined
  readonly due: { readonly authority: boolean; readonly serving: boolean }
}

/** How to judge them. */
interface SurveyOptions {
  readonly place: string
  readonly names: readonly string[]
  readonly now: number
  /** fingerprints of CAs; undefined: clients trust what is made */
  readonly trusted?: ReadonlySet<string> | undefined
}

/**
 * Judges the files of a store. While there is a certificate that can be used, nothing is due that
 * would be signed by a CA that clients are not known to trust.
 *
 * @throws TagwardenError ERR_CERTIFICATE when something is wrong that only a person can mend:
 *   what a person put there is never replaced
 */
export function survey(
  files: StoredCertificates,
  { place, names, now, trusted: known }: SurveyOptions,
): Survey {
  const bundle = readAuthorities(place, files['ca.crt'])
  const authority = findAuthority(place, files['ca.key'], bundle)
  const leaf = readLeaf(place, files['tls.crt'])
  const key = readKey(place, 'tls.key', files['tls.key'])
  const ours = authority !== undefined && (!leaf || bundle.some((ca) => isIssuedBy(leaf, ca)))
  const trusted = bundle.filter((ca) => ca.validToDate.getTime() > now)
  if (!ours && !leaf && !key) {
    forbidHalf(place, files)
    return { ...NOTHING, due: { authority: true, serving: true } }
  }
  if (!ours) {
    return given(place, { leaf, key, files, trusted, now })
  }
  const signing = new X509Certificate(authority.cert)
  const authorityEnd = signing.validToDate.getTime()
  if (authorityEnd <= now) {
    return { ...NOTHING, due: { authority: true, serving: true } }
  }
  const usable = leaf !== undefined && key !== undefined && leaf.checkPrivateKey(key)
  const read = usable ? toServing(files, leaf, trusted) : undefined
  const serving = read?.valid(now) ? read : undefined
  const mayWait = serving !== undefined && known?.has(fingerprintOf(signing)) === false
  const isDue = (reason: boolean) => reason && !mayWait
  return {
    authority,
    trusted: trusted.map(String),
    serving,
    due: {
      authority: isDue(authorityEnd - now < AUTHORITY_OVERLAP),
      serving:
        !serving || isDue(isAged(serving, now) || !names.every((name) => isNamed(leaf!, name))),
    },
  }
}

const NOTHING = { authority: undefined, trusted: [], serving: undefined }

/** A CA's certificate or key that stands alone is a person's, and not to be written over. */
function forbidHalf(place: string, files: StoredCertificates): void {
  for (const [file, other] of [
    ['ca.crt', 'ca.key'],
    ['ca.key', 'ca.crt'],
  ] as const) {
    if (files[file] !== undefined) {
      const remedy = `Put ${other} beside it, or delete it and new ones are made`
      throw broken(place, file, `it is there without ${other}, and there is no tls.crt`, remedy)
    }
  }
}

function given(
  place: string,
  found: {
    leaf: X509Certificate | undefined
    key: KeyObject | undefined
    files: StoredCertificates
    trusted: X509Certificate[]
    now: number
  },
): Survey {
  const { leaf, key, files, now } = found
  if (!leaf || !key) {
    const missing = leaf ? 'tls.key' : 'tls.crt'
    throw broken(
      place,
      missing,
      'it is missing',
      'Put tls.crt and tls.key there together, or delete both',
    )
  }
  if (!leaf.checkPrivateKey(key)) {
    const remedy = 'Put the key there that belongs to the certificate'
    throw broken(place, 'tls.key', 'it is not the key of tls.crt', remedy)
  }
  const trusted = found.trusted.length > 0 ? found.trusted : isIssuedBy(leaf, leaf) ? [leaf] : []
  const serving = toServing(files, leaf, trusted)
  if (!serving.valid(now)) {
    const when = now < serving.notBefore ? `starts ${leaf.validFrom}` : `ended ${leaf.validTo}`
    throw broken(place, 'tls.crt', `its validity ${when}`, 'Put a certificate there that is valid')
  }
  const due = { authority: false, serving: false }
  return { authority: undefined, trusted: trusted.map(String), serving, due }
}

function toServing(
  files: StoredCertificates,
  leaf: X509Certificate,
  trusted: readonly X509Certificate[],
): ServingCertificate {
  const notBefore = leaf.validFromDate.getTime()
  const notAfter = leaf.validToDate.getTime()
  return Object.freeze({
    key: files['tls.key'] as string,
    cert: files['tls.crt'] as string,
    ca: trusted.map(String).join(''),
    notBefore,
    notAfter,
    valid: (now: number) => notBefore <= now && now < notAfter,
  })
}

function isAged({ notBefore, notAfter }: ServingCertificate, now: number): boolean {
  return now - notBefore > ((notAfter - notBefore) * 2) / 3
}

function isNamed(leaf: X509Certificate, name: string): boolean {
  const found = isIP(name) ? leaf.checkIP(name) : leaf.checkHost(name, { subject: 'never' })
  return found !== undefined
}

function findAuthority(
  place: string,
  text: string | undefined,
  bundle: readonly X509Certificate[],
): KeyPair | undefined {
  const key = readKey(place, 'ca.key', text)
  if (!key || bundle.length === 0) {
    return undefined
  }
  const certificate = bundle.find((ca) => ca.checkPrivateKey(key))
  if (!certificate) {
    throw broken(place, 'ca.key', 'it is not the key of ca.crt', 'Restore it, or delete both')
  }
  if (key.asymmetricKeyType !== 'rsa') {
    const remedy = 'Use an RSA key, or put a finished tls.crt there and no ca.key'
    throw broken(
      place,
      'ca.key',
      `a CA with a key of type ${key.asymmetricKeyType} cannot sign here`,
      remedy,
    )
  }
  return { key: text as string, cert: certificate.toString() }
}

function readAuthorities(place: string, text: string | undefined): X509Certificate[] {
  if (text === undefined) {
    return []
  }
  const blocks = pemBlocks(text)
  if (blocks.length === 0) {
    throw garbage(place, 'ca.crt')
  }
  return blocks.map((block) => readCertificate(place, 'ca.crt', block))
}

function readLeaf(place: string, text: string | undefined): X509Certificate | undefined {
  return text === undefined ? undefined : readCertificate(place, 'tls.crt', text)
}

function readCertificate(place: string, file: FileName, text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (cause) {
    throw garbage(place, file, cause)
  }
}

function readKey(place: string, file: FileName, text: string | undefined): KeyObject | undefined {
  try {
    return text === undefined ? undefined : createPrivateKey(text)
  } catch (cause) {
    throw garbage(place, file, cause)
  }
}

function garbage(place: string, file: FileName, cause?: unknown): TagwardenError {
  const what = file.endsWith('.key') ? 'private key without a passphrase' : 'certificate'
  const remedy = 'Restore it, or delete it with its pair and new ones are made'
  return broken(place, file, `it is no PEM ${what}`, remedy, cause)
}

function broken(place: string, file: FileName, what: string, remedy: string, cause?: unknown) {
  const position = { file: `${place}/${file}` }
  return new TagwardenError('ERR_CERTIFICATE', what, { remedy, position, cause })
}
