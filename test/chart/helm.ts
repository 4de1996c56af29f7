import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { HELM, requireAsset } from '../cluster/assets.ts'
import { type ProgramResult, runProgram } from '../cluster/program.ts'

export const ROOT = join(import.meta.dirname, '../..')
export const CHART = join(ROOT, 'charts/tagwarden')
export const NAMESPACE = 'tagwarden-system'

/** Values as Helm takes them. */
export type Values = Readonly<Record<string, unknown>>

/** An object of the rendered chart. */
export interface Rendered {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  // biome-ignore lint/suspicious/noExplicitAny: any kind of Kubernetes
  readonly [field: string]: any
}

/** Runs the real Helm; another exit code than 0 is a result, not an error. */
export function helm(
  args: readonly string[],
  options: { readonly input?: string; readonly home?: string } = {},
): Promise<ProgramResult> {
  const { home = '/nonexistent', input } = options
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  }
  return runProgram(requireAsset(HELM), args, { env, input })
}

/** What "helm template" says of values. */
export function template(
  values: Values,
  { release = 'tagwarden', namespace = NAMESPACE, chart = CHART } = {},
): Promise<ProgramResult> {
  const args = ['template', release, chart, '--namespace', namespace, '--values', '-']
  return helm(args, { input: JSON.stringify(values) })
}

/** The objects that values make. */
export async function render(
  values: Values,
  options: { release?: string; namespace?: string } = {},
): Promise<Rendered[]> {
  const { code, stdout, stderr } = await template(values, options)
  if (code !== 0) throw new Error(stderr)
  return objectsOf(stdout)
}

/** Documents of a YAML stream; throws where one is no YAML. */
export function objectsOf(text: string): Rendered[] {
  const documents = parseAllDocuments(text)
  if (!Array.isArray(documents)) return []
  return documents.flatMap((document) => {
    if (document.errors[0]) throw document.errors[0]
    const value = document.toJS()
    return value === null ? [] : [value]
  })
}

/** The only object of a kind (and name). */
export function only(objects: readonly Rendered[], kind: string, name?: string): Rendered {
  const found = objects.filter(
    (each) => each.kind === kind && (name === undefined || each.metadata.name === name),
  )
  if (found.length !== 1 || !found[0]) {
    throw new Error(`${found.length} of ${kind} ${name ?? ''}`)
  }
  return found[0]
}

/** The container of the Deployment. */
export function containerOf(objects: readonly Rendered[]): Rendered[string] {
  return only(objects, 'Deployment').spec.template.spec.containers[0]
}
