import { createRequest, isObject, type JsonObject, own } from '../admission/index.ts'
import { escapeKey, type GroupKind, groupOf, type ImageField } from '../images/index.ts'
import type { Subject } from '../reports/types.ts'

/** An image whose name, tag and digest are values of their own. */
export interface ImageParts {
  /** what names it for people: the entry of a Kustomization, the path in Helm values */
  readonly name: string
  /** what stands in place of a text is no image */
  readonly image: unknown
  /** pointers in the document */
  readonly tag: string | undefined
  readonly digest: string | undefined
  /** of the value that a finding points to */
  readonly shown: string
  /** `shown` holds the whole image: it is no part */
  readonly whole: boolean
}

/** Images in parts, put together as an object with images, so that policies see one like any other. */
export interface AssembledImages {
  readonly subject: Subject
  readonly request: ReturnType<typeof createRequest>
  readonly parts: readonly ImageParts[]
}

/** Where an assembled object holds its images. */
const PATH = '/images/*/image'
const VALUES: GroupKind = { group: '', kind: 'HelmValues' }
const KINDS: readonly GroupKind[] = [
  { group: 'kustomize.config.k8s.io', kind: 'Kustomization' },
  { group: 'kustomize.config.k8s.io', kind: 'Component' },
  { group: 'kustomize.toolkit.fluxcd.io', kind: 'Kustomization' },
]

/** The image fields of assembled objects. */
export const ASSEMBLED_FIELDS: readonly ImageField[] = [...KINDS, VALUES].map((kind) => ({
  ...kind,
  paths: [PATH],
}))

/** @param index as in `/images/3/image` */
export function assembledIndex(pointer: string): number {
  return Number(pointer.split('/')[2])
}

/**
 * The images that a Kustomization sets by `images:`; undefined for anything else. One that only
 * changes the name of an image says nothing that could be judged.
 */
export function kustomizationImages(
  object: JsonObject,
  place: { readonly base: string; readonly namespace: string; readonly title: string },
): AssembledImages | undefined {
  const apiVersion = own(object, 'apiVersion')
  if (typeof apiVersion !== 'string') return undefined
  const group = groupOf(apiVersion)
  const kind = KINDS.find((each) => each.kind === own(object, 'kind') && each.group === group)
  if (!kind) return undefined
  const spec = own(object, 'spec')
  const flux = group === 'kustomize.toolkit.fluxcd.io'
  const holder = flux ? (isObject(spec) ? spec : {}) : object
  const list = own(holder, 'images')
  const base = `${place.base}${flux ? '/spec' : ''}/images`
  const parts = (Array.isArray(list) ? list : []).flatMap((entry, index) =>
    isObject(entry) ? (partsOfEntry(entry, `${base}/${index}`) ?? []) : [],
  )
  const target = own(holder, flux ? 'targetNamespace' : 'namespace')
  const metadata = own(object, 'metadata')
  const name = isObject(metadata) ? own(metadata, 'name') : undefined
  return assembled(apiVersion, kind, parts, {
    namespace: typeof target === 'string' && target !== '' ? target : place.namespace,
    title: typeof name === 'string' && name !== '' ? name : place.title,
    metadata: isObject(metadata) ? metadata : {},
  })
}

/** https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/images/ */
function partsOfEntry(entry: JsonObject, base: string): ImageParts | undefined {
  const text = (key: string) => textOf(own(entry, key))
  const name = text('name')
  const bare = own(entry, 'newTag')
  // Kustomize refuses it: `1.20` would become 1.2
  const number = typeof bare === 'number' ? bare : undefined
  const tag = number === undefined ? text('newTag') : String(number)
  const digest = text('digest')
  if (name === undefined || (tag === undefined && digest === undefined)) return undefined
  const written = `${text('newName') ?? name}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`
  return {
    name,
    image: number ?? written,
    tag: tag === undefined ? undefined : `${base}/newTag`,
    digest: digest === undefined ? undefined : `${base}/digest`,
    shown: `${base}/${tag === undefined ? 'digest' : 'newTag'}`,
    whole: false,
  }
}

/** Values are looked through this deep, and for so many images. */
const DEEPEST = 20
const MOST_IMAGES = 10_000

/**
 * The images in Helm values: `image: {repository, tag}` with `registry` and `digest` where they
 * are, and `image: name:tag`. A map without tag and digest leaves them to the chart.
 *
 * @param base JSON pointer of the values in their document
 */
export function helmImages(
  value: unknown,
  place: { readonly namespace: string; readonly title: string },
  base = '',
): AssembledImages | undefined {
  const parts: ImageParts[] = []
  function visit(at: unknown, pointer: string, path: string, depth: number): void {
    if (depth > DEEPEST || parts.length >= MOST_IMAGES) return
    if (Array.isArray(at)) {
      at.forEach((each, index) => {
        visit(each, `${pointer}/${index}`, `${path}[${index}]`, depth + 1)
      })
      return
    }
    if (!isObject(at)) return
    const found = partsOfMap(at, pointer, path)
    if (found) parts.push(found)
    for (const [key, inside] of Object.entries(at)) {
      const below = `${pointer}/${escapeKey(key)}`
      const named = path === '' ? key : `${path}.${key}`
      if (typeof inside !== 'string') visit(inside, below, named, depth + 1)
      else if (/image$/i.test(key) && /[^/]:[^/]+$|@/.test(inside)) {
        const place = { tag: undefined, digest: undefined, shown: below, whole: true }
        parts.push({ name: named, image: inside, ...place })
      }
    }
  }
  visit(value, base, '', 0)
  if (parts.length === 0) return undefined
  return assembled('', VALUES, parts, { ...place, metadata: {} })
}

function partsOfMap(map: JsonObject, base: string, path: string): ImageParts | undefined {
  const text = (key: string) => {
    const value = own(map, key)
    return typeof value === 'number' ? numberText(value) : textOf(value)
  }
  const repository = text('repository')
  const tag = text('tag')
  const digest = text('digest')
  if (repository === undefined || (tag === undefined && digest === undefined)) return undefined
  const registry = text('registry')
  const name = registry === undefined ? repository : `${registry}/${repository}`
  return {
    name: path === '' ? 'image' : path,
    image: `${name}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`,
    tag: tag === undefined ? undefined : `${base}/tag`,
    digest: digest === undefined ? undefined : `${base}/digest`,
    shown: `${base}/${tag === undefined ? 'digest' : 'tag'}`,
    whole: false,
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** From this on, and below the other, Go writes numbers with an exponent. */
const LARGE = 1e6
const SMALL = 1e-4

/** What a template of Helm makes of a number that has no quotes: `20261101` is `2.0261101e+07`. */
function numberText(value: number): string {
  const size = Math.abs(value)
  if (size === 0 || (size < LARGE && size >= SMALL)) return String(value)
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
}

function assembled(
  apiVersion: string,
  kind: GroupKind,
  parts: readonly ImageParts[],
  about: {
    readonly namespace: string
    readonly title: string
    readonly metadata: JsonObject
  },
): AssembledImages {
  const { namespace, title, metadata } = about
  const images = parts.map(({ name, image }) => ({ name, image }))
  const object = { apiVersion, kind: kind.kind, metadata: { ...metadata, name: title }, images }
  return {
    subject: { apiVersion, kind: kind.kind, namespace, name: title },
    request: createRequest(kind, namespace, object),
    parts,
  }
}
