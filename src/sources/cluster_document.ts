import { apiVersionOf, type KubernetesObject, type ResourceName } from '../cluster/index.ts'
import { formatPath, type ObjectDocument } from '../policies/index.ts'

/** An object of the cluster as far as policies are made of it. */
export type SpecObject = KubernetesObject & { readonly spec?: unknown }

/**
 * An object of the cluster in the place of one from a file. Reading fills in defaults, so that it
 * gets a copy; and nothing of the rest of the object is kept.
 */
export function documentOf(
  { metadata: { name, namespace }, spec }: SpecObject,
  resource: ResourceName,
  title: string,
): ObjectDocument {
  return {
    value: {
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: namespace === undefined ? { name } : { name, namespace },
      spec: structuredClone(spec),
    },
    position: { file: title },
    locate: (path) =>
      path.length === 0 ? { file: title } : { file: title, field: formatPath(path) },
  }
}
