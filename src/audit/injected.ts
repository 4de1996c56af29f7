import type { ReviewOptions } from '../admission/index.ts'
import { type KubernetesObject, PODS, type ResourceName, typeMetaOf } from '../cluster/index.ts'
import { podSpecKeys, pullIdentity, valueAt } from '../images/index.ts'
import { type JudgedImage, judge } from './judgement.ts'
import { CONTAINER_LISTS, type RunningContainer } from './running.ts'
import { isSettled } from './settled.ts'

const KUBERNETES = 'system:kube-controller-manager'
const OPERATOR = 'system:serviceaccount:'
const WORDS = 'Its pods have this container and the workload does not: it was injected.'
const ROLLING = 'Its pods have this container and the workload does not (any more).'

/** So long facts that nobody knows yet are waited for, in ms. */
export const FACTS_WITHIN = 20_000

/** Judges an object as if it were applied now, and what its pods run beside what it says. */
export async function judgeRunning(
  resource: ResourceName,
  object: KubernetesObject,
  running: readonly RunningContainer[],
  options: ReviewOptions,
): Promise<readonly JudgedImage[]> {
  const { clock = Date.now } = options
  const deadline = clock() + FACTS_WITHIN
  const own = await judge(resource, object, options, deadline)
  return [...own, ...(await judgeInjected(resource, object, own, running, options, deadline))]
}

/**
 * Judges what pods run and their workload does not say: sidecars that a webhook injects, containers
 * that somebody adds to debug. Each is judged as the webhook judges it, in a Pod that a controller
 * makes of the workload.
 *
 * @param own the images that stand in the workload
 */
async function judgeInjected(
  resource: ResourceName,
  object: KubernetesObject,
  own: readonly JudgedImage[],
  running: readonly RunningContainer[],
  options: ReviewOptions,
  deadline: number,
): Promise<readonly JudgedImage[]> {
  const names = new Set(own.map(({ occurrence }) => occurrence.name))
  const keys = podSpecKeys(resource)
  // An operator makes containers, with names of its own, of images that stand in its object.
  const said = new Set(keys ? [] : own.map(({ occurrence }) => occurrence.value))
  const added = running.filter(({ container, image }) => !names.has(container) && !said.has(image))
  if (added.length === 0) return []
  const pod = podOf(resource, object, keys ?? [], added)
  const images = await judge(PODS, pod, options, deadline, keys ? KUBERNETES : OPERATOR)
  // once its rollout is over, what else pods have, nobody has taken out of it
  const words = isSettled(resource, object) ? WORDS : ROLLING
  return images.map(({ occurrence, question, findings }, index) => ({
    occurrence: { ...occurrence, pointer: `/injected/${index}`, field: `injected[${index}]` },
    question,
    findings: findings.map((each) => ({ ...each, message: `${each.message} ${words}` })),
    change: undefined,
  }))
}

/** A Pod of the workload that has these containers only. */
function podOf(
  resource: ResourceName,
  object: KubernetesObject,
  podSpec: readonly string[],
  added: readonly RunningContainer[],
): KubernetesObject {
  const { name, namespace, uid } = object.metadata
  const template = podSpec.slice(0, -1).map((key) => `/${key}`)
  const labels = valueAt(object, `${template.join('')}/metadata/labels`) as Labels | undefined
  const owner = { ...typeMetaOf(resource), name, uid }
  const identity = pullIdentity(object, resource)
  const pod = {
    metadata: {
      ...{ name, labels, ownerReferences: [{ ...owner, controller: true }] },
      ...(namespace !== undefined && { namespace }),
    },
    spec: {
      serviceAccountName: identity?.serviceAccountName,
      imagePullSecrets: identity?.imagePullSecrets.map((secret) => ({ name: secret })),
      ...Object.fromEntries(
        CONTAINER_LISTS.map((list) => [
          list,
          added
            .filter((each) => each.list === list)
            .map(({ container, image }) => ({ name: container, image })),
        ]),
      ),
    },
  }
  return pod as KubernetesObject
}

type Labels = KubernetesObject['metadata']['labels']
