import type { KubernetesObject, ObjectKey, ResourceName } from './types.ts'

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Path of a list, of an object, or of a part of it. */
export function pathOf(
  resource: ResourceName,
  key: Partial<ObjectKey>,
  more: { readonly subresource?: string | undefined; readonly query?: Query } = {},
): string {
  const { group, version, plural } = resource
  const parts = group === '' ? ['api', version] : ['apis', group, version]
  if (key.namespace !== undefined) parts.push('namespaces', key.namespace)
  parts.push(plural)
  if (key.name !== undefined) parts.push(key.name)
  if (more.subresource !== undefined) parts.push(more.subresource)
  return `/${parts.map(segment).join('/')}${queryText(more.query ?? {})}`
}

/**
 * The key by which an object of this resource is found.
 *
 * @throws TypeError when its name or namespace is missing, or its namespace is one too many
 */
export function keyOf(resource: ResourceName, { metadata }: KubernetesObject): ObjectKey {
  const { namespace, name } = metadata
  return checkedKey(resource, { namespace, name })
}

/** @throws TypeError when it can't be the key of an object of this resource */
export function checkedKey(resource: ResourceName, key: ObjectKey): ObjectKey {
  const { namespace, name } = key
  if (!name) throw new TypeError(`${resource.kind} without a name`)
  if (resource.namespaced && !namespace) {
    throw new TypeError(`${resource.kind} ${name} without a namespace`)
  }
  if (!resource.namespaced && namespace) {
    throw new TypeError(`${resource.kind} ${name} is in no namespace, not in ${namespace}`)
  }
  return resource.namespaced ? { namespace, name } : { name }
}

/** `namespace/name`, or the name alone. */
export function keyText({ namespace, name }: ObjectKey): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}

/** `secrets "web" in shop`, `namespaces "shop"` */
export function describeKey({ plural }: ResourceName, { namespace, name }: ObjectKey): string {
  return `${plural} "${name}"${namespace === undefined ? '' : ` in ${namespace}`}`
}

function segment(part: string): string {
  // A name that is a path of its own would ask for something else.
  if (part === '' || part === '.' || part === '..') throw new TypeError(`"${part}" is no name`)
  return encodeURIComponent(part)
}

function queryText(query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const text = pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return text.length === 0 ? '' : `?${text.join('&')}`
}
