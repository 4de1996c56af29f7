import { readFolder, withFolderLock, writeText } from './folder.ts'
import { issueAuthority, issueServing } from './issue.ts'
import { type Survey, survey } from './survey.ts'
import type { KeyPair } from './types.ts'

interface MakeOptions {
  readonly path: string
  readonly names: readonly string[]
  readonly now: number
}

/** Reads the folder, makes what is missing or due there, and gives what it holds then. */
export async function readOrMake(options: MakeOptions): Promise<Survey> {
  const found = survey(await readFolder(options.path), options)
  if (!found.due.authority && !found.due.serving) {
    return found
  }
  return withFolderLock(options.path, async () => {
    // Another process may have made it while this one waited.
    const left = survey(await readFolder(options.path), options)
    await make(left, options)
    return survey(await readFolder(options.path), options)
  })
}

/**
 * A due certificate is still signed by the old CA, and the new CA is published beside it: whoever
 * trusts the folder's CAs has months to learn of the new one before it signs anything.
 *
 * The order of the files matters where a process dies between two of them: each state is one that
 * `survey` understands.
 */
async function make({ authority, trusted, due }: Survey, options: MakeOptions): Promise<void> {
  const { path, now } = options
  if (!authority && due.authority) {
    const signer = issueAuthority(now)
    const [next, serving] = await Promise.all([signer, issueServing(signer, options)])
    await writeText(path, 'ca.key', next.key)
    await writeText(path, 'ca.crt', next.cert)
    await writeServing(path, serving)
    return
  }
  if (authority && due.serving) {
    await writeServing(path, await issueServing(authority, options))
  }
  if (authority && due.authority) {
    const next = await issueAuthority(now)
    await writeText(path, 'ca.crt', [next.cert, ...trusted].join(''))
    await writeText(path, 'ca.key', next.key)
  }
}

async function writeServing(path: string, { key, cert }: KeyPair): Promise<void> {
  await writeText(path, 'tls.key', key)
  await writeText(path, 'tls.crt', cert)
}
