import { spawn } from 'node:child_process'
import { TagwardenError } from '../errors.ts'

/** Git's output is read up to this size, in bytes. */
const LONGEST = 512 * 1024 * 1024
/** Nothing of a repository runs, and what only looks like one, among the files of another, is none. */
const QUIET = [
  'core.quotePath=true',
  'core.fsmonitor=false',
  'safe.bareRepository=explicit',
].flatMap((setting) => ['-c', setting])

/**
 * What a command of Git prints; it starts nothing that a repository could name.
 *
 * @param revision for the message
 * @throws TagwardenError ERR_GIT
 */
export function runGit(
  folder: string,
  args: readonly string[],
  revision = 'HEAD',
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const env = { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_PAGER: 'cat' }
  const child = spawn('git', ['-C', folder, ...QUIET, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const out: Buffer[] = []
  let length = 0
  let said = ''
  child.stdout.on('data', (part: Buffer) => {
    length += part.length
    if (length > LONGEST) child.kill()
    else out.push(part)
  })
  child.stderr.on('data', (part) => {
    if (said.length < 1_000) said += part
  })
  child.on('error', (cause) => {
    const remedy = 'Install Git, or leave out --changed-since'
    reject(new TagwardenError('ERR_GIT', `git cannot be run (${cause.message})`, { cause, remedy }))
  })
  child.on('close', (code) => {
    if (code === 0) resolve(Buffer.concat(out).toString('utf8'))
    else reject(refused(revision, said))
  })
  return promise
}

/** The parts of an output that `-z` asked for. */
export function entriesOf(text: string): string[] {
  return text.split('\0').filter((name) => name !== '')
}

function refused(revision: string, said: string): TagwardenError {
  const line = said.split('\n').find((each) => each.trim() !== '') ?? 'no reason given'
  const shown = line.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
  const owned = /dubious ownership/.test(said)
  return new TagwardenError('ERR_GIT', `git does not know what has changed: ${shown}`, {
    remedy: owned
      ? 'The folder belongs to another user, as in the container of a pipeline: git config --global --add safe.directory with its path lets Git read it'
      : `Check that this is a repository and that ${JSON.stringify(revision)} is there; a CI clone may have to be deeper (fetch-depth: 0)`,
  })
}
