import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Position, TagwardenError } from '../errors.ts'
import { parseImageField } from '../images/index.ts'
import { type Flaw, formatPath, type Path, readDocuments, validate } from '../policies/index.ts'
import { givenBy, override, readEnvironment } from './environment.ts'
import { interpret } from './interpret.ts'
import { CONFIG_SCHEMA } from './schema.ts'
import type { Config } from './types.ts'

const DEFAULT_FILE = 'tagwarden.yaml'
const LARGEST_FILE = 1024 * 1024

/** Where settings come from. */
export interface ConfigSources {
  /** `--config`; else `TAGWARDEN_CONFIG`, else `./tagwarden.yaml` where there is one */
  readonly file?: string | undefined
  readonly env: NodeJS.ProcessEnv
  /** the folder that relative paths outside the file are relative to */
  readonly cwd: string
}

/**
 * Reads the settings: an environment variable wins over the file, the file over the built-in
 * default. Paths in the file are relative to its folder, `~` is the home folder.
 *
 * @throws TagwardenError ERR_INVALID_CONFIG with file, line, column, field and remedy, or with the
 *   variable's name
 *
 * @example
 *   const config = await loadConfig({ env: process.env, cwd: process.cwd() })
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const { env, cwd } = sources
  const file = await readConfigFile(sources)
  const { values, unknown } = readEnvironment(env)
  if (unknown[0]) {
    const { name, nearest } = unknown[0]
    throw invalid({ message: 'is no setting', remedy: `Write ${nearest} instead` }, variable(name))
  }
  const fields = override(file.fields, values)
  const locate = (path: Path): Position => {
    const given = givenBy(values, path)
    if (!given) return file.locate(path)
    return variable(
      given.name +
        formatPath([given.name, ...path.slice(given.path.length)]).slice(given.name.length),
    )
  }
  const flaws = [...validate(CONFIG_SCHEMA, fields)]
  refuse(flaws, locate)
  const folder = (path: Path) => (givenBy(values, path) ? cwd : file.folder)
  const reading = { folder, home: env['HOME'], flaws }
  const config = interpret(CONFIG_SCHEMA, fields, [], reading) as Omit<Config, 'file'>
  refuse(flaws, locate)
  const imageFields = config.imageFields.map((field, index) =>
    parseImageField(field, locate(['imageFields', index])),
  )
  return Object.freeze({ ...config, imageFields: Object.freeze(imageFields), file: file.path })
}

interface ConfigFile {
  readonly path: string | undefined
  readonly folder: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly locate: (path: Path) => Position
}

async function readConfigFile({ file, env, cwd }: ConfigSources): Promise<ConfigFile> {
  const named = file ?? env['TAGWARDEN_CONFIG']
  const path = resolve(cwd, named || DEFAULT_FILE)
  const text = await readText(path, !named)
  if (text === undefined) {
    return { path: undefined, folder: cwd, fields: {}, locate: () => ({ file: 'the defaults' }) }
  }
  const { documents, problems } = readDocuments(text, path)
  const [document, second] = documents
  const problem = problems[0]
  if (problem) throw invalid(problem, problem.position ?? { file: path }, problem)
  if (second) {
    const flaw = { message: 'holds more than one document', remedy: 'Remove what follows "---"' }
    throw invalid(flaw, second.locate([]))
  }
  const fields = document?.value ?? {}
  if (typeof fields !== 'object' || Array.isArray(fields)) {
    const remedy = 'Write settings as "name: value", each on a line of its own'
    throw invalid({ message: 'holds no settings', remedy }, { file: path, line: 1, column: 1 })
  }
  const locate = document?.locate ?? (() => ({ file: path }))
  return { path, folder: dirname(path), fields: fields as ConfigFile['fields'], locate }
}

async function readText(path: string, optional: boolean): Promise<string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > LARGEST_FILE) {
      const remedy = 'Give the configuration file, not the policies'
      throw invalid({ message: 'is larger than 1 MiB', remedy }, { file: path })
    }
    return await readFile(path, 'utf8')
  } catch (cause) {
    if (cause instanceof TagwardenError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    if (optional && code === 'ENOENT') return undefined
    const message = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw invalid({ message, remedy: 'Give --config a YAML file' }, { file: path }, cause)
  }
}

/** Only the first is told at length: the others are often its echo. */
function refuse(flaws: readonly Flaw[], locate: (path: Path) => Position): void {
  const [first, ...others] = flaws
  if (first) {
    const more = others.length > 0 ? ` (and ${others.length} more)` : ''
    throw invalid({ ...first, message: first.message + more }, locate(first.path))
  }
}

function variable(name: string): Position {
  return { file: 'environment variable', field: name }
}

function invalid(
  { message, remedy }: { readonly message: string; readonly remedy: string },
  position: Position,
  cause?: unknown,
): TagwardenError {
  return new TagwardenError('ERR_INVALID_CONFIG', message, { remedy, position, cause })
}
