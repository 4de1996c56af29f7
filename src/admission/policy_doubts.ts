import { rivalsOf } from '../decisions/index.ts'
import { formatPosition } from '../errors.ts'
import type { GroupKind } from '../images/index.ts'
import type { CompiledException, CompiledPolicy, PolicySet } from '../policies/types.ts'
import { unknownGroups } from '../tags/index.ts'

/**
 * What is doubtful about policies and exceptions that are right, each as one line: it does less,
 * or more, than its author may think.
 *
 * @param set what is to be stored
 * @param present what is in force, with the version before
 * @param kinds those with images
 */
export function doubtsAbout(
  set: PolicySet,
  present: PolicySet,
  now: number,
  kinds: readonly GroupKind[],
): string[] {
  const known = knownKinds(kinds)
  return [
    ...set.policies.flatMap((policy) => [
      ...kindDoubts(policy, known),
      ...policyDoubts(policy),
      ...rivalDoubts(policy, present),
    ]),
    ...set.allExceptions.flatMap((exception) => [
      ...kindDoubts(exception, known),
      ...exceptionDoubts(exception, present, now),
    ]),
  ]
}

/**
 * The same about policies and exceptions from files, each with its place; without rivals, which
 * denials name.
 *
 * @param kinds undefined: nobody knows which there are
 * @example
 *   doubtsInFiles(set, Date.now(), builtinKinds) // ['policies/web.yaml:1: ImagePolicy shop/web: …']
 */
export function doubtsInFiles(
  set: Pick<PolicySet, 'policies' | 'allExceptions'>,
  now: number,
  kinds: readonly GroupKind[] | undefined,
): string[] {
  const known = kinds && knownKinds(kinds)
  const placed = ({ position, title }: CompiledPolicy | CompiledException, doubts: string[]) => {
    const place = position === undefined ? '' : `${formatPosition(position)}: `
    return doubts.map((doubt) => `${place}${title}: ${doubt}`)
  }
  return [
    ...set.policies.flatMap((each) =>
      placed(each, [...kindDoubts(each, known), ...policyDoubts(each)]),
    ),
    ...set.allExceptions.flatMap((each) =>
      placed(each, [...kindDoubts(each, known), ...exceptionDoubts(each, set, now)]),
    ),
  ]
}

function policyDoubts(policy: CompiledPolicy): string[] {
  const { enforcement, latest, onUnavailable, whenRegistryFails, images, promote } = policy
  const lenient = enforcement !== 'Enforce'
  const doubts = unknownGroups(policy.selector.rule).map(
    (name) =>
      `spec.tags.extract: the pattern has no group ${name}, so that \${${name}} is always empty. Write (?P<name>…) in the pattern; text that follows a name needs braces, as in \${1}x`,
  )
  if (images.every((glob) => !glob.includes('*') && !policy.covers(glob))) {
    doubts.push('spec.exclude: covers everything in images, so that the policy is for nothing')
  }
  if (enforcement === 'Audit' && promote === 'Continuously') {
    doubts.push('spec.promote: with enforcement Audit no workload is moved')
  }
  if (enforcement === 'Audit' && latest === 'Resolve') {
    doubts.push('spec.latest: with enforcement Audit, latest is not resolved')
  }
  if (lenient && onUnavailable === 'Deny') {
    doubts.push(
      `spec.onUnavailable: Deny refuses everything while Tagwarden does not answer, although enforcement ${enforcement} refuses nothing while it does`,
    )
  }
  if (lenient && whenRegistryFails === 'Deny') {
    doubts.push(`spec.whenRegistryFails: Deny refuses nothing with enforcement ${enforcement}`)
  }
  if (images.includes('**') && onUnavailable === 'Deny' && policy.namespaceSelector === undefined) {
    doubts.push(
      'spec.onUnavailable: with images "**", Deny keeps every workload in the namespaces of this policy from starting while Tagwarden does not answer',
    )
  }
  return doubts
}

/** The kinds with images, by the names that `match` may give them. */
interface KnownKinds {
  readonly names: ReadonlySet<string>
  readonly list: string
}

function knownKinds(kinds: readonly GroupKind[]): KnownKinds {
  return {
    names: new Set(kinds.flatMap(({ group, kind }) => [kind, `${kind}.${group}`])),
    list: [...new Set(kinds.map(({ kind }) => kind))].join(', '),
  }
}

/**
 * Kinds under `match` that are never looked at, as when one is misspelt: what names only such is
 * for nothing.
 */
function kindDoubts(
  { kinds }: Pick<CompiledPolicy, 'kinds'>,
  known: KnownKinds | undefined,
): string[] {
  return kinds.flatMap((kind, index) =>
    known === undefined || known.names.has(kind)
      ? []
      : `spec.match.kinds[${index}]: ${kind} is no kind whose images are looked at. Those are ${known.list}; others are made known by imageFields in the configuration`,
  )
}

function rivalDoubts(policy: CompiledPolicy, present: PolicySet): string[] {
  const rivals = new Map<string, string>()
  for (const glob of policy.images) {
    const found = glob.includes('*')
      ? sameGlob(policy, glob, present)
      : rivalsOf(policy, glob, present, () => '')
    for (const { title } of found) rivals.set(title, rivals.get(title) ?? glob)
  }
  return [...rivals].map(
    ([title, image]) =>
      `spec.images: ${title} is as specific for ${image}. Where the two choose differently for a workload, its image is refused; make one of them more specific, or give both the same rule`,
  )
}

/** Rivals for all that a pattern covers: those with the very same one. */
function sameGlob(policy: CompiledPolicy, glob: string, present: PolicySet): CompiledPolicy[] {
  const others = present.policies.filter(({ images }) => images.includes(glob))
  const sample = glob.replaceAll('*', 'x')
  return rivalsOf(policy, sample, { covering: () => others }, () => '')
}

function exceptionDoubts(
  exception: CompiledException,
  present: Pick<PolicySet, 'policies'>,
  now: number,
): string[] {
  const doubts: string[] = []
  if (exception.expires <= now) {
    const end = new Date(exception.expires).toISOString()
    doubts.push(`spec.expires: ${end} is over, so that it lets nothing through`)
  }
  return [...doubts, ...unliftedDoubts(exception, present)]
}

function unliftedDoubts(
  exception: CompiledException,
  present: Pick<PolicySet, 'policies'>,
): string[] {
  const reachable = present.policies.filter(
    ({ namespace }) => namespace === undefined || namespace === exception.namespace,
  )
  const { policies } = exception
  return policies.flatMap((name) => {
    const meant = reachable.filter((policy) => policy.name === name || policy.title === name)
    if (meant.length === 0) {
      return `spec.policies: there is no policy ${name} for namespace ${exception.namespace}`
    }
    const shut = meant.filter((policy) => !exception.lifts(policy))
    return shut.map(
      ({ title }) => `spec.policies: ${title} says exceptions: Deny, so that it is not lifted`,
    )
  })
}
