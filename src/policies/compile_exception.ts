import type { TagwardenError } from '../errors.ts'
import type { ImageReference } from '../images/types.ts'
import { contentHash } from './content_hash.ts'
import { draftProblem, type NamespacedDraft } from './draft.ts'
import { type Flaw, printable } from './flaw.ts'
import { matchText } from './glob.ts'
import { repositoryNames } from './host_alias.ts'
import { type ImageGlob, readImageGlob } from './image_glob.ts'
import { labelSelectorFlaws } from './label_selector.ts'
import type { ImagePolicyExceptionSpec as Spec } from './schema/image_policy_exception.ts'
import { ImagePolicyExceptionSpec } from './schemas.ts'
import { isSound } from './spec.ts'
import type { CompiledException } from './types.ts'
import { validate } from './validation.ts'
import { compileExceptionFilter, type WorkloadFilter } from './workload_filter.ts'

/** A compiled exception and what only the set needs of it. */
export interface ExceptionEntry {
  readonly exception: CompiledException
  readonly globs: readonly ImageGlob['repository'][]
  /** undefined: for every workload of its namespace */
  readonly filter: WorkloadFilter | undefined
  readonly hash: string
}

export type ExceptionCompilation =
  | { readonly entry: ExceptionEntry; readonly problems?: undefined }
  | { readonly entry?: undefined; readonly problems: readonly TagwardenError[] }

const compiled = new WeakMap<NamespacedDraft, ExceptionCompilation>()

/** Checks one ImagePolicyException and makes it ready; once for each draft. */
export function compileException(draft: NamespacedDraft): ExceptionCompilation {
  const known = compiled.get(draft) ?? compileAnew(draft)
  compiled.set(draft, known)
  return known
}

/** Finds everything that is wrong with a spec, and fills in its defaults. */
export function checkException(value: unknown): {
  readonly flaws: readonly Flaw[]
  readonly globs: readonly ImageGlob[]
} {
  const flaws = [...validate(ImagePolicyExceptionSpec, value)]
  if (flaws.some(({ path }) => path.length === 0)) return { flaws, globs: [] }
  const spec = value as Spec
  const images = isSound(flaws, 'images') ? spec.images : []
  const selector = isSound(flaws, 'match') ? spec.match?.selector : undefined
  flaws.push(...labelSelectorFlaws(selector, ['match', 'selector']))
  const globs = images.flatMap((text, index) => {
    const glob = readImageGlob(text)
    if (!('message' in glob)) return [glob]
    flaws.push({ path: ['images', index], ...glob })
    return []
  })
  return { flaws, globs }
}

function compileAnew(draft: NamespacedDraft): ExceptionCompilation {
  const { flaws, globs } = checkException(draft.spec)
  if (flaws.length > 0) return { problems: flaws.map((flaw) => draftProblem(draft, flaw)) }
  const spec = draft.spec as Spec
  const filter = compileExceptionFilter(spec.match)
  const lifted = new Set(spec.policies)
  const exception: CompiledException = {
    namespace: draft.namespace,
    name: draft.name,
    title: draft.title,
    position: draft.document.position,
    images: globs.map(({ pattern }) => pattern),
    policies: Object.freeze([...lifted]),
    reason: printable(spec.reason.trim().replace(/\s+/g, ' ')),
    expires: Date.parse(spec.expires),
    kinds: spec.match?.kinds ?? [],
    narrowed: filter !== undefined,
    covers: (image) => scopeOf(globs, image),
    lifts: ({ name, title, exceptions }) =>
      exceptions === 'Allow' && (lifted.size === 0 || lifted.has(name) || lifted.has(title)),
  }
  return {
    entry: {
      exception: Object.freeze(exception),
      globs: globs.map(({ repository }) => repository),
      filter,
      hash: contentHash(JSON.stringify([draft.title, spec])),
    },
  }
}

function scopeOf(
  globs: readonly ImageGlob[],
  image: ImageReference,
): 'repository' | 'tag' | undefined {
  const names = repositoryNames(image.name)
  const covering = globs.filter(({ repository }) => names.some((each) => repository.covers(each)))
  if (covering.some(({ tag }) => tag === undefined)) return 'repository'
  // a digest alone is of no tag that anybody could name
  const tag = image.tag ?? (image.digest === undefined ? 'latest' : undefined)
  const named = tag !== undefined && covering.some((glob) => matchText(glob.tag ?? '', tag))
  return named ? 'tag' : undefined
}
