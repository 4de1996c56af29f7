import { TagwardenError } from '../errors.ts'
import { parseReference } from '../images/index.ts'
import { compilePattern, limitTogether } from '../tags/index.ts'
import { contentHash } from './content_hash.ts'
import { draftProblem, type NamespacedDraft } from './draft.ts'
import { parseDuration } from './duration.ts'
import { type Flaw, parsePath, quote } from './flaw.ts'
import { readGlob } from './repository_glob.ts'
import { ImageRepositorySpec } from './schemas.ts'
import { isSound } from './spec.ts'
import type { CompiledRepository, ImageRepositorySpec as Spec } from './types.ts'
import { validate } from './validation.ts'

/** A compiled repository, or what is wrong with it. */
export type RepositoryCompilation =
  | {
      readonly repository: CompiledRepository
      readonly hash: string
      readonly problems?: undefined
    }
  | { readonly repository?: undefined; readonly problems: readonly TagwardenError[] }

const compiled = new WeakMap<NamespacedDraft, RepositoryCompilation>()

/** Checks one ImageRepository and makes it ready; once for each draft. */
export function compileRepository(draft: NamespacedDraft): RepositoryCompilation {
  const known = compiled.get(draft) ?? compileAnew(draft)
  compiled.set(draft, known)
  return known
}

/** Finds what is wrong with a spec but its patterns, and fills in its defaults. */
export function checkRepository(value: unknown): {
  readonly flaws: readonly Flaw[]
  readonly image: string
} {
  const flaws = [...validate(ImageRepositorySpec, value)]
  if (!isSound(flaws, 'image') || flaws.some(({ path }) => path.length === 0)) {
    return { flaws, image: '' }
  }
  const glob = readGlob((value as Spec).image)
  if ('message' in glob) {
    flaws.push({ path: ['image'], ...glob })
    return { flaws, image: '' }
  }
  if (!glob.exact) {
    const message = `${quote(glob.pattern)} covers more than one repository`
    const remedy = 'Name one repository, and make an ImageRepository for each'
    flaws.push({ path: ['image'], message, remedy })
  }
  // as it is written: the index knows repositories by the names that images have
  const image = glob.exact ? parseReference((value as Spec).image).name.toLowerCase() : glob.pattern
  return { flaws, image }
}

function compileAnew(draft: NamespacedDraft): RepositoryCompilation {
  const { flaws, image } = checkRepository(draft.spec)
  const problems = flaws.map((flaw) => draftProblem(draft, flaw))
  const spec = draft.spec as Spec
  const attempt = <T>(compile: () => T): T | undefined => {
    try {
      return compile()
    } catch (error) {
      if (!(error instanceof TagwardenError)) throw error
      const { message, remedy, position } = error
      const path = parsePath(position?.field ?? 'exclusionList')
      problems.push(draftProblem(draft, { path, message, remedy }, error))
      return undefined
    }
  }
  const patterns = (isSound(flaws, 'exclusionList') ? spec.exclusionList : []).flatMap(
    (pattern, index) => attempt(() => compilePattern(pattern, `exclusionList[${index}]`)) ?? [],
  )
  attempt(() => limitTogether(patterns, 'exclusionList'))
  if (problems.length > 0) return { problems }
  const { interval, timeout, provider, insecure, suspend, exclusionList } = spec
  const repository: CompiledRepository = {
    namespace: draft.namespace,
    name: draft.name,
    title: draft.title,
    position: draft.document.position,
    image,
    interval: parseDuration(interval)!,
    timeout: timeout === undefined ? undefined : parseDuration(timeout),
    provider,
    secretRef: spec.secretRef,
    certSecretRef: spec.certSecretRef,
    proxySecretRef: spec.proxySecretRef,
    insecure,
    suspend,
    exclusionList,
    excludes: (tag) => patterns.some((pattern) => pattern.test(tag)),
  }
  const hash = contentHash(JSON.stringify([draft.title, spec]))
  return { repository: Object.freeze(repository), hash }
}
