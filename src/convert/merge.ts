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
  const beside = indexed(objects, ({ kind, metadata }) => [kind, metadata.namespace])
  const ofKind = indexed(objects, ({ kind }) => [kind])
  return objects.map((each) => {
    const images = imagesOf(each)
    const { kind, metadata } = each.object
    const found = images.flatMap((image) => beside([kind, metadata.namespace], image))
    const rivals = [...new Set(found)].filter((one) => one !== each && differs(one, each))
    const other = kind === 'ImagePolicy' ? 'ClusterImagePolicy' : 'ImagePolicy'
    const crossing = images
      .map((image) => ofKind([other], image).find((one) => differs(one, each)))
      .find((one) => one !== undefined)
    const apart = rivals.length === 0 ? each : toldApart(each, rivals)
    return crossing ? { ...apart, notes: [...apart.notes, crossingNote(crossing)] } : apart
  })
}

/** Finds policies by something of them and an image. */
function indexed(
  objects: readonly Converted[],
  groupOf: (object: Converted['object']) => readonly unknown[],
): (group: readonly unknown[], image: unknown) => readonly Converted[] {
  const found = new Map<string, Converted[]>()
  for (const each of objects) {
    for (const image of imagesOf(each)) {
      const key = JSON.stringify([groupOf(each.object), image])
      const known = found.get(key)
      if (known) known.push(each)
      else found.set(key, [each])
    }
  }
  return (group, image) => found.get(JSON.stringify([group, image])) ?? []
}

/** Of a policy; an ImageRepository has no rule. */
function imagesOf({ object: { spec } }: Converted): readonly unknown[] {
  return Array.isArray(spec['images']) ? spec['images'] : []
}

function differs({ object: one }: Converted, { object: other }: Converted): boolean {
  return JSON.stringify(one.spec) !== JSON.stringify(other.spec)
}

function crossingNote({ object: { kind, metadata } }: Converted): string {
  const { namespace, name } = metadata
  const title = `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`
  return `${title} is for the same image with another rule, and an image must be permitted by both. Change one of the two, or delete it.`
}

function toldApart(each: Converted, rivals: readonly Converted[]): Converted {
  const label = ownLabel(
    each.sources,
    rivals.flatMap(({ sources }) => sources),
  )
  const { kind, spec } = each.object
  if (label === undefined || kind === 'ClusterImagePolicy') {
    const selectors = kind === 'ImagePolicy' ? '' : 'namespaceSelector or '
    const note = `Another policy here is for the same image with another rule, and an image must be permitted by both. Tell their workloads apart by ${selectors}match.selector, or delete one of the two.`
    return { ...each, notes: [...each.notes, note] }
  }
  const { images, ...rest } = spec
  const match = { selector: { matchLabels: { [label[0]]: label[1] } } }
  return { ...each, object: { ...each.object, spec: { images, match, ...rest } } }
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
