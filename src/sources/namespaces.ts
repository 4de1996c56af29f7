import { type Cluster, type KubernetesObject, NAMESPACES } from '../cluster/index.ts'
import { UNKNOWN_LABELS } from '../policies/index.ts'

type Texts = Readonly<Record<string, string>>

/** What is known of a namespace. */
export interface NamespaceFacts {
  readonly labels: Texts
  readonly annotations: Texts
}

/** The namespaces of the cluster, followed. */
export interface Namespaces {
  /** undefined: it is not there, or too new to be known */
  get(name: string): NamespaceFacts | undefined
  /**
   * Its labels. Of a namespace that is not known the API server is asked: what comes right after
   * it, as in one `kubectl apply`, must not slip past a namespaceSelector. UNKNOWN_LABELS when it
   * does not say.
   */
  labels(name: string): Texts | Promise<Texts>
  readonly isSynced: () => boolean
  readonly synced: Promise<void>
  close(): Promise<void>
}

/** What nobody needs is not kept: kubectl's annotation repeats the whole object. */
const LONGEST_ANNOTATION = 1_024
/** ms that a review waits for the labels of a new namespace */
const TIME_LIMIT = 1_000
const NONE: Texts = Object.freeze({})

/** Follows all namespaces. */
export function followNamespaces(
  cluster: Pick<Cluster, 'watch' | 'get'>,
  told: { readonly problem?: (error: Error) => void; readonly recovered?: () => void } = {},
): Namespaces {
  const known = new Map<string, NamespaceFacts>()
  const asking = new Map<string, Promise<Texts>>()
  const watching = cluster.watch<KubernetesObject>(
    NAMESPACES,
    {},
    {
      ...told,
      upsert: (object) => void known.set(object.metadata.name, factsOf(object)),
      remove: ({ name }) => void known.delete(name),
    },
  )

  async function ask(name: string): Promise<Texts> {
    const object = cluster.get<KubernetesObject>(NAMESPACES, { name })
    return withinTime(object.then((found) => (found ? factsOf(found).labels : NONE)))
  }

  return {
    get: (name) => known.get(name),
    labels(name) {
      const facts = known.get(name)
      if (facts) return facts.labels
      if (name === '') return NONE
      const answer = asking.get(name) ?? ask(name).finally(() => asking.delete(name))
      asking.set(name, answer)
      return answer
    },
    isSynced: watching.isSynced,
    synced: watching.synced,
    close: () => watching.close(),
  }
}

function factsOf({ metadata }: KubernetesObject): NamespaceFacts {
  const annotations = Object.entries(metadata.annotations ?? NONE).filter(
    ([, value]) => value.length <= LONGEST_ANNOTATION,
  )
  return {
    labels: metadata.labels ?? NONE,
    annotations: annotations.length === 0 ? NONE : Object.fromEntries(annotations),
  }
}

/** What it resolves to; UNKNOWN_LABELS when it fails or takes too long. */
async function withinTime(promise: Promise<Texts>): Promise<Texts> {
  const late = Promise.withResolvers<Texts>()
  const timer = setTimeout(() => late.resolve(UNKNOWN_LABELS), TIME_LIMIT).unref()
  try {
    return await Promise.race([promise.catch(() => UNKNOWN_LABELS), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
