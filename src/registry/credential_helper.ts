import { execFile } from 'node:child_process'
import { TagwardenError } from '../errors.ts'

const NAME = /^[a-z0-9-]{1,64}$/
const TIMEOUT_MS = 10_000
const LARGEST_ANSWER = 256 * 1024
/** The words that every helper says, on stdout, when it has none for that server. */
const NONE = /credentials not found/i

/**
 * Asks `docker-credential-<name>` of the search path for a server's credentials.
 *
 * Source: the credential helper protocol of docker-credential-helpers: `get`, the server on stdin,
 * JSON with `Username` and `Secret` on stdout.
 *
 * @returns undefined when the helper has none
 * @throws TagwardenError ERR_CREDENTIALS, which never holds what the helper printed
 */
export async function askHelper(
  name: string,
  server: string,
): Promise<{ username: string; secret: string } | undefined> {
  if (!NAME.test(name)) {
    throw failure('the name of a credential helper may hold a-z, 0-9 and - only')
  }
  const program = `docker-credential-${name}`
  const answer = await run(program, server)
  if (answer === undefined) return undefined
  try {
    const { Username: username, Secret: secret } = JSON.parse(answer)
    if (typeof username === 'string' && typeof secret === 'string') return { username, secret }
  } catch {
    // no cause: the message of JSON.parse quotes its input
  }
  throw failure(`${program} printed no credentials that can be read`)
}

function run(program: string, server: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: TIMEOUT_MS,
      maxBuffer: LARGEST_ANSWER,
      killSignal: 'SIGKILL',
    } as const
    const child = execFile(program, ['get'], options, (error, stdout) => {
      if (error === null) return resolve(stdout)
      if (NONE.test(stdout)) return resolve(undefined)
      if (error.code === 'ENOENT') return reject(failure(`${program} is not installed`))
      const how = error.killed ? `did not answer in ${TIMEOUT_MS} ms` : `failed (${error.code})`
      reject(failure(`${program} ${how}`))
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end(server)
  })
}

function failure(message: string): TagwardenError {
  return new TagwardenError('ERR_CREDENTIALS', message, {
    remedy: 'Correct credHelpers or credsStore of the Docker configuration file',
  })
}
