import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { TagwardenError } from '../errors.ts'
import { pemBlocks } from './bundle.ts'
import { follow } from './following.ts'

const INTERVAL = 10_000
const READ_LIMIT = 1024 * 1024

/** The CAs that sign the certificates of clients, as a file has them. */
export interface ClientAuthority {
  /** never empty; another array after each change of the file */
  current(): readonly X509Certificate[]
  /** Calls the listener after each change. Returns how to end that. */
  subscribe(listener: () => void): () => void
  /** Looks at the file now, instead of at the next turn. Never rejects. */
  refresh(): Promise<void>
  close(): void
}

interface ClientAuthorityOptions {
  /** path of one or more certificates, PEM */
  readonly file: string
  /** told once of each thing that goes wrong while the last good CAs stay in use */
  readonly onProblem?: (problem: TagwardenError) => void
  /** ms between two looks at the file; 10 s */
  readonly interval?: number
}

/**
 * Opens a file of CA certificates and takes over what others write there. What cannot be used, as
 * a whole or in part, changes nothing.
 *
 * @throws TagwardenError ERR_CERTIFICATE when there is nothing to begin with
 *
 * @example
 *   const authority = await openClientAuthority({ file: '/etc/tagwarden-clients/ca.crt' })
 */
export async function openClientAuthority(
  options: ClientAuthorityOptions,
): Promise<ClientAuthority> {
  const { file, onProblem, interval = INTERVAL } = options
  let text = await readText(file)
  const { current, subscribe, refresh, close } = follow(parse(file, text), {
    async look(before) {
      const next = await readText(file)
      if (next === text) return before
      const parsed = parse(file, next)
      text = next
      return parsed
    },
    problemOf: (error) => error as TagwardenError,
    ...{ onProblem, interval },
  })
  return { current, subscribe, refresh, close: () => void close() }
}

async function readText(file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > READ_LIMIT) throw new Error(`it has ${size} bytes`)
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw unusable(file, `it cannot be read (${code ?? message})`, cause)
  }
}

function parse(file: string, text: string): readonly X509Certificate[] {
  const blocks = pemBlocks(text)
  if (blocks.length === 0) throw unusable(file, 'there is no PEM certificate in it')
  return Object.freeze(
    blocks.map((block, index) => {
      try {
        return new X509Certificate(block)
      } catch (cause) {
        throw unusable(file, `its certificate ${index + 1} is none`, cause)
      }
    }),
  )
}

function unusable(file: string, what: string, cause?: unknown): TagwardenError {
  return new TagwardenError('ERR_CERTIFICATE', what, {
    position: { file },
    remedy: 'Put the CA there that signs the certificates of the API servers',
    cause,
  })
}
