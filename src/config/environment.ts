import { nearestName, type Path, readDocuments } from '../policies/index.ts'
import { CONFIG_SCHEMA, type Setting } from './schema.ts'

/** A setting that an environment variable can give. */
export interface Variable {
  /** such as `TAGWARDEN_LISTEN_BODY_LIMIT` */
  readonly name: string
  readonly path: readonly string[]
  readonly setting: Setting
}

/** Every setting with its variable. A list or object as a whole is one setting. */
export const VARIABLES: readonly Variable[] = variablesOf(CONFIG_SCHEMA, [])

function variablesOf(setting: Setting, path: readonly string[]): Variable[] {
  if (setting.properties) {
    return Object.entries(setting.properties).flatMap(([key, field]) =>
      variablesOf(field, [...path, key]),
    )
  }
  const words = path.map((key) => key.replace(/[A-Z]/g, '_$&').toUpperCase())
  return [{ name: ['TAGWARDEN', ...words].join('_'), path, setting }]
}

/** What the environment says, beside the file. */
export interface Overrides {
  /** variables that are set, with their values as the schema has them */
  readonly values: readonly (Variable & { readonly value: unknown })[]
  /** variables that look like a misspelt one */
  readonly unknown: readonly { readonly name: string; readonly nearest: string }[]
}

/** An empty variable counts as not set. */
export function readEnvironment(env: NodeJS.ProcessEnv): Overrides {
  const values = VARIABLES.flatMap((variable) => {
    const text = env[variable.name]?.trim()
    return text ? [{ ...variable, value: parseValue(text, variable.setting) }] : []
  })
  const names = VARIABLES.map(({ name }) => name)
  const unknown = Object.keys(env).flatMap((name) => {
    const nearest = isForeign(name) || names.includes(name) ? undefined : misspelt(name, names)
    return nearest === undefined ? [] : [{ name, nearest }]
  })
  return { values, unknown }
}

/** Kubernetes sets `TAGWARDEN_SERVICE_HOST`, `TAGWARDEN_PORT_8443_TCP`, … for a Service. */
function isForeign(name: string): boolean {
  return !name.startsWith('TAGWARDEN_') || /^TAGWARDEN_(?:SERVICE|PORT|CONFIG)(?:_|$)/.test(name)
}

/** Only a near miss is one: whoever has other plans with the prefix may have them. */
function misspelt(name: string, names: readonly string[]): string | undefined {
  const short = (full: string) => full.slice('TAGWARDEN_'.length)
  const nearest = nearestName(short(name), names.map(short))
  return nearest === undefined ? undefined : `TAGWARDEN_${nearest}`
}

function parseValue(text: string, setting: Setting): unknown {
  const { type, items } = setting
  if (items?.type === 'object') {
    const { documents, problems } = readDocuments(text, '')
    return problems.length > 0 ? text : documents[0]?.value
  }
  if (type === 'array') {
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
  }
  return type === 'number' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** Puts the values over those of the file, on a copy. */
export function override(
  fields: Readonly<Record<string, unknown>>,
  values: Overrides['values'],
): Record<string, unknown> {
  const merged = structuredClone(fields) as Record<string, unknown>
  for (const { path, value } of values) {
    let parent = merged
    for (const key of path.slice(0, -1)) {
      // What is no object there is wrong anyway, and the environment wins.
      if (typeof parent[key] !== 'object' || parent[key] === null) parent[key] = {}
      parent = parent[key] as Record<string, unknown>
    }
    parent[path.at(-1) as string] = value
  }
  return merged
}

/** The variable that gave the value at a path, if one did. */
export function givenBy(values: Overrides['values'], path: Path): Variable | undefined {
  return values.find((variable) => variable.path.every((key, index) => key === path[index]))
}
