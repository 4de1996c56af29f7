import type { CompiledPolicy } from '../policies/types.ts'
import type { FactFailure, FactNeed, Facts, RepositorySnapshot } from './ports.ts'
import type { Question } from './types.ts'

/** One run of decide(): the question, what is known, and what turned out to be lacking. */
export interface Inquiry {
  readonly question: Question
  readonly facts: Facts
  readonly snapshot: RepositorySnapshot | undefined
  readonly needs: FactNeed[]
  readonly wishes: FactNeed[]
}

/** What asking for a fact gave: it will be gathered, or it can't be had. */
export type Lack = 'asked' | FactFailure

/** Notes that the verdict depends on a fact that is not there. */
export function lack(inquiry: Inquiry, need: FactNeed): Lack {
  const failure = inquiry.facts.failure(need)
  if (failure) {
    return failure
  }
  inquiry.needs.push(need)
  return 'asked'
}

export function repositoryNeed(inquiry: Inquiry): FactNeed {
  return { fact: 'repository', name: inquiry.question.image.name }
}

/**
 * Whether an owner of this object was admitted by the policy, or by the defaults, so that it must
 * get its pods though the registry fails or forgets. A policy that is for pods only never saw the
 * owner.
 */
export function isOwnerJudged({ question }: Inquiry, policy: CompiledPolicy | undefined): boolean {
  return question.ownerReviewed && (policy === undefined || policy.judged(question.owners))
}

/** Asks for the platforms as well where any policy on this image will want them. */
export function manifestNeed(inquiry: Inquiry, tag: string): FactNeed {
  const { image, policies } = inquiry.question
  const platforms = policies.some((policy) => policy.platforms.length > 0)
  return { fact: 'manifest', name: image.name, tag, platforms }
}
