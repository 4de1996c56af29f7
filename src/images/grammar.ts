import type { ImageReference } from './types.ts'

// The grammar of github.com/distribution/reference v0.6, the package that the kubelet and
// containerd read images with. A policy must see the same repository as they do.

/** Longer texts are not looked at. Host, path, tag and digest together stay well below. */
export const LONGEST_REFERENCE = 1024
/** https://github.com/distribution/reference: RepositoryNameTotalLengthMax */
export const LONGEST_PATH = 255
export const LONGEST_TAG = 128
/** Hex digits of each digest algorithm that go-digest knows. */
export const DIGEST_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['sha256', 64],
  ['sha384', 96],
  ['sha512', 128],
])

const DEFAULT_REGISTRY = 'docker.io'
const LEGACY_REGISTRY = 'index.docker.io'
const HOST =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?$/
const PATH = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/
const COMPONENT_PREFIX = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/
// To containerd, sha256:… and any part of an id is an image that the node has, whatever its name.
const IMAGE_ID = /^(?:[a-f0-9]{64}|sha(?:256|384|512):[a-f0-9]+)$/

/**
 * Whether a text is a tag: a letter, digit or `_`, then at most 127 of these or `.` or `-`.
 *
 * @example
 *   isTag('v1.4.2') // true
 */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/**
 * Whether a text is a digest: `sha256:`, `sha384:` or `sha512:` and its 64, 96 or 128 lower-case
 * hex digits.
 *
 * @example
 *   isDigest('sha256:beef') // false
 */
export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

/**
 * Whether a text is the bare id of an image. As a name, the container runtimes refuse it, or run
 * what they find under it on the node.
 */
export function isImageId(text: string): boolean {
  return IMAGE_ID.test(text)
}

/** Whether a text is one or more path components joined by `/`. */
export function isPath(text: string): boolean {
  return PATH.test(text)
}

/** How many characters of a path component are right. */
export function pathPrefix(component: string): number {
  return COMPONENT_PREFIX.exec(component)?.[0].length ?? 0
}

/** Whether a text is a host name, IPv4 address or `[IPv6 address]`, with or without a port. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/** Cuts a text at `@` and at the `:` of the tag. The parts are not checked. */
export function splitReference(text: string): {
  name: string
  tag: string | undefined
  digest: string | undefined
} {
  const at = text.indexOf('@')
  const head = at < 0 ? text : text.slice(0, at)
  const digest = at < 0 ? undefined : text.slice(at + 1)
  const colon = head.indexOf(':', head.lastIndexOf('/') + 1)
  if (colon < 0) return { name: head, tag: undefined, digest }
  return { name: head.slice(0, colon), tag: head.slice(colon + 1), digest }
}

/**
 * Where the path of a name starts: after the first `/` if a registry stands before it, else 0.
 * An upper-case letter makes it a registry, as no path may have one.
 */
export function pathStart(name: string): number {
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(slash, 0))
  return first === 'localhost' || /[.:A-Z]/.test(first) ? slash + 1 : 0
}

/** Reads a reference; undefined if it is none. `fault.ts` says why. */
export function readReference(text: string): ImageReference | undefined {
  if (text.length > LONGEST_REFERENCE || IMAGE_ID.test(text)) return undefined
  const { name: written, tag, digest } = splitReference(text)
  if (tag !== undefined && !TAG.test(tag)) return undefined
  if (digest !== undefined && !DIGEST.test(digest)) return undefined

  const start = pathStart(written)
  const host = written.slice(0, Math.max(start - 1, 0))
  const registry = start === 0 || host === LEGACY_REGISTRY ? DEFAULT_REGISTRY : host
  const path = written.slice(start)
  const repository = registry === DEFAULT_REGISTRY && !path.includes('/') ? `library/${path}` : path
  if (repository.length > LONGEST_PATH || !PATH.test(repository)) return undefined

  const name = `${registry}/${repository}`
  // The Go package takes a host such as a_b.io for a path component, and the runtimes then dial it.
  if (!HOST.test(registry) && (name.length > LONGEST_PATH || !PATH.test(name))) return undefined
  const tagged = tag === undefined ? name : `${name}:${tag}`
  const normalized = digest === undefined ? tagged : `${tagged}@${digest}`
  return Object.freeze({ original: text, registry, repository, name, tag, digest, normalized })
}
