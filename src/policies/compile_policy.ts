import { TagwardenError } from '../errors.ts'
import { parsePlatform } from '../images/index.ts'
import type { TagOrder, TagRule, TagSelector } from '../tags/types.ts'
import { contentHash } from './content_hash.ts'
import { draftProblem, type PolicyDraft } from './draft.ts'
import { parseDuration } from './duration.ts'
import { parsePath } from './flaw.ts'
import { repositoryNames } from './host_alias.ts'
import { compilePromotion } from './promotion.ts'
import type { RepositoryGlob } from './repository_glob.ts'
import type { ClusterImagePolicySpec } from './schema/image_policy.ts'
import { checkSpec, isSound } from './spec.ts'
import type { CompiledPolicy, Enforcement } from './types.ts'
import { compileOwnerTest, compileWorkloadFilter, type WorkloadFilter } from './workload_filter.ts'

/** A compiled policy and what only the set needs of it. */
export interface PolicyEntry {
  readonly policy: CompiledPolicy
  readonly globs: readonly RepositoryGlob[]
  /** undefined: for every workload */
  readonly filter: WorkloadFilter | undefined
  /** changes with the policy's content */
  readonly hash: string
}

export type PolicyCompilation =
  | { readonly entry: PolicyEntry; readonly problems?: undefined }
  | { readonly entry?: undefined; readonly problems: readonly TagwardenError[] }

/** Checks one policy and makes it ready. */
export function compilePolicy(
  draft: PolicyDraft,
  enforcement: Enforcement,
  selectorOf: (rule: TagRule) => TagSelector,
): PolicyCompilation {
  const { flaws, images, exclude } = checkSpec(draft.kind, draft.spec)
  const problems = flaws.map((flaw) => draftProblem(draft, flaw))
  const spec = draft.spec as ClusterImagePolicySpec
  let selector: TagSelector | undefined
  try {
    if (isSound(flaws, 'order', 'tags')) selector = selectorOf(tagRule(spec))
  } catch (error) {
    if (!(error instanceof TagwardenError)) throw error
    const { message, remedy, position } = error
    problems.push(
      draftProblem(draft, { path: parsePath(position?.field ?? 'tags'), message, remedy }, error),
    )
  }
  if (selector === undefined || problems.length > 0) return { problems }
  return { entry: entryOf(draft, spec, enforcement, selector, images, exclude) }
}

function tagRule({ tags, order }: ClusterImagePolicySpec): TagRule {
  return { ...tags, order: order as TagOrder }
}

function entryOf(
  draft: PolicyDraft,
  spec: ClusterImagePolicySpec,
  enforcement: Enforcement,
  selector: TagSelector,
  globs: readonly RepositoryGlob[],
  exclude: readonly RepositoryGlob[],
): PolicyEntry {
  const { kind, namespace, name, title, document } = draft
  const covering = (image: string): readonly RepositoryGlob[] => {
    const names = repositoryNames(image)
    const covers = (glob: RepositoryGlob) => names.some((each) => glob.covers(each))
    return exclude.some(covers) ? [] : globs.filter(covers)
  }
  const policy: CompiledPolicy = {
    kind,
    namespace,
    name,
    title,
    position: document.position,
    images: globs.map(({ pattern }) => pattern),
    selector,
    action: spec.action,
    reference: spec.reference,
    latest: spec.latest,
    enforcement: spec.enforcement ?? enforcement,
    whenRegistryFails: spec.whenRegistryFails,
    movedTags: spec.movedTags,
    minimumAge: parseDuration(spec.minimumAge)!,
    allowDowngrade: spec.allowDowngrade,
    platforms: spec.platforms.map((platform) => parsePlatform(platform) ?? platform),
    promote: spec.promote,
    promotion: compilePromotion(spec.promotion),
    onUnavailable: spec.onUnavailable,
    exceptions: kind === 'ImagePolicy' ? 'Allow' : spec.exceptions,
    kinds: spec.match?.kinds ?? [],
    namespaceSelector: spec.namespaceSelector,
    covers: (image) => covering(image).length > 0,
    judged: compileOwnerTest(spec.match),
    specificity: (image) => Math.max(0, ...covering(image).map((glob) => glob.literal)),
  }
  return {
    policy: Object.freeze(policy),
    globs,
    filter: compileWorkloadFilter(spec),
    hash: contentHash(JSON.stringify([kind, title, policy.enforcement, spec])),
  }
}
