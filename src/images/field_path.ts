import { INDEX, pointerKeys } from './pointer.ts'
import type { GroupKind } from './types.ts'
import { podSpecKeys } from './workload.ts'

const LISTED = /^(containers|initContainers|ephemeralContainers|volumes)$/

/**
 * The short path for people of an image that stands at a JSON pointer: what `findImages` says as
 * `field`, for when only the pointer is left.
 *
 * @example
 *   fieldAt('/spec/template/spec/containers/0/image', { group: 'apps', kind: 'Deployment' })
 *   // containers[0]
 *   fieldAt('/web/image/tag', { group: '', kind: '' }) // web.image.tag
 */
export function fieldAt(pointer: string, groupKind: GroupKind): string {
  const keys = pointerKeys(pointer)
  const podSpec = podSpecKeys(groupKind)
  const [list = '', index = ''] = keys.slice(podSpec?.length ?? 0)
  const inPodSpec = podSpec?.every((key, at) => key === keys[at])
  if (inPodSpec && LISTED.test(list) && INDEX.test(index)) return `${list}[${index}]`
  return keys.reduce((path, key) => {
    if (INDEX.test(key)) return `${path}[${key}]`
    return path === '' ? key : `${path}.${key}`
  }, '')
}
