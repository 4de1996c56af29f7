import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { basename, join, relative, resolve, sep } from 'node:path'
import { TagwardenError } from '../errors.ts'
import { compareTexts } from '../pieces/index.ts'
import { UNKNOWN, unreadable } from './file_text.ts'
import { createIgnoreRules, createPatterns, type IgnoreRules } from './ignore_rules.ts'
import { trackedAlthoughIgnored } from './tracked_files.ts'

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

/** Kustomize also reads `Kustomization`, spelled so. */
const MANIFEST = /\.(?:[Yy][Aa]?[Mm][Ll]|[Jj][Ss][Oo][Nn])$|[/\\]Kustomization$/
const GLOB = /[*?[\]{}]/

/**
 * Finds the files: those that are given; in a folder and below it every `.yaml`, `.yml` and `.json`
 * that Git does not ignore; and what a glob covers, folders too. Each once, in the order of their
 * paths; then what Git follows although it should be ignored; what is reached by a link only, last
 * and under the name of the link.
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
  let someIgnored = false

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
    entries.sort((a, b) => compareTexts(a.name, b.name))
    for (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isSymbolicLink()) links.push({ path, rules })
      else if (entry.isDirectory()) yield* below(path, rules)
      else if (entry.isFile()) yield* among(path, rules)
    }
  }

  async function* below(path: string, rules: IgnoreRules): AsyncGenerator<ManifestFile> {
    const hidden = basename(path) === '.git' || passedOver.has(path)
    if (!hidden && !excluded(path, true) && !isIgnored(path, true, rules))
      yield* inside(path, rules)
  }

  function isIgnored(path: string, isFolder: boolean, rules: IgnoreRules): boolean {
    const ignored = rules.ignores(path, isFolder)
    someIgnored ||= ignored
    return ignored
  }

  /** What Git follows below a folder, although it is ignored. */
  async function* followed(folder: string): AsyncGenerator<ManifestFile> {
    if (!someIgnored) return
    for (const name of await trackedAlthoughIgnored(folder)) {
      const path = join(folder, name)
      if (MANIFEST.test(path) && statOf(path)?.isFile()) yield* named(path)
    }
  }

  function among(path: string, rules: IgnoreRules): ManifestFile[] {
    return MANIFEST.test(path) && !isIgnored(path, false, rules) ? named(path) : []
  }

  /** Whoever names a folder that Git ignores wants to see what is in it. */
  function rulesFor(folder: string): IgnoreRules {
    return rules.ignoresWithin(folder, true) ? createIgnoreRules(folder) : rules
  }

  async function* fitting(pattern: string): AsyncGenerator<ManifestFile> {
    const fit: string[] = []
    for await (const found of glob(pattern, { cwd })) fit.push(resolve(cwd, found))
    if (fit.length === 0) onProblem(nothingFits(pattern))
    const tracked = lazy(async () => {
      const names = await trackedAlthoughIgnored(cwd)
      return new Set(names.map((name) => join(cwd, name)))
    })
    for (const each of fit.sort()) {
      const stats = statOf(each)
      const isFolder = stats?.isDirectory() === true
      const ignored = rules.ignoresWithin(each, isFolder)
      if (isFolder && !ignored) {
        yield* below(each, rules)
        yield* followed(each)
      } else if (!stats && each.includes(UNKNOWN)) yield* named(each)
      else if (stats?.isFile() && (!ignored || (await tracked()).has(each))) yield* named(each)
    }
  }

  for (const given of choice.paths) {
    const path = resolve(cwd, given)
    const stats = statOf(path)
    someIgnored = false
    if (stats?.isDirectory()) {
      yield* inside(path, rulesFor(path))
      yield* followed(path)
    } else if (stats || !GLOB.test(given)) yield* named(path)
    else yield* fitting(given)
  }
  // What they lead to may have been there under its own name; more may be found on the way.
  for (const { path, rules } of links) {
    const stats = statOf(path)
    if (stats?.isDirectory()) yield* below(path, rules)
    else if (stats?.isFile()) yield* among(path, rules)
  }
}

/**
 * Whether a file of some path, which may not be there any more, would be looked at. Of files and
 * globs that are given, only the kind of file counts.
 */
export function createScope({ paths, cwd, exclude }: FileChoice): (path: string) => boolean {
  const excluded = createPatterns(exclude, targetOf(cwd))
  const given = paths.map((path) => targetOf(resolve(cwd, path)))
  const folders = given.filter((path) => statOf(path)?.isDirectory())
  const isWithin = (path: string) =>
    folders.length < given.length || folders.some((each) => !relative(each, path).startsWith('..'))
  return (path) => MANIFEST.test(path) && !excluded(path, false) && isWithin(path)
}

/** A path for people: relative to the working directory, with `/`; what is open has a name of its own. */
function nameOf(cwd: string, path: string): string {
  if (path.startsWith('/dev/')) return path
  return relative(cwd, path).split(sep).join('/') || '.'
}

function targetOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    return path
  }
}

function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
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
