import type { Flaw, Path } from './flaw.ts'
import type { LabelSelector } from './schema/label_selector.ts'

export type Labels = Readonly<Record<string, string>>

/**
 * A LabelSelector as a test of labels. An empty one admits everything.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
export function compileLabelSelector(selector: LabelSelector): (labels: Labels) => boolean {
  const wanted = Object.entries(selector.matchLabels ?? {})
  const tests = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    const members = new Set(values)
    return (labels: Labels): boolean => {
      const given = Object.hasOwn(labels, key)
      switch (operator) {
        case 'Exists':
          return given
        case 'DoesNotExist':
          return !given
        case 'In':
          return given && members.has(labels[key]!)
        case 'NotIn':
          return !given || !members.has(labels[key]!)
      }
    }
  })
  return (labels) =>
    wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    tests.every((test) => test(labels))
}

/** What the schema cannot say: In and NotIn need values, the others must have none. */
export function labelSelectorFlaws(selector: LabelSelector | undefined, path: Path): Flaw[] {
  return (selector?.matchExpressions ?? []).flatMap(({ operator, values }, index) => {
    const needed = operator === 'In' || operator === 'NotIn'
    if (needed === (values ?? []).length > 0) return []
    return {
      path: [...path, 'matchExpressions', index, 'values'],
      message: needed ? `is needed by operator ${operator}` : `has no meaning with ${operator}`,
      remedy: needed ? 'Give at least one value' : 'Leave values out',
    }
  })
}
