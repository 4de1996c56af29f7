import type { KubernetesObject } from '../cluster/index.ts'
import { parseImageId, type RunningImage } from './image_id.ts'

/** What pods of one workload run under one image, as it stands in them. */
export interface RunningContainer {
  readonly container: string
  /** the image that the pods ask for */
  readonly image: string
  /** what they run; each once, some if there are very many */
  readonly running: readonly RunningImage[]
}

/** What the pods of workloads run, by the keys of their owners. */
export interface Running {
  /** A pod of an owner; the pod itself is not kept. */
  add(owner: string, pod: KubernetesObject): void
  /** What belongs to one belongs to another: the pods of a ReplicaSet are its Deployment's. */
  move(from: string, to: string): void
  /** What an owner's pods run; it is forgotten then. */
  take(owner: string): readonly RunningContainer[]
  /** of some pods it is not known, as there are too many */
  readonly isCut: () => boolean
}

const MOST_OWNERS = 200_000
/** Of one owner: containers, each with some images in the course of a rollout. */
const MOST_CONTAINERS = 64
const MOST_DIGESTS = 8

type Containers = Map<string, { container: string; image: string; running: RunningImage[] }>

export function createRunning(): Running {
  const owners = new Map<string, Containers>()
  let isCut = false

  function containersOf(owner: string): Containers | undefined {
    const known = owners.get(owner)
    if (known) return known
    if (owners.size >= MOST_OWNERS) {
      isCut = true
      return undefined
    }
    const made: Containers = new Map()
    owners.set(owner, made)
    return made
  }

  function put(containers: Containers, { container, image, running }: RunningContainer): void {
    const key = `${container} ${image}`
    const known = containers.get(key)
    if (!known && containers.size >= MOST_CONTAINERS) return
    const entry = known ?? { container, image, running: [] }
    if (!known) containers.set(key, entry)
    for (const each of running) {
      const isKnown = entry.running.some(({ digest }) => digest === each.digest)
      if (!isKnown && entry.running.length < MOST_DIGESTS) entry.running.push(each)
    }
  }

  return {
    add(owner, pod) {
      const found = containersIn(pod)
      const containers = found.length === 0 ? undefined : containersOf(owner)
      if (containers) for (const each of found) put(containers, each)
    },
    move(from, to) {
      const moved = owners.get(from)
      if (!moved) return
      owners.delete(from)
      const there = owners.get(to)
      if (there) for (const each of moved.values()) put(there, each)
      else owners.set(to, moved)
    },
    take(owner) {
      const taken = owners.get(owner)
      owners.delete(owner)
      return taken ? [...taken.values()] : []
    },
    isCut: () => isCut,
  }
}

interface PodPart {
  readonly name?: unknown
  readonly image?: unknown
  readonly imageID?: unknown
}

/** The containers of a pod that run, or have run, as its node says. */
export function containersIn(pod: KubernetesObject): RunningContainer[] {
  const { spec, status, metadata } = pod as KubernetesObject & {
    readonly spec?: Readonly<Record<string, unknown>> | null
    readonly status?: Readonly<Record<string, unknown>> | null
  }
  if (metadata.deletionTimestamp !== undefined) return []
  if (status?.['phase'] === 'Succeeded' || status?.['phase'] === 'Failed') return []
  const images = new Map<string, string>()
  for (const list of ['containers', 'initContainers']) {
    for (const { name, image } of partsOf(spec?.[list])) {
      if (typeof name === 'string' && typeof image === 'string') images.set(name, image)
    }
  }
  const found: RunningContainer[] = []
  for (const list of ['containerStatuses', 'initContainerStatuses']) {
    for (const { name, imageID } of partsOf(status?.[list])) {
      const running = parseImageId(imageID)
      const image = typeof name === 'string' ? images.get(name) : undefined
      if (running && image !== undefined) {
        found.push({ container: name as string, image, running: [running] })
      }
    }
  }
  return found
}

function partsOf(list: unknown): readonly PodPart[] {
  if (!Array.isArray(list)) return []
  return list.filter((each) => typeof each === 'object' && each !== null)
}
