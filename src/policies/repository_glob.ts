import { parseReference } from '../images/index.ts'
import { quote } from './flaw.ts'
import { matchPath } from './glob.ts'
import { DOCKER_HUB, repositoryNames, usualRegistry } from './host_alias.ts'

/** A glob over normalised repository names. Immutable. */
export interface RepositoryGlob {
  /** normalised, such as `docker.io/acme/*` */
  readonly pattern: string
  /** the segments before the first one with a `*`, joined; the whole name if there is none */
  readonly prefix: string
  /** whether it has no `*` and so covers one name only */
  readonly exact: boolean
  /** length of the longest part without `*` */
  readonly literal: number
  covers(name: string): boolean
}

/** Why a text is no glob, and what to write. */
export interface GlobFault {
  readonly message: string
  readonly remedy: string
}

const SEGMENT = /^[a-z0-9*._-]+$/
const HOST = /^[a-z0-9*.-]+(:[0-9*]+)?$|^\[[a-f0-9:]+\](:[0-9*]+)?$/

/**
 * Reads a glob as a reference is read: `nginx` is `docker.io/library/nginx`, `acme/*` is
 * `docker.io/acme/*`. The first segment is a registry if it has a dot or a colon, is `localhost`,
 * or is `**` (any registry). Other names of the same registry become the usual one.
 */
export function readGlob(written: string): RepositoryGlob | GlobFault {
  const fault = faultOf(written)
  if (fault) return fault
  if (!written.includes('*')) {
    try {
      return makeGlob(repositoryNames(parseReference(written).name).at(-1)!)
    } catch (error) {
      const remedy =
        'Write a repository such as ghcr.io/acme/web, or a pattern such as ghcr.io/acme/*'
      return {
        message: `${quote(written)} is not an image repository: ${(error as Error).message}`,
        remedy,
      }
    }
  }
  const [first, ...rest] = written.split('/') as [string, ...string[]]
  const lower = first.toLowerCase()
  if (lower === '**') return makeGlob([lower, ...rest].join('/'))
  if (!isHost(first) || rest.length === 0) return makeGlob(hubName([lower, ...rest]))
  const host = lower.includes('*') ? lower : usualRegistry(lower)
  return makeGlob(host === DOCKER_HUB ? hubName(rest) : [host, ...rest].join('/'))
}

function isHost(segment: string): boolean {
  return segment === 'localhost' || /[.:A-Z]/.test(segment)
}

function hubName(path: readonly string[]): string {
  const official = path.length === 1 && path[0] !== '**'
  return [DOCKER_HUB, ...(official ? ['library'] : []), ...path].join('/')
}

function faultOf(written: string): GlobFault | undefined {
  const shown = quote(written)
  const scheme = /^[a-z]+:\/\/(.*)/i.exec(written)
  if (scheme) {
    return { message: `${shown} has a scheme`, remedy: `Write ${quote(scheme[1] ?? '')}` }
  }
  const bare = written.replace(/@.*/, '').replace(/:[^/]*$/, '')
  if (bare !== written && !written.endsWith(']')) {
    return {
      message: `${shown} has a tag or digest`,
      remedy: `Write ${quote(bare)}, and say which tags in order and tags`,
    }
  }
  if (written === '*') {
    return {
      message: '"*" could mean every image or only the official ones of Docker Hub',
      remedy: 'Write "**" for every image, or "docker.io/library/*"',
    }
  }
  if (written.endsWith('/')) {
    return { message: `${shown} is only a prefix`, remedy: `Write "${written}**" for all below it` }
  }
  if (!written.includes('/') && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(written)) {
    return {
      message: `${shown} names a registry only`,
      remedy: `Write "${written}/**" for all of it`,
    }
  }
  if (!written.includes('*')) return undefined
  const segments = written.split('/')
  const mixed = segments.find((segment) => segment.includes('**') && segment !== '**')
  if (mixed !== undefined) {
    const remedy = `Write ${quote(mixed.replace(/\*+/g, '*'))}, or ** between slashes`
    return { message: `${shown} has ** inside a segment`, remedy }
  }
  const wrong = segments.find((segment, index) =>
    index === 0 && isHost(segment) ? !HOST.test(segment.toLowerCase()) : !SEGMENT.test(segment),
  )
  if (wrong === undefined) return undefined
  const remedy = 'Use lower-case letters, digits, ".", "_", "-", "/" and "*"'
  return { message: `${shown} is not a pattern of repositories: ${quote(wrong)}`, remedy }
}

function makeGlob(pattern: string): RepositoryGlob {
  const star = pattern.indexOf('*')
  const literal = Math.max(...pattern.split(/\*+/).map((part) => part.length))
  if (star < 0) {
    const covers = (name: string) => name === pattern
    return Object.freeze({ pattern, prefix: pattern, exact: true, literal, covers })
  }
  const segments = pattern.split('/')
  const prefix = pattern.slice(0, Math.max(0, pattern.lastIndexOf('/', star)))
  // a ** at the end stands for at least one segment: ghcr.io/acme/** is not ghcr.io/acme
  const least = segments.at(-1) === '**' ? segments.filter((part) => part !== '**').length + 1 : 0
  return Object.freeze({
    pattern,
    prefix,
    exact: false,
    literal,
    covers: (name: string) => {
      const path = name.split('/')
      return path.length >= least && matchPath(segments, path)
    },
  })
}
