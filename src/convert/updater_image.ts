import { parseReference } from '../images/index.ts'
import { pathPattern } from './glob_pattern.ts'
import type { Fields } from './types.ts'

/** What Argo CD Image Updater is told of one image, by annotations or by an ImageUpdater. */
export interface UpdaterImage {
  /** `[alias=]name[:constraint]` taken apart */
  readonly alias: string
  readonly name: string
  readonly constraint: string | undefined
  readonly strategy: string | undefined
  readonly allowTags: string | undefined
  readonly ignoreTags: readonly string[]
  readonly pullSecret: string | undefined
  readonly platforms: readonly string[]
  readonly forceUpdate: boolean
}

export type UpdaterRule =
  | { readonly spec: Fields; readonly notes: readonly string[] }
  | { readonly refused: string }

/** Takes `alias=ghcr.io/acme/web:~1.2` apart; undefined if it names no image. */
export function parseImageSpec(
  text: string,
): Pick<UpdaterImage, 'alias' | 'name' | 'constraint'> | undefined {
  const trimmed = text.trim()
  // = may also begin a constraint
  const equals = /^([^=:]*)=/.exec(trimmed)
  const rest = trimmed.slice(equals?.[0].length ?? 0)
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1)
  try {
    const { name } = parseReference(colon < 0 ? rest : rest.slice(0, colon))
    const constraint = colon < 0 ? '' : rest.slice(colon + 1).trim()
    return { alias: equals?.[1] ?? '', name, constraint: constraint || undefined }
  } catch {
    return undefined
  }
}

/** What a native spec can say of the tags that Image Updater would choose from. */
export function updaterRule(image: UpdaterImage): UpdaterRule {
  const notes: string[] = []
  const tags = tagsOf(image, notes)
  if (typeof tags === 'string') return { refused: tags }
  const order = orderOf(image, notes)
  if (typeof order === 'string') return { refused: order }
  if (image.platforms.length > 0) {
    notes.push(
      `platforms ${image.platforms.join(', ')} are not converted: Image Updater looks at them for newest-build and digest only. With platforms: [${image.platforms.join(', ')}], a version that lacks one of them is not chosen.`,
    )
  }
  if (image.forceUpdate) notes.push('force-update needs no counterpart: every image is judged.')
  return { spec: { tags, ...order }, notes }
}

function tagsOf({ allowTags, ignoreTags }: UpdaterImage, notes: string[]): Fields | string {
  const ignore: string[] = []
  for (const glob of ignoreTags) {
    const pattern = pathPattern(glob)
    if (pattern === undefined) notes.push(`ignore-tags ${glob} is malformed and ignores nothing.`)
    else ignore.push(pattern)
  }
  if (allowTags === undefined || allowTags === 'any') return { ignore }
  if (!allowTags.startsWith('regexp:')) {
    return `allow-tags ${allowTags} is neither "any" nor "regexp:…", so Image Updater permits no tag`
  }
  return { pattern: allowTags.slice('regexp:'.length), ignore }
}

function orderOf({ strategy = 'semver', constraint }: UpdaterImage, notes: string[]) {
  const moves = { reference: 'Tag', promote: 'Continuously' }
  switch (strategy) {
    case 'alphabetical':
    case 'name':
      noteConstraint(strategy, constraint, notes)
      return { order: { alphabetical: { order: 'Ascending' } }, ...moves }
    case 'newest-build':
    case 'latest':
      noteConstraint(strategy, constraint, notes)
      notes.push(
        `${strategy} takes the tag that was built last. Registries do not tell when a tag was built without reading each image, so this policy only judges: it moves nothing. Where tags hold a build number or a time, extract it and use order.numerical with action: Track.`,
      )
      return { order: { alphabetical: { order: 'Ascending' } }, action: 'Verify' }
    case 'digest':
      if (constraint === undefined) {
        return 'strategy digest names no tag to follow, so Image Updater skips the image'
      }
      return {
        order: { digest: { follow: constraint } },
        ...(constraint === 'latest' ? { latest: 'Resolve' } : {}),
        promote: 'Continuously',
      }
    default:
      if (strategy !== 'semver') {
        notes.push(`Image Updater does not know the strategy ${strategy} and takes semver.`)
      }
      notes.push(
        'Image Updater also takes tags with one or two numbers (1, 1.4); a version has three here.',
      )
      return { order: { semver: { range: constraint ?? '*' } }, ...moves }
  }
}

function noteConstraint(strategy: string, constraint: string | undefined, notes: string[]): void {
  if (constraint === undefined) return
  notes.push(`The constraint ${constraint} has no effect with ${strategy}, there as here.`)
}
