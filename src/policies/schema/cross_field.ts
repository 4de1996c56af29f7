import type { ImagePolicySpec } from './image_policy.ts'

/** What must hold between fields: for the API server in CEL, for files in TypeScript. */
export interface CrossFieldRule {
  /** dotted path within the spec where the rule stands; '' is the spec itself */
  readonly at: string
  /** path below `at` that the error points to; '' is `at` itself */
  readonly points: string
  /** https://kubernetes.io/docs/reference/using-api/cel/, with `self` for the value at `at` */
  readonly cel: string
  readonly message: string
  readonly remedy: string
  holds(spec: ImagePolicySpec): boolean
}

const ORDERS = ['semver', 'alphabetical', 'numerical', 'digest'] as const

/** Every rule between fields. Data only: both the CRDs and the reading of files use it. */
export const CROSS_FIELD_RULES: readonly CrossFieldRule[] = [
  {
    at: 'order',
    points: '',
    cel: `[${ORDERS.map((name) => `has(self.${name})`).join(', ')}].filter(given, given).size() == 1`,
    message: 'must have exactly one of semver, alphabetical, numerical, digest',
    remedy: 'Write one of them, such as semver: { range: ">=1.0.0 <2.0.0" } or numerical: {}',
    holds: ({ order }) => ORDERS.filter((name) => order[name] !== undefined).length === 1,
  },
  {
    at: 'order.digest',
    points: '',
    cel: 'has(self.allowed) != has(self.follow)',
    message: 'must have exactly one of allowed, follow',
    remedy: 'Keep allowed: a list of digests, or follow: a tag',
    holds: ({ order: { digest } }) =>
      digest === undefined || (digest.allowed === undefined) !== (digest.follow === undefined),
  },
  {
    at: 'tags',
    points: 'extract',
    cel: '!has(self.extract) || has(self.pattern)',
    message: 'needs a pattern whose groups it takes',
    remedy: 'Add tags.pattern, such as ^v(?P<version>[0-9.]+)$ for $version',
    holds: ({ tags }) => tags.extract === undefined || tags.pattern !== undefined,
  },
  {
    at: '',
    points: 'latest',
    cel: "!(self.latest == 'Resolve' && self.action == 'Verify')",
    message: 'cannot be Resolve with action Verify, which changes nothing',
    remedy: 'Use action Track or Pin, or latest Deny',
    holds: ({ latest, action }) => !(latest === 'Resolve' && action === 'Verify'),
  },
  {
    at: '',
    points: 'reference',
    cel: "!(self.reference == 'Tag' && self.action == 'Pin')",
    message: 'cannot be Tag with action Pin, which adds the digest',
    remedy: 'Use reference TagAndDigest or Digest, or action Track or Verify',
    holds: ({ reference, action }) => !(reference === 'Tag' && action === 'Pin'),
  },
  {
    at: '',
    points: 'reference',
    cel: "!(self.reference == 'Tag' && has(self.order.digest) && self.action != 'Verify')",
    message: 'cannot be Tag with order digest, which is kept only by the digest',
    remedy: 'Use reference TagAndDigest or Digest, or action Verify',
    holds: ({ reference, order, action }) =>
      !(reference === 'Tag' && order.digest !== undefined && action !== 'Verify'),
  },
  {
    at: '',
    points: 'promote',
    cel: "!(self.promote == 'Continuously' && self.action != 'Track')",
    message: 'cannot be Continuously unless the action is Track, which alone moves workloads',
    remedy: 'Use action Track, or promote OnApply',
    holds: ({ promote, action }) => !(promote === 'Continuously' && action !== 'Track'),
  },
]

/** The rules that stand at one field, as a CRD has them. */
export function crossFieldRules(at: string): readonly object[] {
  return CROSS_FIELD_RULES.filter((rule) => rule.at === at).map((rule) => ({
    rule: rule.cel,
    message: [rule.points, rule.message].filter((part) => part !== '').join(' '),
    ...(rule.points === '' ? {} : { fieldPath: `.${rule.points}` }),
  }))
}
