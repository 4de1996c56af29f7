import { stringify } from 'yaml'
import { type Conversion, conversionText, convertDocuments } from '../../src/convert/index.ts'
import { describeError } from '../../src/errors.ts'
import {
  compilePolicies,
  type PolicySet,
  parsePolicies,
  readDocuments,
} from '../../src/policies/index.ts'

/** What becomes of objects, or of a text of YAML. */
export function converted(...objects: readonly unknown[]): Conversion {
  const text = objects
    .map((each) => (typeof each === 'string' ? each : stringify(each)))
    .join('---\n')
  const { documents, problems } = readDocuments(text, 'old.yaml')
  const conversion = convertDocuments(documents)
  return { ...conversion, problems: [...problems, ...conversion.problems] }
}

/** The policies of a conversion as the loader reads them from its text. */
export function loaded(conversion: Conversion): PolicySet {
  const parsed = parsePolicies(conversionText(conversion), 'new.yaml')
  const { set, problems } = compilePolicies(parsed.resources)
  const all = [...parsed.problems, ...problems]
  if (all.length > 0) throw new Error(all.map(describeError).join('\n'))
  return set
}

/** The tag that the only policy of a conversion selects. */
export function selected(conversion: Conversion, tags: readonly string[]): string | undefined {
  const { policies } = loaded(conversion)
  if (policies.length !== 1) throw new Error(`${policies.length} policies`)
  return policies[0]!.selector.rank(tags, () => undefined).permitted[0]?.tag
}

export function workload(image: string, annotations: object, more: object = {}) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', annotations, ...more },
    spec: { template: { spec: { containers: [{ name: 'app', image }] } } },
  }
}

export function keel(image: string, policy: string, more: Record<string, string> = {}, rest = {}) {
  const options = Object.entries(more).map(([name, value]) => [`keel.sh/${name}`, value])
  return workload(image, { 'keel.sh/policy': policy, ...Object.fromEntries(options) }, rest)
}

const UPDATER = 'argocd-image-updater.argoproj.io'

export function application(annotations: Record<string, string>, destination: object = {}) {
  const prefixed = Object.entries(annotations).map(([name, value]) => [`${UPDATER}/${name}`, value])
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'argocd', annotations: Object.fromEntries(prefixed) },
    spec: {
      destination: { namespace: 'shop', server: 'https://kubernetes.default.svc', ...destination },
    },
  }
}

export function imageUpdater(spec: object) {
  return {
    apiVersion: `${UPDATER}/v1alpha1`,
    kind: 'ImageUpdater',
    metadata: { name: 'updater', namespace: 'argocd' },
    spec,
  }
}

export function fluxPair(policy: object, repository: object = {}, namespace = 'shop') {
  const apiVersion = 'image.toolkit.fluxcd.io/v1'
  const metadata = { name: 'web', namespace }
  return [
    {
      apiVersion,
      kind: 'ImageRepository',
      metadata,
      spec: { image: 'ghcr.io/acme/web', interval: '5m', ...repository },
    },
    {
      apiVersion,
      kind: 'ImagePolicy',
      metadata,
      spec: { imageRepositoryRef: { name: 'web' }, ...policy },
    },
  ]
}
