import { below, type ForeignObject, textOf } from './foreign_object.ts'
import type { Converted, Found, LeftOut } from './types.ts'
import { parseImageSpec, type UpdaterImage } from './updater_image.ts'
import { convertUpdaterImage, type Destination } from './updater_policy.ts'

const PREFIX = 'argocd-image-updater.argoproj.io/'
const IN_CLUSTER = ['https://kubernetes.default.svc', 'in-cluster']
const OPTIONS = [
  ...['update-strategy', 'allow-tags', 'tag-match', 'ignore-tags', 'pull-secret', 'platforms'],
  'force-update',
]
/** How a new tag is written; what Tagwarden does instead is one note. */
const WRITING =
  /^(write-back-method|write-back-target|git-\w+(-\w+)*|(.+\.)?(helm|kustomize)\.[\w-]+)$/

/** Whether an object has annotations of Argo CD Image Updater. */
export function isImageUpdaters({ annotations }: ForeignObject): boolean {
  return annotations[`${PREFIX}image-list`] !== undefined
}

/** An Application, or a workload, with annotations of Argo CD Image Updater. */
export function convertApplication(object: ForeignObject): Found {
  const { annotations, source } = object
  const list = annotations[`${PREFIX}image-list`] ?? ''
  const objects: Converted[] = []
  const leftOut: LeftOut[] = []
  const specs = list.split(',').filter((each) => each.trim() !== '')
  const destination = destinationOf(object)
  const unknown = unknownNote(object, specs)
  for (const spec of specs) {
    const image = imageOf(spec, annotations)
    if (image === undefined) {
      leftOut.push({ title: source.title, reason: `${spec.trim()} names no image` })
      continue
    }
    const found = convertUpdaterImage({
      application: object.name,
      alone: specs.length === 1,
      image,
      destination,
      method: annotations[`${PREFIX}write-back-method`] ?? 'argocd',
      notes: unknown,
      source,
    })
    objects.push(...found.objects)
    leftOut.push(...found.leftOut)
  }
  return { objects, leftOut }
}

/** Where the workloads of an Application run; any other object is its own workload. */
export function destinationOf({ value, kind, namespace }: ForeignObject): Destination {
  if (kind !== 'Application') {
    const missing = 'The workload names no namespace: apply this where the workload is applied.'
    return { namespace, notes: namespace === undefined ? [missing] : [] }
  }
  const destination = below(value, 'spec', 'destination')
  const target = textOf(below(destination, 'namespace'))
  const cluster = textOf(below(destination, 'server')) ?? textOf(below(destination, 'name'))
  const notes: string[] = []
  if (target === undefined) {
    notes.push(
      'The Application names no namespace of its workloads: write it into metadata.namespace.',
    )
  }
  if (cluster !== undefined && !IN_CLUSTER.includes(cluster)) {
    notes.push(`The workloads run in the cluster ${cluster}: apply this there.`)
  }
  return { namespace: target, notes }
}

function imageOf(
  spec: string,
  annotations: ForeignObject['annotations'],
): UpdaterImage | undefined {
  const parsed = parseImageSpec(spec)
  if (parsed === undefined) return undefined
  const own = parsed.alias.replaceAll('/', '_')
  const option = (name: string) =>
    (own === '' ? undefined : annotations[`${PREFIX}${own}.${name}`]) ?? annotations[PREFIX + name]
  return {
    ...parsed,
    strategy: option('update-strategy')?.trim(),
    allowTags: (option('allow-tags') ?? option('tag-match'))?.trim(),
    ignoreTags: splitList(option('ignore-tags')),
    pullSecret: option('pull-secret')?.trim(),
    platforms: splitList(option('platforms')),
    forceUpdate: option('force-update') === 'true',
  }
}

function splitList(text = ''): string[] {
  return text.split(',').flatMap((each) => each.trim() || [])
}

function unknownNote({ annotations }: ForeignObject, specs: readonly string[]): string[] {
  const aliases = specs.flatMap((spec) => parseImageSpec(spec)?.alias.replaceAll('/', '_') ?? [])
  const known = new Set([
    'image-list',
    ...OPTIONS,
    ...aliases.flatMap((alias) => OPTIONS.map((option) => `${alias}.${option}`)),
  ])
  const rest = Object.keys(annotations)
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => key.slice(PREFIX.length))
    .filter((key) => !known.has(key) && !WRITING.test(key))
    .sort()
  return rest.length > 0 ? [`Without a counterpart here: ${rest.join(', ')}.`] : []
}
