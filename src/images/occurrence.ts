import { customImages } from './image_field.ts'
import { childOf, valueBelow } from './pointer.ts'
import type { GroupKind, ImageField, ImageOccurrence } from './types.ts'
import { podSpecKeys } from './workload.ts'

const CONTAINER_LISTS = [
  ['containers', 'container'],
  ['initContainers', 'initContainer'],
  ['ephemeralContainers', 'ephemeralContainer'],
] as const

/**
 * Every image of an object, in linear time: of a built-in kind its containers, init containers,
 * ephemeral containers and image volumes, in this order; then whatever the configured fields of
 * this kind name. A missing, null or empty image is none. One that is no text is found as it is.
 * Never throws, whatever the object looks like.
 *
 * @example
 *   findImages(pod, { group: '', kind: 'Pod' }, [])
 *   // [{ pointer: '/spec/containers/0/image', field: 'containers[0]', role: 'container', … }]
 */
export function findImages(
  object: unknown,
  groupKind: GroupKind,
  fields: readonly ImageField[],
): ImageOccurrence[] {
  const found: ImageOccurrence[] = []
  const keys = podSpecKeys(groupKind)
  if (keys) {
    const spec = valueBelow(object, keys)
    if (typeof spec === 'object' && spec !== null) podImages(spec, `/${keys.join('/')}`, found)
  }
  const paths = fields
    .filter((field) => field.kind === groupKind.kind && field.group === groupKind.group)
    .flatMap((field) => field.paths)
  if (paths.length > 0) {
    const seen = new Set(found.map((each) => each.pointer))
    for (const each of paths.flatMap((path) => customImages(object, path))) {
      if (!seen.has(each.pointer)) found.push(each)
      seen.add(each.pointer)
    }
  }
  return found
}

interface Named {
  readonly name?: unknown
  readonly image?: unknown
}

function podImages(spec: object, prefix: string, found: ImageOccurrence[]): void {
  for (const [list, role] of CONTAINER_LISTS) {
    elementsOf(spec, list, (container, index) => {
      const pointer = `${prefix}/${list}/${index}/image`
      add(found, pointer, `${list}[${index}]`, role, container.name, container.image)
    })
  }
  elementsOf(spec, 'volumes', (volume, index) => {
    const pointer = `${prefix}/volumes/${index}/image/reference`
    const reference = childOf(volume.image, 'reference')
    add(found, pointer, `volumes[${index}]`, 'volume', volume.name, reference)
  })
}

function elementsOf(spec: object, list: string, visit: (each: Named, index: number) => void): void {
  const elements = childOf(spec, list)
  if (!Array.isArray(elements)) return
  for (let index = 0; index < elements.length; index++) {
    const element: unknown = elements[index]
    if (typeof element === 'object' && element !== null) visit(element, index)
  }
}

function add(
  found: ImageOccurrence[],
  pointer: string,
  field: string,
  role: ImageOccurrence['role'],
  name: unknown,
  value: unknown,
): void {
  if (value === undefined || value === null || value === '') return
  found.push({ pointer, field, role, name: typeof name === 'string' ? name : undefined, value })
}
