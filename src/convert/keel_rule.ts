import type { ImageReference } from '../images/index.ts'
import { literal, starPattern } from './glob_pattern.ts'
import type { Fields } from './types.ts'

/** A rule of Keel in the native form; what it says of the tag that runs is fixed. */
export type KeelRule =
  | { readonly spec: Fields; readonly notes: readonly string[] }
  | { readonly refused: string }

export interface KeelOptions {
  readonly policy: string
  readonly matchTag: boolean
  readonly matchPreRelease: boolean
}

const VERSION = /^v?(\d+)\.(\d+)(?:\.(\d+))?(-[0-9A-Za-z.-]+)?$/

/** What of Keel's policies a native spec can say for one image. */
export function keelRule(image: ImageReference, options: KeelOptions): KeelRule {
  const { policy } = options
  if (policy === '' || policy === 'never') return { refused: 'Keel never updates it' }
  if (policy.startsWith('glob:')) {
    const tags = { pattern: starPattern(policy.slice(5)) }
    return { spec: { tags, order: { alphabetical: { order: 'Ascending' } } }, notes: [] }
  }
  if (policy.startsWith('regexp:')) return regexpRule(policy.slice(7))
  if (policy === 'force') return forceRule(image, options.matchTag)
  if (!['all', 'major', 'minor', 'patch'].includes(policy)) {
    return { refused: `Keel does not know the policy ${policy}, and never updates it` }
  }
  return versionRule(image, options)
}

function regexpRule(pattern: string): KeelRule {
  const compares = /\(\?P?<compare>/.test(pattern)
  return {
    spec: {
      tags: { pattern, ...(compares ? { extract: '${compare}' } : {}) },
      order: { alphabetical: { order: 'Ascending' } },
    },
    notes: [],
  }
}

function forceRule({ tag = 'latest' }: ImageReference, matchTag: boolean): KeelRule {
  if (matchTag) {
    const latest = tag === 'latest' ? { latest: 'Resolve' } : {}
    return {
      spec: { order: { digest: { follow: tag } }, reference: 'TagAndDigest', ...latest },
      notes: [],
    }
  }
  return {
    spec: { order: { alphabetical: { order: 'Ascending' } }, action: 'Verify' },
    notes: [
      'Keel takes whichever tag was pushed last (force). Registries do not tell when a tag was pushed, so this policy only judges: it moves nothing. Choose an order, such as semver, or digest.follow for one moving tag.',
    ],
  }
}

function versionRule(image: ImageReference, options: KeelOptions): KeelRule {
  const { policy, matchPreRelease } = options
  const { tag = 'latest' } = image
  if (tag === 'latest') {
    return {
      spec: { order: { semver: { range: '*-0' } }, latest: 'Resolve' },
      notes: [
        ...partsNote(3),
        `The workload names no version, so Keel would first take the highest of all, and count ${policy} from there. Put a bound into order.semver.range, such as ^1.4.`,
      ],
    }
  }
  const [, major = '', minor = '', patch, prerelease = ''] = VERSION.exec(tag) ?? []
  if (major === '') {
    return { refused: `Keel cannot compare the tag ${tag} by version, and never updates it` }
  }
  const same = policy !== 'all' && matchPreRelease
  const open = !same || (prerelease !== '' && patch !== undefined)
  const range = rangeOf(policy, Number(major), Number(minor), open)
  const relative =
    policy === 'minor' || policy === 'patch'
      ? [
          `Keel counts ${policy} from the tag that runs; the range is fixed at what ${tag} gives. Change it when you go beyond.`,
        ]
      : []
  const tags = tagsOf(patch === undefined, same ? prerelease : undefined)
  return {
    spec: { ...(tags ? { tags } : {}), order: { semver: { range } } },
    notes: [...relative, ...partsNote(patch === undefined ? 2 : 3)],
  }
}

function rangeOf(policy: string, major: number, minor: number, prereleases: boolean): string {
  if (policy === 'minor') {
    return prereleases ? `>=${major}.0.0-0 <${major + 1}.0.0-0` : `${major}.x`
  }
  if (policy === 'patch') {
    return prereleases
      ? `>=${major}.${minor}.0-0 <${major}.${minor + 1}.0-0`
      : `${major}.${minor}.x`
  }
  return prereleases ? '*-0' : '*'
}

function tagsOf(short: boolean, prerelease: string | undefined): Fields | undefined {
  const suffix = prerelease === undefined ? '(?P<suffix>-.*)?' : literal(prerelease)
  if (short) {
    const end = prerelease === undefined ? '${suffix}' : ''
    return { pattern: `^v?(?P<version>[0-9]+\\.[0-9]+)${suffix}$`, extract: `\${version}.0${end}` }
  }
  if (prerelease === undefined || prerelease === '') return undefined
  return { pattern: `^v?[0-9]+\\.[0-9]+\\.[0-9]+${suffix}$` }
}

function partsNote(parts: 2 | 3): string[] {
  return [
    parts === 3
      ? 'Keel also takes tags with two numbers (1.4); a version has three here.'
      : 'The tag that runs has two numbers, so only such tags count; Keel takes those with three as well.',
  ]
}
