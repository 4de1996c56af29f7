import { existsSync, lstatSync, realpathSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { TagwardenError } from '../errors.ts'
import { runGit } from './git_command.ts'
import { type ChangedLines, type Difference, diffSince, EVERYTHING } from './git_diff.ts'

/** What a Git range has changed. */
export interface GitChanges {
  /**
   * Which lines of a file are new or other than before; undefined: the file has not changed.
   *
   * @param path absolute
   */
  linesOf(path: string): ChangedLines | undefined
}

/** What is looked at. */
export interface ReviewedPaths {
  /** absolute paths of files */
  readonly files?: readonly string[]
  /** whether a file of that path would be looked at: one that gets such a name is new */
  readonly wasReviewed?: (path: string) => boolean
}

/** One repository, with what has changed in it; undefined: that cannot be said. */
interface Space {
  readonly base: string
  readonly difference: Difference
}

/**
 * Asks Git what has changed since a revision: in the working tree, untracked files too, since the
 * revision that both have in common. A range (`a..b`, `a...b`) is taken as it is. A submodule is
 * compared with the commit that its repository named for it; files in other repositories, and in
 * none, with the same revision there, and count as a whole where that is not known.
 *
 * @throws TagwardenError ERR_USAGE for what cannot be a revision, ERR_GIT for what Git refuses
 */
export async function gitChanges(
  revision: string,
  cwd: string,
  { files = [], wasReviewed = () => true }: ReviewedPaths = {},
): Promise<GitChanges> {
  if (revision === '' || revision.startsWith('-') || /[\s\0]/.test(revision)) {
    throw new TagwardenError('ERR_USAGE', '--changed-since needs a revision', {
      remedy: 'Write a branch, a tag, a commit or a range, such as origin/main',
    })
  }
  const home = await rootOf(cwd, revision)
  const rootAbove = createRootFinder(home)
  const spaces = new Map<string, Promise<Space | undefined>>()
  const known = new Map<string, Space | undefined>()

  function open(root: string): Promise<Space | undefined> {
    const space = spaces.get(root) ?? compare(root)
    spaces.set(root, space)
    return space
  }

  async function compare(root: string): Promise<Space | undefined> {
    const own = async (): Promise<Space> => {
      const base = await baseOf(root, revision)
      const range = revision.includes('..') ? revision : base
      return { base, difference: await diffSince(root, range, revision, wasReviewed) }
    }
    if (root === home) return own()
    try {
      const base = await gitlink(root)
      return { base, difference: await diffSince(root, base, revision, wasReviewed) }
    } catch {
      // no submodule at that time, or not cloned deep enough
      return root.startsWith(home + sep) ? undefined : own().catch(() => undefined)
    }
  }

  /** The commit that the repository around a submodule names for it. */
  async function gitlink(root: string): Promise<string> {
    const around = rootAbove(dirname(root)) ?? root
    const { base = '' } = (around !== root && (await open(around))) || {}
    const name = `${base}:${relative(around, root).split(sep).join('/')}`
    return (await runGit(around, ['rev-parse', '--verify', name], revision)).trim()
  }

  const roots = new Set([home])
  for (const path of files) {
    const root = rootAbove(dirname(resolved(path)))
    if (root !== undefined) roots.add(root)
  }
  for (const root of roots) known.set(root, await open(root))

  return {
    linesOf(path) {
      const real = resolved(path)
      const root = rootAbove(dirname(real))
      const difference = root === undefined ? undefined : known.get(root)?.difference
      if (!difference) return EVERYTHING
      const all = [...known.values()]
      if (real !== path && linksOn(path).some((link) => isNew(link, all))) return EVERYTHING
      return difference.files.get(real)
    },
  }
}

function isNew(link: string, spaces: readonly (Space | undefined)[]): boolean {
  return spaces.some((space) => space?.difference.links.has(link))
}

async function rootOf(folder: string, revision: string): Promise<string> {
  const shown = await runGit(folder, ['rev-parse', '--show-toplevel'], revision)
  return realpathSync(shown.replace(/\n$/, ''))
}

/** What both have in common: of a range, what it begins with. */
async function baseOf(root: string, revision: string): Promise<string> {
  const git = (...args: string[]) => runGit(root, args, revision)
  const commitOf = async (name: string) =>
    (await git('rev-parse', '--verify', '--end-of-options', `${name}^{commit}`)).trim()
  const [, first = '', dots, second = ''] = /^(.*?)(\.{2,3})(.*)$/.exec(revision) ?? []
  if (dots === '..') return commitOf(first || 'HEAD')
  const commit = await commitOf(dots ? first || 'HEAD' : revision)
  const other = dots ? await commitOf(second || 'HEAD') : 'HEAD'
  return (await git('merge-base', commit, other).catch(() => commit)).trim()
}

/** The folder of the repository that a folder belongs to; undefined: to none. */
function createRootFinder(home: string): (folder: string) => string | undefined {
  const known = new Map<string, string | undefined>([[home, home]])
  return function rootAbove(folder: string): string | undefined {
    if (known.has(folder)) return known.get(folder)
    const parent = dirname(folder)
    const isRoot = existsSync(join(folder, '.git'))
    const root = isRoot ? folder : parent === folder ? undefined : rootAbove(parent)
    known.set(folder, root)
    return root
  }
}

/** The links on the way to a file, each by the real name of its folder. */
function linksOn(path: string): string[] {
  const links: string[] = []
  for (let at = path; dirname(at) !== at; at = dirname(at)) {
    const isLink = lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()
    if (isLink) links.push(join(resolved(dirname(at)), at.slice(dirname(at).length + 1)))
  }
  return links
}

function resolved(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
