import { describeError, TagwardenError } from '../errors.ts'
import { compareTexts } from '../pieces/index.ts'
import {
  type CompileOptions,
  compilePolicies,
  compilingEach,
  type PolicyResource,
  type PolicySet,
  sharedSelectors,
} from '../policies/index.ts'
import { inSlices } from '../scheduling/index.ts'
import { type PolicyFile, readPolicyFile } from './policy_file.ts'
import { type Survey, surveyPaths } from './survey.ts'

/** Which policies to read. */
export interface PolicyPaths {
  /** files and folders, relative to the working directory */
  readonly paths: readonly string[]
  /** of policies that name none; default Enforce */
  readonly enforcement?: CompileOptions['enforcement']
  /** whether Secrets of a cluster can be had, so that nothing is said where one is named */
  readonly secrets?: CompileOptions['secrets']
}

/** A set of policies and what it was made from. */
export interface LoadedPolicies {
  readonly set: PolicySet
  /** what the set was compiled from */
  readonly resources: readonly PolicyResource[]
  /** for people: policies that are left out although nothing is wrong with them, and why */
  readonly notes: readonly string[]
  /** how many files were read */
  readonly files: number
  /** how many objects in them are of kinds that are no policies */
  readonly skipped: number
}

/** One look at the files. */
export interface Reading {
  readonly loaded: LoadedPolicies
  /** when there are any, `loaded` is what remains without the wrong policies */
  readonly problems: readonly TagwardenError[]
  /** the folders that were looked into, and a stamp of each */
  readonly folders: ReadonlyMap<string, string>
}

/** Reads the same paths again and again; only what changed is parsed and compiled again. */
export function createPolicyReader({ paths, enforcement, secrets }: PolicyPaths) {
  const cache: NonNullable<CompileOptions['cache']> = new WeakMap()
  const selectorOf = sharedSelectors()
  let seen: Survey | undefined
  let files: ReadonlyMap<string, PolicyFile> = new Map()

  /** @returns undefined if nothing changed since the last time */
  return async function read(): Promise<Reading | undefined> {
    const survey = await surveyPaths(paths)
    if (seen !== undefined && isSame(seen, survey)) return undefined
    seen = survey
    const next = new Map<string, PolicyFile>()
    for (const [path, stamp] of survey.files) {
      const file = await readPolicyFile(path, stamp, files.get(path))
      if (file !== undefined) next.set(path, file)
    }
    files = next
    const { folders } = survey
    const read = [...files.values()]
    const resources = read.flatMap(({ parsed }) => parsed.resources)
    const compiling = compilingEach(resources, { enforcement, cache, selectorOf })
    // what goes wrong here goes wrong below
    await inSlices('policies', compiling).catch(() => {})
    const { set, notes, problems } = compile(resources)
    const skipped = read.reduce((sum, { parsed }) => sum + parsed.skipped, 0)
    const wrong = [
      ...survey.problems,
      ...read.flatMap(({ problem, parsed }) => [...(problem ? [problem] : []), ...parsed.problems]),
    ]
    // without all the files, pairs would be found broken that are not
    const all = survey.problems.length > 0 ? wrong : [...wrong, ...problems]
    const loaded = { set, resources, notes, files: files.size, skipped }
    return { loaded, problems: all.sort(byPlace), folders }
  }

  function compile(resources: readonly PolicyResource[]) {
    try {
      return compilePolicies(resources, { enforcement, secrets, cache, selectorOf })
    } catch (cause) {
      // a fault of ours must not end a server that has a good set
      const message = `the policies cannot be compiled: ${describeError(cause)}`
      const problem = new TagwardenError('ERR_INVALID_POLICY', message, { cause })
      return { ...compilePolicies([]), problems: [problem] }
    }
  }
}

/**
 * Reads policies once.
 *
 * @throws TagwardenError, or an AggregateError of several, if a policy is wrong or a path missing
 * @example
 *   const { set } = await loadPolicies({ paths: ['policies', 'extra.yaml'] })
 */
export async function loadPolicies(paths: PolicyPaths): Promise<LoadedPolicies> {
  const { loaded, problems } = (await createPolicyReader(paths)())!
  throwProblems(problems)
  return loaded
}

/** In the order in which a person would go through the files. */
function byPlace({ position: a }: TagwardenError, { position: b }: TagwardenError): number {
  return (
    compareTexts(a?.file ?? '', b?.file ?? '') ||
    (a?.line ?? 0) - (b?.line ?? 0) ||
    (a?.column ?? 0) - (b?.column ?? 0)
  )
}

const MOST_SHOWN = 20

/** Throws what is wrong: alone as it is; several as one error that names up to twenty. */
export function throwProblems(problems: readonly TagwardenError[]): void {
  if (problems.length === 1) throw problems[0]
  if (problems.length === 0) return
  const shown = problems.slice(0, MOST_SHOWN).map((problem) => describeError(problem))
  const rest = problems.length - shown.length
  const lines = rest > 0 ? [...shown, `and ${rest} more`] : shown
  throw new AggregateError(
    problems,
    [`${problems.length} problems in the policies:`, ...lines].join('\n'),
  )
}

function isSame(a: Survey, b: Survey): boolean {
  return (
    [a.files, a.folders].every((map, index) => hasSameEntries(map, [b.files, b.folders][index]!)) &&
    a.problems.map(describeError).join() === b.problems.map(describeError).join()
  )
}

function hasSameEntries(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)
}
