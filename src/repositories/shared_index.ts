import { accessOfKey, type Catalog } from '../catalog/index.ts'
import { type Cluster, hasReason, IMAGE_REPOSITORIES } from '../cluster/index.ts'
import { type PullSecrets, repositoryAccessId } from '../credentials/index.ts'
import { describeError } from '../errors.ts'
import { readingOf } from './reading.ts'
import { idOf, mayConfigure } from './tracked.ts'
import type { ImageRepository } from './types.ts'

/** What was read of the index that the replicas of an installation share. */
export interface SharedIndex {
  /** The key under which a namespace's workloads know a repository, of those that are its own. */
  keyIn(namespace: string, name: string): string | undefined
  /** how many repositories are in the catalog by it */
  readonly size: number
}

/**
 * Takes the shared index into a catalog once, for a command that only looks: no Secret is read, and
 * nothing is followed.
 *
 * @param options.namespace the installation's own: what is read without a Secret counts from there
 * @param options.onProblem told why one is left out, or all
 * @throws ClusterError when the API server can't be asked
 */
export async function readSharedIndex(options: {
  readonly cluster: Pick<Cluster, 'pages'>
  readonly catalog: Pick<Catalog, 'adopt'>
  readonly namespace: string
  readonly onProblem: (message: string) => void
  readonly signal?: AbortSignal | undefined
  readonly clock?: () => number
}): Promise<SharedIndex> {
  const { cluster, catalog, namespace, onProblem, signal, clock = Date.now } = options
  const own = new Map<string, string>()
  let size = 0

  function take(object: ImageRepository): void {
    const { key } = readingOf(object, NO_SECRETS)
    const of = { id: idOf(object.metadata), object, key, settings: {}, fault: undefined }
    if (key === undefined || !mayConfigure({ ...of, isPending: false }, namespace)) return
    if (accessOfKey(key) !== undefined) {
      own.set(`${object.metadata.namespace} ${key.slice(0, key.indexOf(' '))}`, key)
    }
    const index = object.status?.index
    if (index === undefined) return
    try {
      catalog.adopt(key, Buffer.from(index, 'base64'), clock())
      size += 1
    } catch (error) {
      onProblem(describeError(error))
    }
  }

  try {
    const pages = cluster.pages<ImageRepository>(IMAGE_REPOSITORIES, { signal })
    for await (const page of pages) page.forEach(take)
  } catch (error) {
    if (hasReason(error, 'Forbidden')) onProblem(describeError(error))
    else if (!hasReason(error, 'NotFound')) throw error
  }
  return { keyIn: (of, name) => own.get(`${of} ${name}`), size }
}

/** Which access it is can be told without what is in it. */
const NO_SECRETS: Pick<PullSecrets, 'repositoryAccess' | 'isReady'> = {
  isReady: () => true,
  repositoryAccess: (namespace, reading) => ({
    id: repositoryAccessId(namespace, reading),
    problem: undefined,
  }),
}
