import {
  type AdmissionRequest,
  createRequest,
  isObject,
  type JsonObject,
  own,
  parseReview,
} from '../admission/index.ts'
import { groupOf } from '../images/index.ts'
import type { Subject } from '../reports/types.ts'
import {
  type AssembledImages,
  helmImages,
  type ImageParts,
  kustomizationImages,
} from './image_parts.ts'

/** Something in a document that is judged as one object. */
export interface ReviewSubject {
  readonly subject: Subject
  readonly request: AdmissionRequest
  /** JSON pointer of the object in its document */
  readonly base: string
  /** the AdmissionReview that it came in, as it stands */
  readonly review?: JsonObject
  /** set for images that are written in parts; then `base` is empty */
  readonly parts?: readonly ImageParts[]
}

/** https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/: both may be left out */
const KUSTOMIZATION = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
/** Lists in lists go this deep. */
const DEEPEST = 5
/** One document holds no more objects. */
const MOST_OBJECTS = 200_000

/** What a document turned out to hold. */
export interface FoundSubjects {
  readonly subjects: readonly ReviewSubject[]
  /** how many Kubernetes objects there are, those without images too */
  readonly objects: number
  /** an AdmissionReview that is none, or too many objects */
  readonly problem: { readonly base: string; readonly error: unknown } | undefined
}

/** What is known of a document beside its text. */
export interface DocumentHints {
  /** of objects that name none */
  readonly namespace: string
  /** what has no name is called */
  readonly title: string
  /** whether it is a file of Helm values */
  readonly values: boolean
  /** `kustomization.yaml`, which may leave out its kind */
  readonly kustomization: boolean
}

/**
 * Finds the objects of a document: itself, the items of a List, the object of an AdmissionReview,
 * the images of a Kustomization or of Helm values.
 *
 * @param at JSON pointer of the value in its document
 */
export function findSubjects(value: unknown, how: DocumentHints, at = ''): FoundSubjects {
  const { namespace } = how
  const subjects: ReviewSubject[] = []
  let objects = 0
  let problem: FoundSubjects['problem']

  function visit(object: unknown, base: string, depth: number): void {
    if (!isObject(object) || objects >= MOST_OBJECTS) return
    const apiVersion = own(object, 'apiVersion')
    const kind = own(object, 'kind')
    const items = own(object, 'items')
    if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) {
      if (depth >= DEEPEST) return
      const typed = kind === 'List' ? undefined : { apiVersion, kind: kind.slice(0, -4) }
      items.forEach((item, index) => {
        const whole = typed && isObject(item) && !('kind' in item) ? { ...typed, ...item } : item
        visit(whole, `${base}/items/${index}`, depth + 1)
      })
      return
    }
    const customization = kustomizationImages(object, { base, namespace, title: how.title })
    if (customization) {
      objects += 1
      subjects.push({ ...customization, base: '' })
      return
    }
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') return
    objects += 1
    if (how.values) {
      const inside = releaseImages(object, { namespace, base })
      for (const images of inside) subjects.push({ ...images, base: '' })
    }
    if (kind === 'AdmissionReview' && apiVersion.startsWith('admission.k8s.io/')) {
      visitReview(object, base)
      return
    }
    const metadata = own(object, 'metadata')
    const written = isObject(metadata) ? own(metadata, 'namespace') : undefined
    const where = typeof written === 'string' && written !== '' ? written : namespace
    const request = createRequest({ group: groupOf(apiVersion), kind }, where, object)
    subjects.push({ subject: subjectOf(request, apiVersion), request, base })
  }

  function visitReview(review: JsonObject, base: string): void {
    try {
      const request = parseReview(Buffer.from(JSON.stringify(review)))
      const { object = {} } = request
      const apiVersion = String(own(object, 'apiVersion') ?? '')
      const subject = subjectOf(request, apiVersion)
      subjects.push({ subject, request, review, base: `${base}/request/object` })
    } catch (error) {
      problem ??= { base, error }
    }
  }

  if (how.values && isObject(value) && isNamed(value)) {
    visit(value, at, 0)
  } else if (how.values) {
    const images = helmImages(value, how)
    if (images) subjects.push({ ...images, base: '' })
  } else if (how.kustomization && isObject(value) && !('kind' in value)) {
    visit({ ...KUSTOMIZATION, ...value }, at, 0)
  } else {
    visit(value, at, 0)
  }
  return { subjects, objects, problem }
}

/** Objects may stand among the files of values: a HelmRelease has its values in itself. */
function isNamed(object: JsonObject): boolean {
  return ['apiVersion', 'kind'].every((key) => typeof own(object, key) === 'string')
}

/**
 * The values that stand in an object: of a HelmRelease of Flux
 * (https://fluxcd.io/flux/components/helm/helmreleases/#inline-values), and of an Application of Argo
 * CD (https://argo-cd.readthedocs.io/en/stable/user-guide/helm/#values).
 */
function releaseImages(
  object: JsonObject,
  place: { readonly namespace: string; readonly base: string },
): readonly AssembledImages[] {
  const group = groupOf(String(own(object, 'apiVersion')))
  const at = (...keys: readonly string[]) =>
    keys.reduce<unknown>((of, key) => {
      if (Array.isArray(of)) return of[Number(key)]
      return isObject(of) ? own(of, key) : undefined
    }, object)
  const text = (...keys: readonly string[]) => {
    const value = at(...keys)
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const title = text('metadata', 'name') ?? '(no name)'
  const images = (values: unknown, where: string | undefined, pointer: string) => {
    const about = { namespace: where ?? place.namespace, title }
    return helmImages(values, about, place.base + pointer) ?? []
  }
  switch (`${group} ${own(object, 'kind')}`) {
    case 'helm.toolkit.fluxcd.io HelmRelease': {
      const where = text('spec', 'targetNamespace') ?? text('metadata', 'namespace')
      return [images(at('spec', 'values'), where, '/spec/values')].flat()
    }
    case 'argoproj.io Application': {
      const where = text('spec', 'destination', 'namespace')
      const several = at('spec', 'sources')
      const count = Array.isArray(several) ? several.length : 0
      const sources = Array.from({ length: count }, (_, index) => ['sources', String(index)])
      return [['source'], ...sources].flatMap((source) => {
        const keys = ['spec', ...source, 'helm', 'valuesObject']
        return images(at(...keys), where, `/${keys.join('/')}`)
      })
    }
    default:
      return []
  }
}

function subjectOf({ kind, namespace, name, object }: AdmissionRequest, apiVersion: string) {
  const metadata = object && own(object, 'metadata')
  const [written, generated] = ['name', 'generateName'].map((key) =>
    isObject(metadata) ? own(metadata, key) : undefined,
  )
  const called = typeof written === 'string' && written !== '' ? written : name
  const star = typeof generated === 'string' ? `${generated}*` : '(no name)'
  return {
    apiVersion,
    kind: kind.kind,
    namespace: namespace === '' ? undefined : namespace,
    name: called === '' ? star : called,
  }
}
