import type { ClusterSettings } from './types.ts'

/**
 * Namespaces that are never asked about: what the cluster and Tagwarden need to start, and those of
 * the settings. Sorted.
 *
 * @param settings.namespace of the installation; undefined where it is not known
 */
export function excludedNamespaces({
  namespace,
  webhooks,
}: Pick<ClusterSettings, 'namespace' | 'webhooks'>): string[] {
  const own = namespace ?? []
  return [...new Set(['kube-system', ...webhooks.excludedNamespaces].concat(own))].sort()
}
