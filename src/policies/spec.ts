import type { PolicyDraft } from './draft.ts'
import { parseDuration } from './duration.ts'
import { type Flaw, parsePath } from './flaw.ts'
import { labelSelectorFlaws } from './label_selector.ts'
import { promotionFlaws } from './promotion.ts'
import { type RepositoryGlob, readGlob } from './repository_glob.ts'
import { CROSS_FIELD_RULES } from './schema/cross_field.ts'
import type { ClusterImagePolicySpec as Spec } from './schema/image_policy.ts'
import { ClusterImagePolicySpec, ImagePolicySpec } from './schemas.ts'
import { validate } from './validation.ts'

/** A spec that was looked through. Without flaws, it is an ImagePolicySpec with its defaults. */
export interface CheckedSpec {
  readonly flaws: readonly Flaw[]
  readonly images: readonly RepositoryGlob[]
  readonly exclude: readonly RepositoryGlob[]
}

/**
 * Finds everything that is wrong with a spec but its patterns and ranges, and fills in its
 * defaults. A field that is wrong in itself is not looked at together with others.
 */
export function checkSpec(kind: PolicyDraft['kind'], value: unknown): CheckedSpec {
  const schema = kind === 'ImagePolicy' ? ImagePolicySpec : ClusterImagePolicySpec
  const wrong = validate(schema, value)
  if (wrong.some(({ path }) => path.length === 0)) return { flaws: wrong, images: [], exclude: [] }
  const spec = value as Spec
  const flaws = [...wrong]
  if (isSound(wrong, 'tags', 'order', 'action', 'reference', 'latest', 'promote')) {
    flaws.push(...crossFieldFlaws(spec))
  }
  if (isSound(wrong, 'match')) {
    flaws.push(...labelSelectorFlaws(spec.match?.selector, ['match', 'selector']))
  }
  if (isSound(wrong, 'namespaceSelector')) {
    flaws.push(...labelSelectorFlaws(spec.namespaceSelector, ['namespaceSelector']))
  }
  if (isSound(wrong, 'minimumAge') && parseDuration(spec.minimumAge) === undefined) {
    const remedy = 'Write a shorter one, such as 7d'
    flaws.push({ path: ['minimumAge'], message: 'is too long', remedy })
  }
  if (isSound(wrong, 'promotion')) flaws.push(...promotionFlaws(spec.promotion))
  const [images, exclude] = (['images', 'exclude'] as const).map((field) =>
    isSound(wrong, field) ? readGlobs(spec[field], field, flaws) : [],
  ) as [RepositoryGlob[], RepositoryGlob[]]
  return { flaws, images, exclude }
}

/** Whether none of these fields of a spec has a flaw. */
export function isSound(flaws: readonly Flaw[], ...fields: readonly string[]): boolean {
  return !flaws.some(({ path }) => fields.includes(String(path[0])))
}

function crossFieldFlaws(spec: Spec): readonly Flaw[] {
  return CROSS_FIELD_RULES.filter((rule) => !rule.holds(spec)).map(
    ({ at, points, message, remedy }) => ({
      path: parsePath([at, points].filter((part) => part !== '').join('.')),
      message,
      remedy,
    }),
  )
}

function readGlobs(written: readonly string[], field: string, flaws: Flaw[]): RepositoryGlob[] {
  return written.flatMap((text, index) => {
    const glob = readGlob(text)
    if (!('message' in glob)) return [glob]
    flaws.push({ path: [field, index], ...glob })
    return []
  })
}
