import { TagwardenError } from '../errors.ts'
import { issueAuthority, issueServing } from './issue.ts'
import { type Survey, survey } from './survey.ts'
import type { CertificateStore, FileChanges, FileName, KeyPair, Stored } from './types.ts'

/** Others can win a few times in a row, not for ever. */
const ATTEMPTS = 10

interface MakeOptions {
  readonly names: readonly string[]
  readonly now: number
  /** what this process last read, to be put back where it is lost */
  readonly memory?: Stored | undefined
}

/** What a store holds and what that means. */
export interface Reading {
  readonly stored: Stored
  readonly survey: Survey
}

/** Reads the store, makes what is missing or due there, and gives what it holds then. */
export async function readOrMake(store: CertificateStore, options: MakeOptions): Promise<Reading> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const seen = await store.read()
    const lost = store.restores && Object.values(seen.files).every((text) => text === undefined)
    const { files, trusted } = (lost && options.memory) || seen
    const found = survey(files, { place: store.place, trusted, ...options })
    const { due } = found
    const put = lost ? entries(files) : []
    if (put.length === 0 && !due.authority && !due.serving) {
      return { stored: seen, survey: found }
    }
    const changes = [...put, ...(await make(found, options))]
    if ((await store.write(changes, { ...seen, trusted })) === 'written') {
      const written = { ...files, ...Object.fromEntries(changes) }
      const stored = { files: written, version: seen.version, trusted }
      return { stored, survey: survey(written, { place: store.place, trusted, ...options }) }
    }
  }
  throw new TagwardenError('ERR_CERTIFICATE', 'something else keeps changing it', {
    position: { file: store.place },
    remedy: 'Let only Tagwarden write there, or give it finished certificates',
  })
}

/**
 * A new CA signs nothing at once: the certificate in use is renewed by the old CA, and the new one
 * is published beside it. Whoever trusts the CAs has until that certificate's own renewal, months
 * later, to learn of the new one.
 */
async function make(
  { authority, trusted, due }: Survey,
  options: MakeOptions,
): Promise<FileChanges> {
  const { now } = options
  if (!authority) {
    if (!due.authority) {
      return []
    }
    const signer = issueAuthority(now)
    const [next, serving] = await Promise.all([signer, issueServing(signer, options)])
    return [['ca.key', next.key], ['ca.crt', next.cert], ...servingChanges(serving)]
  }
  const serving =
    due.serving || due.authority ? servingChanges(await issueServing(authority, options)) : []
  if (!due.authority) {
    return serving
  }
  const next = await issueAuthority(now)
  return [...serving, ['ca.crt', [next.cert, ...trusted].join('')], ['ca.key', next.key]]
}

function servingChanges({ key, cert }: KeyPair): FileChanges {
  return [
    ['tls.key', key],
    ['tls.crt', cert],
  ]
}

function entries(files: Stored['files']): FileChanges {
  return Object.entries(files).flatMap(([name, text]) =>
    text === undefined ? [] : [[name as FileName, text] as const],
  )
}
