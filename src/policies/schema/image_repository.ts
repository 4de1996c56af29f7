import Type, { type Static } from 'typebox'
import { duration } from './duration.ts'
import { choice, object, secretReference } from './metadata.ts'
import { count, status, tagFields, text, time } from './status.ts'

const image = Type.String({
  description: 'The repository, such as ghcr.io/acme/web; without scheme, tag and digest.',
  minLength: 1,
  maxLength: 255,
  examples: ['ghcr.io/acme/web'],
  'x-kubernetes-validations': [
    { rule: "!self.contains('://')", message: 'has a scheme; write ghcr.io/acme/web' },
    {
      rule: "self.contains('://') || !self.contains('@') && !self.matches(':[^/]*$')",
      message: 'has a tag or digest; write the repository only, as policies say which tags count',
    },
    {
      rule: "!self.contains('*')",
      message: 'must be one repository; make one ImageRepository for each',
    },
    {
      rule: "self.contains('://') || !self.matches('[[:space:]]|/$|//')",
      message: 'is not an image repository; write it like ghcr.io/acme/web',
    },
  ],
})

/** The spec of an ImageRepository. */
export const ImageRepositorySpec = object(
  {
    image,
    interval: duration('How often its tags are read, from "1s" to "720h".', {
      least: '1s',
      most: '720h',
      default: '10m',
    }),
    timeout: Type.Optional(
      duration(
        'How long one reading may take, from "1s" to "10m". Without it, Tagwarden decides.',
        {
          least: '1s',
          most: '10m',
        },
      ),
    ),
    provider: choice(
      ['generic'],
      'How Tagwarden logs in. generic: by secretRef, or with what the installation has.',
      'generic',
    ),
    secretRef: Type.Optional(
      secretReference(
        'A Secret of this namespace to log in with: type kubernetes.io/dockerconfigjson, or with username and password. Without it, what the installation has.',
      ),
    ),
    certSecretRef: Type.Optional(
      secretReference(
        'A Secret of this namespace with ca.crt for the registry, and tls.crt and tls.key where it asks for a client certificate.',
      ),
    ),
    proxySecretRef: Type.Optional(
      secretReference(
        'A Secret of this namespace with the address of a proxy, and its username and password.',
      ),
    ),
    insecure: Type.Boolean({
      description: 'Whether the registry is asked by plain HTTP.',
      default: false,
    }),
    suspend: Type.Boolean({
      description: 'Whether its tags are read no more; what is known stays.',
      default: false,
    }),
    exclusionList: Type.Array(Type.String({ minLength: 1, maxLength: 1024 }), {
      description:
        'A tag that matches one of these is not taken into the index. Go (RE2) syntax, unanchored: use ^ and $.',
      default: [],
      maxItems: 25,
    }),
  },
  { description: 'A repository whose tags are read.' },
)
export type ImageRepositorySpec = Static<typeof ImageRepositorySpec>

const selection = Type.Object(
  {
    policy: Type.String({
      description: 'The policy, such as "ImagePolicy shop/web".',
      maxLength: 512,
    }),
    ...tagFields,
  },
  { description: 'What one policy selects of the repository.' },
)

/** 256 KiB in base64 */
const LARGEST_INDEX = 349_528

export const ImageRepositoryStatus = status({
  lastScanTime: Type.Optional(time('When its tags were last read.')),
  lastHandledScan: text(
    'The last value of an annotation that asked for a reading at once, and got it: tagwarden.io/scan or reconcile.fluxcd.io/requestedAt.',
    512,
  ),
  lastUsedTime: Type.Optional(
    time(
      'When a workload last used it, to the hour. Written for what Tagwarden made itself: unused for a day, it is removed.',
    ),
  ),
  tagCount: count('How many tags it has, without those that exclusionList leaves out.'),
  revision: text('Changes whenever its tags or their known digests do.', 64),
  latestTags: Type.Optional(
    Type.Array(Type.String({ maxLength: 128 }), {
      description:
        'The newest ten tags as the first policy ranks them, else the last in byte order.',
      maxItems: 10,
    }),
  ),
  selections: Type.Optional(
    Type.Array(selection, {
      description: 'What each policy selects of it; at most a hundred.',
      maxItems: 100,
    }),
  ),
  index: text(
    'Its index, which all replicas answer from: a file of the catalog, gzip, base64. Absent when it is larger than 256 KiB; then each replica reads the tags itself.',
    LARGEST_INDEX,
  ),
  indexBytes: count(
    'Size of the compressed index in bytes, also of one that is too large to be here.',
  ),
})
export type ImageRepositoryStatus = Static<typeof ImageRepositoryStatus>
