import { Readable } from 'node:stream'
import type { FactSource } from '../../src/decisions/index.ts'
import type { ImageField } from '../../src/images/index.ts'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import {
  type ManifestReview,
  type ManifestReviewOptions,
  reviewManifests,
  streamText,
} from '../../src/review/index.ts'
import { DEFAULTS, digest, NOW, snapshot, source } from '../fakes/facts.ts'

/** `ghcr.io/acme/web` in namespace shop: semver `>=1.2.3 <2.0.0`, tracked. */
export const WEB = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: shop }
spec: { images: [ghcr.io/acme/web], order: { semver: { range: ">=1.2.3 <2.0.0" } }, action: Track }
`

/** What the index knows: v1.2.3, v1.4.2 and v2.0.0, each with a digest. */
export function webFacts() {
  return source([
    snapshot('ghcr.io/acme/web', {
      'v1.2.3': { digest: digest('a') },
      'v1.4.2': { digest: digest('b') },
      'v2.0.0': { digest: digest('c') },
    }),
  ])
}

/** The set that these policies make. */
export function policySet(text: string) {
  const { resources, problems } = parsePolicies(text, 'policies.yaml')
  const compiled = compilePolicies(resources)
  const wrong = [...problems, ...compiled.problems]
  if (wrong.length > 0) throw new AggregateError(wrong)
  return compiled.set
}

export interface TextOptions {
  readonly policies?: string
  readonly source?: FactSource
  readonly namespace?: string
  readonly values?: boolean
  readonly fields?: readonly ImageField[]
  readonly defaults?: Partial<typeof DEFAULTS>
  readonly more?: Partial<ManifestReviewOptions>
  /** bytes that are given at a time */
  readonly piece?: number
}

/** Reviews texts by their file names. */
export function reviewTexts(
  files: Readonly<Record<string, string>>,
  { policies = WEB, piece = 65_536, ...options }: TextOptions = {},
): Promise<ManifestReview> {
  const set = policySet(policies)
  async function* inputs() {
    for (const [file, text] of Object.entries(files)) {
      const bytes = Buffer.from(text)
      const parts = []
      for (let at = 0; at < bytes.length; at += piece) parts.push(bytes.subarray(at, at + piece))
      yield {
        place: {
          file,
          namespace: options.namespace ?? 'shop',
          title: 'overlay',
          values: options.values ?? false,
          kustomization: file.endsWith('kustomization.yaml'),
        },
        text: streamText(Readable.from(parts), file, false),
      }
    }
  }
  return reviewManifests({
    version: '0.0.0',
    inputs: inputs(),
    admission: {
      policies: () => set,
      source: options.source ?? webFacts(),
      defaults: { ...DEFAULTS, ...options.defaults },
      fields: options.fields ?? [],
      controllers: new Set(),
      prefix: 'fluxcd.io',
      clock: () => NOW,
    },
    signal: new AbortController().signal,
    ...options.more,
  })
}

/** A Pod of namespace shop with these images. */
export function pod(...images: string[]): string {
  const containers = images.map((image, index) => `    - name: c${index}\n      image: ${image}\n`)
  return `apiVersion: v1\nkind: Pod\nmetadata: { name: web, namespace: shop }\nspec:\n  containers:\n${containers.join('')}`
}
