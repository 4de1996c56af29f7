import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { TagwardenError } from '../errors.ts'
import { unreadable } from './file_text.ts'
import { createIgnoreRules, createPatterns, type IgnoreRules } from './ignore_rules.ts'

/** A file to look at. */
export interface ManifestFile {
  /** absolute */
  readonly path: string
  /** for people: relative to the working directory, with `/` */
  readonly name: string
}

/** Which files to look at. */
export interface FileChoice {
  /** files, folders and globs, relative to the working directory */
  readonly paths: readonly string[]
  readonly cwd: string
  /** patterns as in a `.gitignore` of the working directory */
  readonly exclude: readonly string[]
  /** absolute paths of folders that hold no manifests, such as the index */
  readonly passOver: readonly string[]
}

const MANIFEST = /\.(?:ya?ml|json)$/i
const GLOB = /[*?[\]{}]/

/**
 * Finds the files: those that are given; in a folder and below it every `.yaml`, `.yml` and `.json`
 * that Git does not ignore; and what a glob covers. Each once, in the order of their paths; what is
 * reached by a link only, last and under the name of the link.
 *
 * @param onProblem told of what cannot be read
 */
export async function* findManifests(
  choice: FileChoice,
  onProblem: (problem: TagwardenError) => void,
): AsyncGenerator<ManifestFile> {
  const { cwd } = choice
  const rules = createIgnoreRules()
  const excluded = createPatterns(choice.exclude, cwd)
  const passedOver = new Set(choice.passOver)
  const folders = new Set<string>()
  const files = new Set<string>()
  const links: { readonly path: string; readonly rules: IgnoreRules }[] = []

  function named(path: string): ManifestFile[] {
    const target = targetOf(path)
    if (files.has(target) || excluded(path, false)) return []
    files.add(target)
    return [{ path, name: nameOf(cwd, path) }]
  }

  async function* inside(folder: string, rules: IgnoreRules): AsyncGenerator<ManifestFile> {
    let entries: Dirent[]
    try {
      const { dev, ino } = statSync(folder, { bigint: true })
      const identity = `${dev}:${ino}`
      if (folders.has(identity)) return // a link that leads back up, or a folder given twice
      folders.add(identity)
      entries = readdirSync(folder, { withFileTypes: true })
    } catch (cause) {
      onProblem(unreadable(nameOf(cwd, folder), cause))
      return
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1))
    for (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isSymbolicLink()) links.push({ path, rules })
      else if (entry.isDirectory()) yield* below(path, rules)
      else if (entry.isFile()) yield* among(path, rules)
    }
  }

  async function* below(path: string, rules: IgnoreRules): AsyncGenerator<ManifestFile> {
    const hidden = basename(path) === '.git' || passedOver.has(path)
    if (!hidden && !excluded(path, true) && !rules.ignores(path, true)) yield* inside(path, rules)
  }

  function among(path: string, rules: IgnoreRules): ManifestFile[] {
    return MANIFEST.test(path) && !rules.ignores(path, false) ? named(path) : []
  }

  /** Whoever names a folder that Git ignores wants to see what is in it. */
  function rulesFor(folder: string): IgnoreRules {
    return rules.ignoresWithin(folder, true) ? createIgnoreRules(folder) : rules
  }

  for (const given of choice.paths) {
    const path = resolve(cwd, given)
    const stats = statOf(path)
    if (stats?.isDirectory()) yield* inside(path, rulesFor(path))
    else if (stats || !GLOB.test(given)) yield* named(path)
    else {
      const fit: string[] = []
      for await (const found of glob(given, { cwd })) fit.push(resolve(cwd, found))
      if (fit.length === 0) onProblem(nothingFits(given))
      for (const each of fit.sort()) {
        if (statOf(each)?.isFile() && !rules.ignoresWithin(each, false)) yield* named(each)
      }
    }
  }
  // What they lead to may have been there under its own name; more may be found on the way.
  for (const { path, rules } of links) {
    const stats = statOf(path)
    if (stats?.isDirectory()) yield* below(path, rules)
    else if (stats?.isFile()) yield* among(path, rules)
  }
}

/** A path for people: relative to the working directory, with `/`. */
function nameOf(cwd: string, path: string): string {
  return relative(cwd, path).split(sep).join('/') || '.'
}

function targetOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}

/** undefined: there is nothing, or a link that leads nowhere. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

function nothingFits(given: string): TagwardenError {
  return new TagwardenError('ERR_INVALID_MANIFEST', 'no file fits this pattern', {
    position: { file: given },
    remedy: 'Check it; ** goes across folders',
  })
}
