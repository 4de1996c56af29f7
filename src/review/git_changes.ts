import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { TagwardenError } from '../errors.ts'

/** What a Git range has changed. */
export interface GitChanges {
  /**
   * Which lines of a file are new or other than before; undefined: the file has not changed.
   *
   * @param path absolute
   */
  linesOf(path: string): ChangedLines | undefined
}

/** Whether any of these lines has changed, or some were removed there. */
export type ChangedLines = (lines: readonly [first: number, end: number]) => boolean

/** Git's output is read up to this size, in characters. */
const LONGEST = 512 * 1024 * 1024
const QUIET = ['-c', 'core.quotePath=true', '-c', 'core.fsmonitor=false']
const DIFF = ['--no-color', '--no-ext-diff', '--no-textconv', '-M', '--diff-filter=d']
const EVERYTHING: ChangedLines = () => true
const HUNK = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/

/**
 * Asks Git what has changed since a revision: in the working tree, untracked files too, since the
 * revision that both have in common. A range (`a..b`, `a...b`) is taken as it is.
 *
 * @throws TagwardenError ERR_USAGE for what cannot be a revision, ERR_GIT for what Git refuses
 */
export async function gitChanges(revision: string, cwd: string): Promise<GitChanges> {
  if (revision === '' || revision.startsWith('-') || /[\s\0]/.test(revision)) {
    throw new TagwardenError('ERR_USAGE', '--changed-since needs a revision', {
      remedy: 'Write a branch, a tag, a commit or a range, such as origin/main',
    })
  }
  const git = (...args: string[]) => run(['-C', cwd, ...QUIET, ...args], revision)
  const root = realpathSync((await git('rev-parse', '--show-toplevel')).replace(/\n$/, ''))
  const range = revision.includes('..') ? [revision] : [await commonBase(git, revision)]
  const fromRoot = (...args: string[]) => run(['-C', root, ...QUIET, ...args], revision)
  const diff = (...args: string[]) => fromRoot('diff', ...DIFF, ...args, ...range, '--')
  const [names, patch, untracked] = await Promise.all([
    diff('--name-only', '-z'),
    diff('-U0'),
    fromRoot('ls-files', '--others', '--exclude-standard', '-z'),
  ])
  const files = entries(names)
  const hunks = hunksOf(patch)
  const changed = new Map<string, ChangedLines>()
  files.forEach((name, index) => {
    // the patch names files in the same order, but with names that have to be decoded
    const lines = hunks.length === files.length ? hunks[index] : undefined
    changed.set(join(root, name), lines ? touching(lines) : EVERYTHING)
  })
  for (const name of entries(untracked)) changed.set(join(root, name), EVERYTHING)
  return {
    linesOf(path) {
      return changed.get(path) ?? changed.get(resolved(path))
    },
  }
}

async function commonBase(git: (...args: string[]) => Promise<string>, revision: string) {
  const commit = (
    await git('rev-parse', '--verify', '--end-of-options', `${revision}^{commit}`)
  ).trim()
  const base = await git('merge-base', commit, 'HEAD').catch(() => commit)
  return base.trim()
}

function entries(text: string): string[] {
  return text.split('\0').filter((name) => name !== '')
}

type Range = readonly [first: number, end: number]

/** The new lines of each file of a patch; undefined for a file whose lines are not shown. */
function hunksOf(patch: string): (readonly Range[] | undefined)[] {
  const files: Range[][] = []
  for (const line of patch.split('\n')) {
    // lines of content begin with +, - or a backslash
    if (line.startsWith('diff --git ')) files.push([])
    const found = HUNK.exec(line)
    if (!found) continue
    const first = Number(found[1])
    const count = found[2] === undefined ? 1 : Number(found[2])
    // what was removed stood after this line
    files.at(-1)?.push([first, first + Math.max(1, count)])
  }
  return files
}

function touching(ranges: readonly Range[]): ChangedLines {
  return ([first, end]) => ranges.some((range) => range[0] < end && first < range[1])
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

function run(args: readonly string[], revision: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const env = { ...process.env, LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_PAGER: 'cat' }
  const child = spawn('git', args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
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

function refused(revision: string, said: string): TagwardenError {
  const line = said.split('\n').find((each) => each.trim() !== '') ?? 'no reason given'
  const shown = line.replace(/[^\x20-\x7e]/g, '?').slice(0, 200)
  return new TagwardenError('ERR_GIT', `git does not know what has changed: ${shown}`, {
    remedy: `Check that this is a repository and that ${JSON.stringify(revision)} is there; a CI clone may have to be deeper (fetch-depth: 0)`,
  })
}
