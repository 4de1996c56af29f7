import { stringify } from 'yaml'
import type { ControlPlane } from '../cluster/control-plane.ts'
import { awaitKinds } from '../cluster/kinds.ts'
import { NAMESPACE, only, render, type Values } from './helm.ts'

/** What a release of the chart leaves in a cluster, without its pods. */
export interface Installation {
  readonly namespace: string
  /** the program's cluster.name */
  readonly name: string
  /** path of a kubeconfig of the chart's service account, with the rights that pods have */
  readonly kubeconfig: string
  /** the tagwarden.yaml that pods have */
  readonly config: string
}

/** Kinds of the chart that would start something. */
const RUNNING = ['Deployment', 'Pod', 'PodDisruptionBudget']

/**
 * Applies what the chart makes: kinds, rights, Service, configuration. Programs that a test starts
 * with its kubeconfig may do what the pods may, and no more.
 *
 * @example
 *   const { kubeconfig } = await installWithoutPods(cluster, { pullSecrets: { namespaces: ['shop'] } })
 */
export async function installWithoutPods(
  cluster: ControlPlane,
  values: Values = {},
): Promise<Installation> {
  const objects = await render(values)
  const kubectl = async (args: string, input = '') => {
    const { code, stdout, stderr } = await cluster.kubectl(args.split(' '), { input })
    if (code !== 0) throw new Error(`kubectl ${args}: ${stderr}`)
    return stdout
  }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }
  await kubectl('apply -f -', stringify(namespace))
  const applied = objects.filter(({ kind }) => !RUNNING.includes(kind))
  const text = applied
    .map((each) => stringify(each, { aliasDuplicateObjects: false }))
    .join('---\n')
  await kubectl('apply --server-side --force-conflicts -f -', text)
  await awaitKinds(
    cluster,
    applied
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map((each) => each.metadata.name),
  )
  const { metadata, spec } = only(objects, 'Deployment')
  const account = spec.template.spec.serviceAccountName
  const kubeconfig = await cluster.kubeconfigFor(NAMESPACE, account)
  const map = only(objects, 'ConfigMap', metadata.name)
  return {
    namespace: NAMESPACE,
    name: metadata.name,
    kubeconfig,
    config: map['data']['tagwarden.yaml'],
  }
}
