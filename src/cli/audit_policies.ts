import type { Cluster } from '../cluster/index.ts'
import type { Config } from '../config/index.ts'
import { TagwardenError } from '../errors.ts'
import { compilePolicies, type PolicySet } from '../policies/index.ts'
import { lackingLabels, overlaid, readPoliciesInForce } from '../sources/cluster.ts'
import { loadNamed } from './review_world.ts'

/** The policies that an audit judges by. */
export interface AuditPolicies {
  readonly set: PolicySet
  /** with those of `--what-if` laid over; undefined without it */
  readonly whatIf: PolicySet | undefined
  /** what is wrong with those of the cluster; those of files must be right */
  readonly problems: readonly TagwardenError[]
  /** for people */
  readonly notes: readonly string[]
  /** the cluster has Tagwarden's kinds */
  readonly isServed: boolean
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>
}

/**
 * Reads the policies in force in a cluster, or those of files in their place, and what is laid over.
 *
 * @throws TagwardenError, or an AggregateError of them, for a file that is wrong
 */
export async function readAuditPolicies(
  cluster: Cluster,
  { defaults: { enforcement } }: Pick<Config, 'defaults'>,
  options: {
    readonly namespace?: string
    readonly policies?: readonly string[]
    readonly whatIf?: readonly string[]
  },
  signal: AbortSignal,
): Promise<AuditPolicies> {
  const { namespace, policies: paths, whatIf: over } = options
  const live = await readPoliciesInForce(cluster, namespace, signal)
  const load = (some: readonly string[]) => loadNamed(some, some, { enforcement, secrets: true })
  const fromFiles = paths && (await load(paths))
  const resources = fromFiles ? fromFiles.resources : live.resources
  const isNone = resources.length === 0 && over === undefined
  if (isNone && !live.isServed && live.problems.length === 0) {
    throw new TagwardenError('ERR_INVALID_POLICY', `${cluster.server} has no policies`, {
      remedy: 'Name files with --policies, or install Tagwarden',
    })
  }
  const compiled = compilePolicies(resources, { enforcement, secrets: true })
  const more = over && (await load(over))
  const laid =
    more && compilePolicies(overlaid(resources, more.resources), { enforcement, secrets: true })
  return {
    set: compiled.set,
    whatIf: laid?.set,
    problems: [
      ...(fromFiles ? [] : [...live.problems, ...compiled.problems]),
      ...lackingLabels(live, [compiled.set, laid?.set]),
    ],
    notes:
      isNone && live.problems.length === 0
        ? ['No policy is in force here: the defaults of the configuration apply']
        : [],
    isServed: live.isServed,
    namespaceLabels: live.namespaceLabels,
  }
}
