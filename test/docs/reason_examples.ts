import { createReviewHandlers } from '../../src/admission/index.ts'
import type { FactFailure, ReasonCode } from '../../src/decisions/index.ts'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import { digest, type FakeTag, HOUR, NOW, snapshot, source } from '../fakes/facts.ts'

const NAME = 'ghcr.io/acme/web'
const SEMVER = 'order: { semver: { range: ">=1.2.3 <2.0.0" } }'
const SIGNATURE = `sha256-${'2'.repeat(64)}.sig`

const TAGS: Readonly<Record<string, FakeTag>> = {
  'v1.2.2': {},
  'v1.2.3': { digest: digest('3'), before: [digest('e')], firstSeen: NOW - 49 * HOUR },
  'v1.3.0': { digest: digest('0'), platforms: ['linux/amd64'] },
  'v1.4.1': { digest: digest('1'), platforms: ['linux/amd64', 'linux/arm64'] },
  'v1.4.2': {
    digest: digest('2'),
    platforms: ['linux/amd64', 'linux/arm64'],
    firstSeen: NOW - 5 * HOUR,
    checkedAt: NOW,
  },
  'v1.5.0-rc.1': {},
  'v2.0.0': { digest: digest('f') },
  'main-3f9c2ab': {},
  [SIGNATURE]: {},
  latest: { digest: digest('f') },
  stable: { digest: digest('1'), checkedAt: NOW },
}

/** A policy and an image for which the webhook gives a reason. */
interface Scenario {
  /** of an ImagePolicy for ghcr.io/acme/web; none: no policy covers the image */
  readonly spec?: string
  /** another policy of the same namespace */
  readonly rival?: string
  readonly image: string
  /** what ran before, with what Tagwarden had recorded; makes it an update */
  readonly running?: string
  /** why the registry gives nothing that is not in the index */
  readonly failure?: FactFailure
  /** the index is empty */
  readonly cold?: true
}

const failure = (code: FactFailure['code'], message: string): FactFailure => ({
  code,
  message,
  at: NOW,
})
const GONE = failure('ERR_REGISTRY_NOT_FOUND', `ghcr.io answered 404 Not Found for ${NAME}:v1.4.9`)

/** One example for each reason that a review can give. */
export const SCENARIOS: Readonly<Record<Exclude<ReasonCode, 'OtherPolicy'>, Scenario>> = {
  InvalidReference: { image: 'ghcr.io/acme/Web:v1.4.2' },
  LatestTag: { spec: SEMVER, image: `${NAME}:latest` },
  Unmatched: { image: 'ghcr.io/other/tool:v1.0.0' },
  NotMatched: { spec: `tags: { pattern: '^v[0-9.]+$' }\n  ${SEMVER}`, image: `${NAME}:stable` },
  Ignored: { spec: `tags: { ignore: ['-rc\\.'] }\n  ${SEMVER}`, image: `${NAME}:v1.5.0-rc.1` },
  Artifact: { spec: SEMVER, image: `${NAME}:${SIGNATURE}` },
  NotAVersion: { spec: SEMVER, image: `${NAME}:main-3f9c2ab` },
  NotANumber: { spec: 'order: { numerical: {} }', image: `${NAME}:main-3f9c2ab` },
  OutOfRange: { spec: SEMVER, image: `${NAME}:v2.0.0` },
  Prerelease: { spec: SEMVER, image: `${NAME}:v1.5.0-rc.1` },
  TooYoung: { spec: `${SEMVER}\n  minimumAge: 24h`, image: `${NAME}:v1.4.2` },
  PlatformMissing: { spec: `${SEMVER}\n  platforms: [linux/arm64]`, image: `${NAME}:v1.3.0` },
  TagNotFound: { spec: SEMVER, image: `${NAME}:v1.4.9`, failure: GONE },
  NoPermittedTag: {
    spec: 'order: { semver: { range: ">=3.0.0" } }\n  latest: Resolve',
    image: `${NAME}:latest`,
  },
  NotFollowed: { spec: 'order: { digest: { follow: stable } }', image: `${NAME}:v1.4.2` },
  DigestNotAllowed: {
    spec: `order: { digest: { allowed: ["${digest('1')}"] } }`,
    image: `${NAME}@${digest('f')}`,
  },
  DigestUnknown: { spec: SEMVER, image: `${NAME}@${digest('a')}` },
  DigestMismatch: {
    spec: 'order: { digest: { follow: stable } }',
    image: `${NAME}:stable@${digest('a')}`,
  },
  TagMoved: { spec: SEMVER, image: `${NAME}:v1.2.3@${digest('3')}` },
  Downgrade: {
    spec: 'order: { semver: { range: ">=1.2.3 <2.0.0" } }',
    running: `${NAME}:v1.4.3`,
    image: `${NAME}:v1.3.0`,
  },
  PolicyConflict: {
    spec: SEMVER,
    rival: `${SEMVER}\n  action: Pin`,
    image: `${NAME}:v1.3.0`,
  },
  RegistryUnavailable: {
    spec: SEMVER,
    image: `${NAME}:v1.3.0`,
    cold: true,
    failure: failure(
      'ERR_REGISTRY_RATE_LIMITED',
      `ghcr.io answered 429 Too Many Requests for the tags of ${NAME}, retry after 30 s`,
    ),
  },
  Timeout: {
    spec: SEMVER,
    image: `${NAME}:v1.3.0`,
    cold: true,
    failure: failure('ERR_REGISTRY_TIMEOUT', 'ghcr.io did not answer in time'),
  },
}

function policyText(name: string, spec: string): string {
  return `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: ${name}, namespace: shop }
spec:
  images: ["${NAME}"]
  ${spec}
`
}

/** The lines that the two webhooks say of a scenario, as kubectl shows them. */
export async function sayOf(scenario: Scenario): Promise<string[]> {
  const { spec, rival, image, running, failure: gathered = GONE, cold } = scenario
  const texts = [spec && policyText('web', spec), rival && policyText('web-old', rival)]
  const { resources } = parsePolicies(texts.filter(Boolean).join('---\n'), 'example.yaml')
  const { set, problems } = compilePolicies(resources)
  if (problems.length > 0) throw problems[0]
  const handlers = createReviewHandlers({
    policies: () => set,
    source: source(cold ? [] : [snapshot(NAME, TAGS)], async () => gathered),
    defaults: { latest: 'Deny', unmatched: 'Deny', enforcement: 'Enforce', ownedObjects: 'Warn' },
    fields: [],
    controllers: new Set(),
    prefix: 'fluxcd.io',
    deadline: 5_000,
    clock: () => NOW,
  })
  const pod = (value: string) => ({
    metadata: { name: 'web' },
    spec: { containers: [{ name: 'app', image: value }] },
  })
  const review = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: running === undefined ? 'CREATE' : 'UPDATE',
      namespace: 'shop',
      name: 'web',
      object: pod(image),
      ...(running !== undefined && { oldObject: pod(running) }),
    },
  })
  const lines: string[] = []
  for (const hook of ['mutate', 'validate'] as const) {
    const call = { timeoutSeconds: 10, received: NOW }
    const { response } = JSON.parse((await handlers[hook](Buffer.from(review), call)).body)
    lines.push(
      ...(response.status?.message.split('\n').slice(1) ?? []),
      ...(response.warnings ?? []),
    )
  }
  return lines.map((line) => line.trim())
}
