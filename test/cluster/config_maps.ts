import type { ResourceName } from '../../src/cluster/index.ts'

/** What every API server serves, and nobody else cares for. */
export const CONFIG_MAPS: ResourceName = Object.freeze({
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
})
