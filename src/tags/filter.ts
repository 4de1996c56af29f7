import { isArtifact } from './artifact.ts'
import { firstOf } from './group_names.ts'
import { compilePattern, limitTogether, limitWithGroups, type Pattern } from './pattern.ts'
import { ruleError } from './rule_error.ts'
import { compileTemplate } from './template.ts'
import type { Candidate, TagReason, TagRule } from './types.ts'

/** Which tags are candidates at all. */
export interface TagFilter {
  /** the candidate, or why the tag is none */
  admit(tag: string): Candidate | TagReason
  /** the tag as a version, whatever the patterns say of it; undefined where they are needed for that */
  versionOf(tag: string): Candidate | undefined
  /** whether one of the rule's allow patterns matches */
  allows(tag: string): boolean
}

/**
 * Compiles the pattern, extract, allow and ignore of a rule.
 *
 * @throws TagwardenError ERR_INVALID_POLICY
 */
export function compileFilter(rule: TagRule): TagFilter {
  const ignore = compileAll(rule.ignore, 'tags.ignore')
  const allow = compileAll(rule.allow, 'tags.allow')
  const pattern = rule.pattern ? [compilePattern(rule.pattern, 'tags.pattern')] : []
  limitTogether([...ignore, ...allow, ...pattern], 'tags')
  const ignored = matchesAny(ignore)
  const allows = matchesAny(allow)
  const read = compileExtract(rule)
  const whole = (tag: string): Candidate => ({ tag, version: tag, build: undefined })
  // any text is a version there, and that of other tags is only a part of them
  const isPart = rule.extract !== undefined && 'alphabetical' in rule.order
  return {
    allows,
    versionOf(tag) {
      if (isArtifact(tag)) return undefined
      return read(tag) ?? (isPart && !allows(tag) ? undefined : whole(tag))
    },
    admit(tag) {
      if (isArtifact(tag)) {
        return 'Artifact'
      }
      if (ignored(tag)) {
        return 'Ignored'
      }
      return read(tag) ?? (allows(tag) ? whole(tag) : 'NotMatched')
    },
  }
}

function compileAll(sources: readonly string[], field: string): Pattern[] {
  return sources.map((source, i) => compilePattern(source, `${field}[${i}]`))
}

function matchesAny(patterns: readonly Pattern[]): (tag: string) => boolean {
  return (tag) => patterns.length > 0 && patterns.some((pattern) => pattern.test(tag))
}

/** Makes a candidate of a tag that the pattern matches. */
function compileExtract({ pattern: source, extract }: TagRule) {
  if (!source) {
    if (extract) {
      throw ruleError(
        'tags.extract',
        'there is no pattern to extract from',
        'Set tags.pattern with a group such as (?P<version>.*), or remove tags.extract',
      )
    }
    return (tag: string): Candidate => ({ tag, version: tag, build: undefined })
  }
  const pattern = compilePattern(source, 'tags.pattern')
  const template = extract ? compileTemplate(extract, pattern.groups) : undefined
  const buildGroups = pattern.groups.get('build')
  if (!template && buildGroups === undefined) {
    return (tag: string): Candidate | undefined =>
      pattern.test(tag) ? { tag, version: tag, build: undefined } : undefined
  }
  limitWithGroups(pattern, 'tags.pattern')
  return (tag: string): Candidate | undefined => {
    const match = pattern.match(tag)
    if (!match) {
      return undefined
    }
    const build = buildGroups && firstOf(match, buildGroups)
    return { tag, version: template ? template(match) : tag, build: build || undefined }
  }
}
