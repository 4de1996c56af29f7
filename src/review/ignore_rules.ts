import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import ignore, { type Ignore } from 'ignore'

/** Which files Git leaves alone, by the `.gitignore` files around them. */
export interface IgnoreRules {
  /** Whether this path is ignored, given that the folder that it lies in is not. */
  ignores(path: string, isFolder: boolean): boolean
  /** The same where nothing is known of the folders above. */
  ignoresWithin(path: string, isFolder: boolean): boolean
}

const FILE = '.gitignore'
const REPOSITORY = '.git'
/** A larger file of rules, in bytes, is not one that a person wrote. */
const LONGEST = 1024 * 1024

/** A matcher of patterns that are written as in a `.gitignore` of this folder. */
export function createPatterns(patterns: readonly string[], folder: string) {
  if (patterns.length === 0) return () => false
  const rules = ignore({ ignorecase: false }).add([...patterns])
  return (path: string, isFolder: boolean) => {
    const below = pathBelow(folder, path, isFolder)
    return below !== undefined && rules.ignores(below)
  }
}

/**
 * Rules of `.gitignore` files count from the root of the repository downwards, the nearest last.
 *
 * @param within what lies above this folder does not count
 */
export function createIgnoreRules(within?: string): IgnoreRules {
  const chains = new Map<string, readonly { folder: string; rules: Ignore }[]>()

  function chainOf(folder: string): readonly { folder: string; rules: Ignore }[] {
    const known = chains.get(folder)
    if (known) return known
    const parent = dirname(folder)
    const top = parent === folder || folder === within || existsSync(join(folder, REPOSITORY))
    const above = top ? [] : chainOf(parent)
    const own = rulesIn(folder)
    const chain = own ? [...above, { folder, rules: own }] : above
    chains.set(folder, chain)
    return chain
  }

  function ignores(path: string, isFolder: boolean): boolean {
    for (const { folder, rules } of chainOf(dirname(path)).toReversed()) {
      const below = pathBelow(folder, path, isFolder)
      const { ignored, unignored } = below
        ? rules.test(below)
        : { ignored: false, unignored: false }
      if (ignored || unignored) return ignored
    }
    return false
  }

  function ignoresWithin(path: string, isFolder: boolean): boolean {
    const parent = dirname(path)
    const top = parent === path || (isFolder && existsSync(join(path, REPOSITORY)))
    return !top && (ignoresWithin(parent, true) || ignores(path, isFolder))
  }

  return { ignores, ignoresWithin }
}

function rulesIn(folder: string): Ignore | undefined {
  try {
    const text = readFileSync(join(folder, FILE), 'utf8')
    return text.length > LONGEST ? undefined : ignore({ ignorecase: false }).add(text)
  } catch {
    return undefined
  }
}

function pathBelow(folder: string, path: string, isFolder: boolean): string | undefined {
  const below = relative(folder, path).split(sep).join('/')
  if (below === '' || below === '..' || below.startsWith('../')) return undefined
  return isFolder ? `${below}/` : below
}
