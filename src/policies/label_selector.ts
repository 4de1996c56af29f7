import { type Flaw, type Path, quote } from './flaw.ts'
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

/** A label's value, and the part of its key after a slash. */
const WORD = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/
const PREFIX = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?([.][a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const LONGEST_PREFIX = 253

/**
 * What the schema cannot say: In and NotIn need values, the others must have none; and what no
 * label can be. The API server would refuse a webhook configuration for it, with all that is in it.
 */
export function labelSelectorFlaws(selector: LabelSelector | undefined, path: Path): Flaw[] {
  const labels = Object.entries(selector?.matchLabels ?? {}).flatMap(([key, value]) => {
    const at = [...path, 'matchLabels', key]
    return [
      ...keyFlaws(key, at).map((flaw) => ({ ...flaw, key: true as const })),
      ...valueFlaws(value, at),
    ]
  })
  const expressions = (selector?.matchExpressions ?? []).flatMap(
    ({ key, operator, values = [] }, index): Flaw[] => {
      const at = [...path, 'matchExpressions', index]
      const wrong = [
        ...keyFlaws(key, [...at, 'key']),
        ...values.flatMap((value, each) => valueFlaws(value, [...at, 'values', each])),
      ]
      const needed = operator === 'In' || operator === 'NotIn'
      if (needed === values.length > 0) return wrong
      const message = needed
        ? `is needed by operator ${operator}`
        : `has no meaning with ${operator}`
      const remedy = needed ? 'Give at least one value' : 'Leave values out'
      return [...wrong, { path: [...at, 'values'], message, remedy }]
    },
  )
  return [...labels, ...expressions]
}

function keyFlaws(key: string, path: Path): Flaw[] {
  const slash = key.indexOf('/')
  const prefix = slash < 0 ? undefined : key.slice(0, slash)
  const isPrefix = prefix === undefined || (PREFIX.test(prefix) && prefix.length <= LONGEST_PREFIX)
  if (isPrefix && WORD.test(key.slice(slash + 1))) return []
  const remedy = 'Write it like team, or example.com/team'
  return [{ path, message: `${quote(key)} is no key of a label`, remedy }]
}

function valueFlaws(value: string, path: Path): Flaw[] {
  if (value === '' || WORD.test(value)) return []
  const message = `${quote(value)} is no value that a label can have`
  const remedy =
    'Write the whole value, of letters, digits, "-", "_" and "."; there are no patterns here'
  return [{ path, message, remedy }]
}
