import { alphabeticalOrder } from './alphabetical_order.ts'
import { allowedDigestOrder, followedTagOrder } from './digest_order.ts'
import { compileFilter } from './filter.ts'
import { numericalOrder } from './numerical_order.ts'
import { ruleError } from './rule_error.ts'
import { RuleSelector } from './selector.ts'
import { semverOrder } from './semver_order.ts'
import type { TagRule, TagSelector } from './types.ts'

/**
 * Compiles a rule.
 *
 * Candidates are the tags that match `pattern` or one of `allow`, and none of `ignore`; signatures,
 * attestations and SBOMs are never candidates. What ranks is the `extract` of the pattern, or the
 * tag itself, also where only `allow` matches. Of equal versions the longer tag ranks higher, then
 * the one that comes last in byte order (`-build.141` over `-build.140`), whatever the direction.
 *
 * A prerelease that `allow` matches need only lie within the bounds of the range, also where the
 * range names no prerelease.
 *
 * @param rule patterns in Go (RE2) syntax, `extract` in that of Go's Expand, the range in that of
 *   Masterminds/semver, as in Flux
 * @throws TagwardenError ERR_INVALID_POLICY; its position names the field relative to the policy's
 *   spec, such as `tags.allow[1]`
 * @example
 *   const selector = compileRule({
 *     pattern: '^v(?P<version>[0-9.]+)$',
 *     extract: '$version',
 *     allow: [],
 *     ignore: [],
 *     order: { semver: { range: '>=1.2.3 <2.0.0' } },
 *   })
 *   selector.rank(['v1.2.3', 'v1.10.0', 'v2.0.0']).permitted[0]?.tag // 'v1.10.0'
 *   selector.judge('v2.0.0') // { permitted: false, tag: 'v2.0.0', reason: 'OutOfRange' }
 */
export function compileRule(rule: TagRule): TagSelector {
  const filter = compileFilter(rule)
  const { order } = rule
  if ('semver' in order) {
    const { range, identifier } = order.semver
    return new RuleSelector(rule, filter, semverOrder(range, identifier))
  }
  if ('alphabetical' in order) {
    return new RuleSelector(rule, filter, alphabeticalOrder(order.alphabetical.order))
  }
  if ('numerical' in order) {
    return new RuleSelector(rule, filter, numericalOrder(order.numerical.order))
  }
  if ('allowed' in order.digest) {
    return new RuleSelector(rule, filter, allowedDigestOrder(order.digest.allowed))
  }
  const { follow } = order.digest
  const selector = new RuleSelector(rule, filter, followedTagOrder(follow))
  const verdict = selector.judge(follow)
  if (!verdict.permitted) {
    throw ruleError(
      'order.digest.follow',
      `the rule's own tags leave out ${follow} [${verdict.reason}]`,
      'Follow a tag that tags.pattern or tags.allow matches and tags.ignore does not',
    )
  }
  return selector
}
