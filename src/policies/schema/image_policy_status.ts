import Type, { type Static } from 'typebox'
import { count, status, tagFields, text, time } from './status.ts'

const repository = Type.Object(
  {
    image: Type.String({
      description: 'The repository, such as ghcr.io/acme/web.',
      maxLength: 512,
    }),
    ...tagFields,
    seen: Type.Optional(time('When the tags of the repository were last read.')),
  },
  { description: 'What the policy selects of one repository.' },
)

/** The status of an ImagePolicy and of a ClusterImagePolicy. */
export const ImagePolicyStatus = status({
  order: text('The order in words, such as "semver >=1.2.3 <2.0.0".', 1024),
  newest: text('The newest permitted tag of the first repository.'),
  lastScanTime: Type.Optional(
    time('When the tags of its repositories were last read; of several, the oldest reading.'),
  ),
  repositoryCount: count('How many repositories in use the policy covers.'),
  repositories: Type.Optional(
    Type.Array(repository, {
      description: 'What the policy selects of each repository in use; the first fifty by name.',
      maxItems: 50,
    }),
  ),
  inForce: Type.Optional(
    Type.Object(
      {
        generation: Type.Integer({ description: 'Its generation.', format: 'int64' }),
        spec: Type.String({ description: 'Its spec, as JSON.', maxLength: 262_144 }),
      },
      { description: 'While the newest version is wrong: the one before, which counts meanwhile.' },
    ),
  ),
  lastPromotion: Type.Optional(
    Type.Object(
      {
        time: time('When the last workload was moved.'),
        image: Type.String({ description: 'The repository.', maxLength: 512 }),
        tag: text('The tag that workloads were moved to.', 128),
        count: count('How many workloads were moved to it.'),
      },
      { description: 'The last time that running workloads were moved.' },
    ),
  ),
})
export type ImagePolicyStatus = Static<typeof ImagePolicyStatus>
