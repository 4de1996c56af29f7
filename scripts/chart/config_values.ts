import { CONFIG_SCHEMA, type Setting } from '../../src/config/schema.ts'
import type { Value } from './value.ts'

/** What the chart itself says, by other values. */
export const CHART_MADE = [
  'listen.port',
  'listen.drainDelay',
  'catalog.path',
  'certificates.path',
  'clients',
  'audit.mode',
  'cluster.mode',
  'cluster.kubeconfig',
  'cluster.context',
  'cluster.namespace',
  'cluster.name',
  'cluster.identity',
  'cluster.promotion',
  'cluster.certificates',
  'cluster.webhooks.caBundle',
  'cluster.webhooks.url',
  'cluster.webhooks.port',
  'cluster.pullSecrets',
] as const

/** What may stand in the value `config`: all other settings. */
export function chartSettings(): Value {
  return remaining(CONFIG_SCHEMA, '') as Value
}

function remaining(setting: Setting, path: string): Record<string, unknown> {
  const { default: _, meaning, remedy, examples, properties, items, ...rest } = setting
  const below = Object.entries(properties ?? {})
    .map(([name, field]) => [name, field, path === '' ? name : `${path}.${name}`] as const)
    .filter(([, , full]) => !(CHART_MADE as readonly string[]).includes(full))
    .map(([name, field, full]) => [name, remaining(field, full)] as const)
    // A group of which nothing is left, such as catalog.path's.
    .filter(
      ([, field]) =>
        !('properties' in field) || Object.keys(field['properties'] as object).length > 0,
    )
  return {
    ...rest,
    ...(properties && { properties: Object.fromEntries(below) }),
    ...(items && { items: remaining(items, `${path}[]`) }),
  }
}
