import { type Position, TagwardenError } from '../errors.ts'
import { displayImage } from './display.ts'
import { childOf, escapeKey, pointerKeys } from './pointer.ts'
import type { ImageField, ImageOccurrence } from './types.ts'

/**
 * Checks one entry of the configuration's `imageFields`, and freezes it.
 *
 * @throws TagwardenError ERR_INVALID_CONFIG with the position that was given
 * @example
 *   parseImageField({ group: 'argoproj.io', kind: 'Rollout', paths: ['/spec/image'] })
 */
export function parseImageField(field: ImageField, position?: Position): ImageField {
  const refuse = (message: string, remedy: string): never => {
    throw new TagwardenError('ERR_INVALID_CONFIG', message, { remedy, position })
  }
  const { group, kind, paths } = field
  if (typeof group !== 'string' || /[^a-z0-9.-]/.test(group) || /^v\d/.test(group)) {
    refuse(
      `${displayImage(group)} is not an API group`,
      'Write the group without the version, such as argoproj.io, or "" for the core group',
    )
  }
  if (typeof kind !== 'string' || !/^[A-Za-z][A-Za-z0-9]*$/.test(kind)) {
    refuse(`${displayImage(kind)} is not a kind`, 'Write the kind in the singular, such as Rollout')
  }
  if (!Array.isArray(paths) || paths.length === 0) {
    refuse('there is no path', 'Write paths: ["/spec/template/spec/containers/*/image"]')
  }
  for (const path of paths) {
    const fault = pathFault(path)
    if (fault) refuse(`${displayImage(path)} ${fault}`, pathRemedy(path))
  }
  return Object.freeze({ group, kind, paths: Object.freeze([...paths]) })
}

function pathFault(path: unknown): string | undefined {
  if (typeof path !== 'string') return 'is not a text'
  if (!path.startsWith('/')) return 'does not start with "/"'
  if (/\/(?:\/|$)/.test(path)) return 'has an empty key'
  if (/~(?![01])/.test(path)) return 'has a "~" that is not ~0 or ~1'
  if (/\*(?!\/|$)|[^/]\*/.test(path)) return 'has a "*" that is not a key of its own'
  return undefined
}

function pathRemedy(path: unknown): string {
  const keys = typeof path === 'string' ? path.split(/[^\w*-]+|(?=\*)/).filter(Boolean) : []
  const dotted = typeof path === 'string' && /^[\w$.[\]*-]+$/.test(path) && keys.length > 1
  const example = dotted ? `/${keys.join('/')}` : '/spec/template/spec/containers/*/image'
  return `Write a JSON pointer with "*" for each element of a list or map, such as ${example}`
}

/** Where the images of a configured path stand in an object. */
export function customImages(object: unknown, path: string): ImageOccurrence[] {
  const found: ImageOccurrence[] = []
  const keys = pointerKeys(path)

  const visit = (
    value: unknown,
    parent: unknown,
    depth: number,
    pointer: string,
    field: string,
  ): void => {
    if (value === undefined || value === null || value === '') return
    const key = keys[depth]
    if (key === undefined) {
      const name = childOf(parent, 'name')
      const known = typeof name === 'string' ? name : undefined
      found.push({ pointer, field, role: 'custom', name: known, value })
    } else if (key !== '*') {
      const place = Array.isArray(value) ? `${field}[${key}]` : field ? `${field}.${key}` : key
      visit(childOf(value, key), value, depth + 1, `${pointer}/${escapeKey(key)}`, place)
    } else if (Array.isArray(value)) {
      for (const [index, element] of value.entries()) {
        visit(element, value, depth + 1, `${pointer}/${index}`, `${field}[${index}]`)
      }
    } else if (typeof value === 'object' && depth > 0) {
      for (const [name, element] of Object.entries(value)) {
        // what is listed by its name has that name
        visit(element, { name }, depth + 1, `${pointer}/${escapeKey(name)}`, `${field}.${name}`)
      }
    }
  }

  visit(object, undefined, 0, '', '')
  return found
}
