import { asksForLabels } from '../policies/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import type { JudgedImage } from './judged_image.ts'
import { someOf } from './words.ts'

/** Finds out which policies do not count only since nobody says what labels a namespace has. */
export interface LackingLabels {
  readonly note: (images: readonly JudgedImage[]) => void
  /** for people */
  readonly notes: () => readonly string[]
}

/** @param isKnown whether the labels of a namespace are known */
export function createLackingLabels(
  policies: readonly CompiledPolicy[],
  isKnown: (namespace: string) => boolean,
): LackingLabels {
  const selecting = policies.filter(
    ({ namespaceSelector }) => namespaceSelector && asksForLabels(namespaceSelector),
  )
  const namespaces = new Set<string>()
  const titles = new Set<string>()
  return {
    note(images) {
      if (selecting.length === 0) return
      for (const { subject, question } of images) {
        const { namespace } = subject
        if (!question || namespace === undefined || isKnown(namespace)) continue
        for (const policy of selecting) {
          if (!policy.covers(question.image.name) || question.policies.includes(policy)) continue
          namespaces.add(namespace)
          titles.add(policy.title)
        }
      }
    },
    notes() {
      if (namespaces.size === 0) return []
      const [where, what] = [namespaces, titles].map((each) => someOf([...each].sort()))
      return [
        `What labels ${where} has is not known, so ${what}, which asks for them, does not count there. Review the Namespace objects too, or use --cluster`,
      ]
    },
  }
}
