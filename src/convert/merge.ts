import type { Converted, Source } from './types.ts'

/** Labels that tell workloads apart, before any other. */
const PREFERRED = ['app.kubernetes.io/name', 'app.kubernetes.io/instance', 'app']

/**
 * Puts together what says the same of the same images, tells rivals apart, and gives each object
 * a name of its own.
 */
export function merge(objects: readonly Converted[]): readonly Converted[] {
  return named(narrowed(joined(objects)))
}

/** Equal rules of one namespace become one policy. */
function joined(objects: readonly Converted[]): Converted[] {
  const byContent = new Map<string, Converted>()
  for (const each of objects) {
    const { kind, metadata, spec } = each.object
    const own = each.named ? metadata.name : ''
    const key = JSON.stringify([kind, metadata.namespace, own, spec])
    const first = byContent.get(key)
    byContent.set(
      key,
      first === undefined
        ? each
        : {
            object: first.object,
            sources: [...new Set([...first.sources, ...each.sources])],
            notes: [...new Set([...first.notes, ...each.notes])],
          },
    )
  }
  return [...byContent.values()]
}

/** Two rules on one image of one namespace are for some of its workloads only. */
function narrowed(objects: readonly Converted[]): Converted[] {
  const groups = new Map<string, Converted[]>()
  for (const each of objects) {
    if (each.object.kind !== 'ImagePolicy') continue
    const key = JSON.stringify([each.object.metadata.namespace, each.object.spec['images']])
    groups.set(key, [...(groups.get(key) ?? []), each])
  }
  const rivalsOf = (each: Converted) =>
    [...groups.values()].find((group) => group.includes(each))?.filter((one) => one !== each) ?? []
  return objects.map((each) => {
    const rivals = rivalsOf(each)
    if (rivals.length === 0) return each
    const label = ownLabel(
      each.sources,
      rivals.flatMap(({ sources }) => sources),
    )
    if (label === undefined) {
      const note =
        'Another policy here is for the same image with another rule. Tell their workloads apart by match.selector, or delete one of the two.'
      return { ...each, notes: [...each.notes, note] }
    }
    const { images, ...rest } = each.object.spec
    const match = { selector: { matchLabels: { [label[0]]: label[1] } } }
    return { ...each, object: { ...each.object, spec: { images, match, ...rest } } }
  })
}

/** A label that all these workloads have and none of the others. */
function ownLabel(own: readonly Source[], others: readonly Source[]) {
  const [first] = own
  if (first === undefined) return undefined
  const keys = [...PREFERRED, ...Object.keys(first.labels).sort()]
  const key = keys.find((each) => {
    const value = first.labels[each]
    if (value === undefined || each.startsWith('keel.sh/')) return false
    const has = ({ labels }: Source) => labels[each] === value
    return own.every(has) && !others.some(has)
  })
  return key === undefined ? undefined : ([key, first.labels[key]!] as const)
}

/** No two objects of a kind have the same name in a namespace. */
function named(objects: readonly Converted[]): Converted[] {
  const taken = new Set<string>()
  return objects.map((each) => {
    const { kind, metadata } = each.object
    const keyOf = (name: string) => JSON.stringify([kind, metadata.namespace, name])
    let { name } = metadata
    for (let count = 2; taken.has(keyOf(name)); count += 1) name = `${metadata.name}-${count}`
    taken.add(keyOf(name))
    if (name === metadata.name) return each
    return { ...each, object: { ...each.object, metadata: { ...metadata, name } } }
  })
}
