import type { KubernetesObject } from '../cluster/index.ts'
import { parseImageId, type RunningImage } from './image_id.ts'

/** The lists of containers that a pod has. */
export const CONTAINER_LISTS = ['containers', 'initContainers', 'ephemeralContainers'] as const

export type ContainerList = (typeof CONTAINER_LISTS)[number]

/** What pods of one workload run under one image, as it stands in them. */
export interface RunningContainer {
  readonly container: string
  readonly list: ContainerList
  /** the image that the pods ask for */
  readonly image: string
  /** what they run; each once, some if there are very many, none before it has started */
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

type Containers = Map<string, Omit<RunningContainer, 'running'> & { running: RunningImage[] }>

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

  function put(containers: Containers, { running, ...asked }: RunningContainer): void {
    const key = `${asked.container} ${asked.image}`
    const known = containers.get(key)
    if (!known && containers.size >= MOST_CONTAINERS) return
    const entry = known ?? { ...asked, running: [] }
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

/** The containers of a pod, with what they run or have run, as its node says. */
export function containersIn(pod: KubernetesObject): RunningContainer[] {
  const { spec, status, metadata } = pod as KubernetesObject & {
    readonly spec?: Readonly<Record<string, unknown>> | null
    readonly status?: Readonly<Record<string, unknown>> | null
  }
  if (metadata.deletionTimestamp !== undefined) return []
  if (status?.['phase'] === 'Succeeded' || status?.['phase'] === 'Failed') return []
  return CONTAINER_LISTS.flatMap((list) => {
    const states = partsOf(status?.[`${list.slice(0, -1)}Statuses`])
    return partsOf(spec?.[list]).flatMap(({ name, image }) => {
      if (typeof name !== 'string' || typeof image !== 'string') return []
      const state = states.find((each) => each.name === name)
      const running = parseImageId(state?.imageID)
      return { container: name, list, image, running: running ? [running] : [] }
    })
  })
}

function partsOf(list: unknown): readonly PodPart[] {
  if (!Array.isArray(list)) return []
  return list.filter((each) => typeof each === 'object' && each !== null)
}
