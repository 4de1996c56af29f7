import Type, { type Static } from 'typebox'
import { crossFieldRules } from './cross_field.ts'
import { globs } from './globs.ts'
import { labelSelector } from './label_selector.ts'
import { matchFields } from './match.ts'
import { choice, object } from './metadata.ts'
import { order } from './order.ts'
import { promotion } from './promotion.ts'

// The only source of the native form. `npm run generate` makes the CRDs and schemas.ts from it;
// at run time only its types are used, as TypeBox takes 100 ms and more to load.
// Keywords that are not JSON Schema's: `remedy` ends the error of a wrong value.

const PATTERN_LIMIT = 1024

function patterns(description: string) {
  return Type.Array(Type.String({ minLength: 1, maxLength: PATTERN_LIMIT }), {
    description,
    default: [],
    maxItems: 100,
  })
}

const match = object(matchFields, {
  description: 'Narrows the policy to some workloads. Everything that is given must hold.',
})

const tags = object(
  {
    pattern: Type.Optional(
      Type.String({
        description:
          'Only tags that match are candidates. Go (RE2) syntax, unanchored: use ^ and $.',
        minLength: 1,
        maxLength: PATTERN_LIMIT,
      }),
    ),
    extract: Type.Optional(
      Type.String({
        description: 'What of the tag is compared, by groups of the pattern: $1, $name or ${name}.',
        minLength: 1,
        maxLength: PATTERN_LIMIT,
      }),
    ),
    allow: patterns(
      'A tag that matches one of these is a candidate, whatever the pattern says and even if it is a prerelease.',
    ),
    ignore: patterns(
      'A tag that matches one of these is no candidate. Wins over pattern and allow.',
    ),
  },
  {
    description: 'Which tags are candidates at all. Without it, every tag is.',
    default: {},
    'x-kubernetes-validations': crossFieldRules('tags'),
  },
)

const fields = {
  images: globs(
    'Repositories this policy is for, such as ghcr.io/acme/web. * stands for any text within a path segment; ** as a whole segment, for any number of segments. Never a bare prefix, never a tag.',
    { minItems: 1, examples: ['ghcr.io/acme/web'] },
  ),
  exclude: globs('Repositories this policy is not for, although images covers them.', {
    default: [],
  }),
  match: Type.Optional(match),
  tags,
  order,
  action: choice(
    ['Verify', 'Pin', 'Track'],
    'Verify: only judge. Pin: judge, then add the digest. Track: judge, then move to the newest permitted tag.',
    'Track',
  ),
  reference: choice(
    ['TagAndDigest', 'Tag', 'Digest'],
    'What is written into the workload when the policy changes an image.',
    'TagAndDigest',
  ),
  latest: choice(
    ['Deny', 'Resolve'],
    'What an image without a tag, or with the tag latest, gets.',
    'Deny',
  ),
  enforcement: Type.Optional(
    choice(
      ['Enforce', 'Warn', 'Audit'],
      "Enforce: refuse what is not permitted. Warn: admit it with a warning. Audit: admit it and note it in the audit log. Without it, the server's configured default counts.",
    ),
  ),
  whenRegistryFails: choice(
    ['UseCached', 'Deny', 'Allow'],
    'What happens when the registry cannot be asked. UseCached: what was last known counts.',
    'UseCached',
  ),
  movedTags: choice(
    ['Deny', 'Warn', 'Allow'],
    'What a tag gets whose digest has changed since it was first seen.',
    'Warn',
  ),
  minimumAge: Type.String({
    description:
      'How long a tag must have been seen before it is a candidate, such as "72h", "7d" or "1h30m".',
    pattern: '^([0-9]+([.][0-9]+)?(ms|s|m|h|d))+$',
    maxLength: 40,
    default: '0s',
    remedy: 'Write it like "0s", "72h", "7d" or "1h30m"',
  }),
  allowDowngrade: Type.Boolean({
    description: 'Whether a workload may move back to an older tag when the newer one is gone.',
    default: false,
  }),
  platforms: Type.Array(
    Type.String({
      pattern: '^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$',
      maxLength: 64,
      remedy: 'Write os/arch or os/arch/variant, such as linux/amd64 or linux/arm/v7',
    }),
    {
      description: 'Platforms that a tag must have to be a candidate, such as linux/amd64.',
      default: [],
      maxItems: 32,
    },
  ),
  promote: choice(
    ['OnApply', 'Continuously'],
    'When Track moves a workload. OnApply: when somebody applies it. Continuously: also while it runs, as soon as a newer permitted tag appears; only in a cluster.',
    'OnApply',
  ),
  promotion,
  onUnavailable: choice(
    ['Deny', 'Allow'],
    'What the API server does with workloads of the namespaces of this policy while Tagwarden does not answer.',
    'Allow',
  ),
}

const specOptions = { 'x-kubernetes-validations': crossFieldRules('') }

/** The spec of an ImagePolicy. */
export const ImagePolicySpec = object(fields, {
  description: 'Which images a workload of this namespace may run, and which exact one it gets.',
  ...specOptions,
})
export type ImagePolicySpec = Static<typeof ImagePolicySpec>

/** The spec of a ClusterImagePolicy: the same, and which namespaces it is for. */
export const ClusterImagePolicySpec = object(
  {
    namespaceSelector: Type.Optional(
      labelSelector(
        'Labels of the namespaces this policy is for; kubernetes.io/metadata.name is the name. Without it, all.',
      ),
    ),
    ...fields,
    exceptions: choice(
      ['Deny', 'Allow'],
      'Whether an ImagePolicyException of a namespace may lift this policy there.',
      'Deny',
    ),
  },
  {
    description: 'Which images a workload of any namespace may run, and which exact one it gets.',
    ...specOptions,
  },
)
export type ClusterImagePolicySpec = Static<typeof ClusterImagePolicySpec>
