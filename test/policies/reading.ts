import { describeError } from '../../src/errors.ts'
import { parseReference } from '../../src/images/index.ts'
import {
  type CompiledPolicies,
  type CompileOptions,
  compilePolicies,
  parsePolicies,
  type Workload,
} from '../../src/policies/index.ts'

/** A native policy as JSON, which is YAML too. */
export function nativePolicy(
  spec: Record<string, unknown>,
  { kind = 'ImagePolicy', ...metadata }: { kind?: string; name?: string; namespace?: string } = {},
): string {
  return JSON.stringify({
    apiVersion: 'tagwarden.io/v1alpha1',
    kind,
    metadata: { name: 'web', ...metadata },
    spec: { images: ['ghcr.io/acme/web'], order: { semver: { range: '1.x' } }, ...spec },
  })
}

/** Documents of one file. */
export function file(...documents: readonly string[]): string {
  return documents.join('\n---\n')
}

/** Reads and compiles one text as a file would be; problems as people see them. */
export function read(
  text: string,
  options?: CompileOptions,
): CompiledPolicies & { lines: string[]; skipped: number } {
  const parsed = parsePolicies(text, 'f.yaml')
  const compiled = compilePolicies(parsed.resources, options)
  const lines = [...parsed.problems, ...compiled.problems].map((problem) => describeError(problem))
  return { ...compiled, lines, skipped: parsed.skipped }
}

export function workload(part: Partial<Workload> = {}): Workload {
  const groupKind = { group: 'apps', kind: 'Deployment' }
  return {
    namespace: 'default',
    groupKind,
    name: 'web',
    owners: [],
    labels: {},
    namespaceLabels: {},
    ...part,
  }
}

/** Titles of the policies that apply to an image. */
export function titles(
  { set }: CompiledPolicies,
  image: string,
  where: Partial<Workload> = {},
  container: string | undefined = 'app',
): string[] {
  return set.match(parseReference(image), workload(where), container).map(({ title }) => title)
}
