import type { KubernetesObject, ListOptions } from '../../src/cluster/types.ts'
import { valueAt } from '../../src/images/pointer.ts'

/** Whether a list with these options holds the object. */
export function isListed(object: KubernetesObject, options: ListOptions): boolean {
  const { namespace, labelSelector = '', fieldSelector = '' } = options
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false
  const labels = object.metadata.labels ?? {}
  return (
    labelTerms(labelSelector).every((term) => labelHolds(labels, term)) &&
    fieldSelector
      .split(',')
      .filter(Boolean)
      .every((term) => fieldHolds(object, term))
  )
}

/** At the commas that are not within parentheses. */
function labelTerms(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter(Boolean)
}

function labelHolds(labels: Readonly<Record<string, string>>, term: string): boolean {
  const set = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(term)
  if (set) {
    const values = (set[3] ?? '').split(',').map((each) => each.trim())
    return values.includes(labels[set[1] ?? ''] ?? '') === (set[2] === 'in')
  }
  const equal = /^([^!=\s]+)\s*(!=|==?)\s*(.*)$/.exec(term)
  if (equal) return (labels[equal[1] ?? ''] === equal[3]) === (equal[2] !== '!=')
  return term.startsWith('!') ? labels[term.slice(1)] === undefined : labels[term] !== undefined
}

function fieldHolds(object: KubernetesObject, term: string): boolean {
  const [, path = '', operator, value = ''] = /^([^!=]+)(!=|==?)(.*)$/.exec(term) ?? []
  const found = valueAt(object, `/${path.replaceAll('.', '/')}`) ?? ''
  return (String(found) === value) === (operator !== '!=')
}
