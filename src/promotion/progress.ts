import {
  CLUSTER_IMAGE_POLICIES,
  type Cluster,
  IMAGE_POLICIES,
  type KubernetesObject,
} from '../cluster/index.ts'
import type { CompiledPolicy } from '../policies/index.ts'
import { type Moving, versionOf } from './doubt.ts'

/** A status is written at most so often while a wave runs, in ms. */
const APART = 30_000

/** Writes `lastPromotion` into a policy's status. */
export interface Progress {
  /** A workload was moved. */
  note(images: readonly Moving[]): Promise<void>
  /** Writes what is not written yet. Never rejects: a status is not worth a promotion. */
  flush(): Promise<void>
}

interface LastPromotion {
  readonly time: string
  readonly image: string
  readonly tag: string
  readonly count: number
}

/** @param inCluster whether the policy has an object there */
export function createProgress(
  cluster: Cluster,
  policy: CompiledPolicy,
  inCluster: boolean,
  clock: () => number,
): Progress {
  const resource = policy.kind === 'ImagePolicy' ? IMAGE_POLICIES : CLUSTER_IMAGE_POLICIES
  const { namespace, name } = policy
  let last: LastPromotion | undefined
  let written = Number.NEGATIVE_INFINITY
  let pending = false

  async function begin(image: string, tag: string): Promise<number> {
    const object = await cluster.get<PolicyObject>(resource, { namespace, name })
    const before = object?.status?.lastPromotion
    return before?.image === image && before.tag === tag ? Number(before.count) || 0 : 0
  }

  async function flush(): Promise<void> {
    if (!pending || !inCluster) return
    pending = false
    written = clock()
    const body = { status: { lastPromotion: last } }
    await cluster
      .patch(resource, { namespace, name }, { type: 'merge', body }, { subresource: 'status' })
      .catch(() => {})
  }

  return {
    async note(images) {
      for (const image of images) {
        const tag = versionOf(image)
        const same = last?.image === image.live.name && last.tag === tag
        const before = same
          ? (last?.count ?? 0)
          : inCluster
            ? await begin(image.live.name, tag).catch(() => 0)
            : 0
        const time = `${new Date(clock()).toISOString().slice(0, 19)}Z`
        last = { time, image: image.live.name, tag, count: before + 1 }
      }
      pending = true
      if (clock() - written >= APART) await flush()
    },
    flush,
  }
}

interface PolicyObject extends KubernetesObject {
  readonly status?: { readonly lastPromotion?: Partial<LastPromotion> }
}
