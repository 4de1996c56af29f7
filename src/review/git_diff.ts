import { join } from 'node:path'
import { entriesOf, runGit } from './git_command.ts'

/** Whether any of these lines has changed, or some were removed there. */
export type ChangedLines = (lines: readonly [first: number, end: number]) => boolean

/** What has changed in the files of one repository. */
export interface Difference {
  /** absolute paths */
  readonly files: ReadonlyMap<string, ChangedLines>
  /** links that lead elsewhere now, or are new */
  readonly links: ReadonlySet<string>
}

/** Everything counts. */
export const EVERYTHING: ChangedLines = () => true

const DIFF = [
  ...['--no-color', '--no-ext-diff', '--no-textconv', '-M', '--diff-filter=d'],
  ...['--submodule=short', '--ignore-submodules=none'],
]
const RAW = /^:\d+ (\d+) [0-9a-f]+ [0-9a-f]+ ([A-Z])\d*$/
const LINK = '120000'
const HUNK = /^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@/
/** A file that Git shows no lines of: a real one, or what `.gitattributes` calls so. */
const BINARY = 'Binary files '

/**
 * The difference of a working tree, untracked files too, or of a range.
 *
 * @param root of the repository
 * @param wasReviewed whether a file of that path would have been looked at
 */
export async function diffSince(
  root: string,
  range: string,
  revision: string,
  wasReviewed: (path: string) => boolean,
): Promise<Difference> {
  const git = (...args: string[]) => runGit(root, args, revision)
  const diff = (...args: string[]) => git('diff', ...DIFF, ...args, range, '--')
  const [raw, patch, untracked] = await Promise.all([
    diff('--raw', '-z', '--no-abbrev'),
    diff('-U0'),
    git('ls-files', '--others', '--exclude-standard', '-z'),
  ])
  const changes = changesIn(raw)
  const hunks = hunksOf(patch)
  const files = new Map<string, ChangedLines>()
  const links = new Set<string>()
  changes.forEach(({ mode, name, before }, index) => {
    // the patch names files in the same order, but with names that have to be decoded
    const lines = hunks.length === changes.length ? hunks[index] : undefined
    const path = join(root, name)
    // what was renamed may never have been looked at
    const isKnown = before === undefined || wasReviewed(join(root, before))
    if (mode === LINK) links.add(path)
    files.set(path, lines && isKnown && mode !== LINK ? touching(lines) : EVERYTHING)
  })
  for (const name of entriesOf(untracked)) {
    files.set(join(root, name), EVERYTHING)
    links.add(join(root, name))
  }
  return { files, links }
}

interface Change {
  readonly mode: string
  readonly name: string
  /** under which name it was known; undefined: the same */
  readonly before: string | undefined
}

function changesIn(raw: string): Change[] {
  const parts = entriesOf(raw)
  const changes: Change[] = []
  for (let at = 0; at < parts.length; ) {
    const [, mode = '', status = ''] = RAW.exec(parts[at] ?? '') ?? []
    const isMoved = status === 'R' || status === 'C'
    const [first = '', second = ''] = parts.slice(at + 1)
    changes.push({ mode, name: isMoved ? second : first, before: isMoved ? first : undefined })
    at += isMoved ? 3 : 2
  }
  return changes
}

type Range = readonly [first: number, end: number]

/** The new lines of each file of a patch; undefined for a file whose lines are not shown. */
function hunksOf(patch: string): (readonly Range[] | undefined)[] {
  const files: (Range[] | undefined)[] = []
  for (const line of patch.split('\n')) {
    // lines of content begin with +, - or a backslash
    if (line.startsWith('diff --git ')) files.push([])
    else if (line.startsWith(BINARY)) files.splice(-1, 1, undefined)
    const found = HUNK.exec(line)
    if (!found) continue
    const first = Number(found[1])
    const count = found[2] === undefined ? 1 : Number(found[2])
    // what was removed stood after this line, or at the top
    files.at(-1)?.push([first, Math.max(first, 1) + Math.max(1, count)])
  }
  return files
}

function touching(ranges: readonly Range[]): ChangedLines {
  return ([first, end]) => ranges.some((range) => range[0] < end && first < range[1])
}
