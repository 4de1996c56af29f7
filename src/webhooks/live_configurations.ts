import {
  type Cluster,
  MUTATING_WEBHOOK_CONFIGURATIONS,
  type ResourceName,
  VALIDATING_WEBHOOK_CONFIGURATIONS,
} from '../cluster/index.ts'
import type { WebhookConfiguration } from './types.ts'

export const CONFIGURATIONS = {
  mutating: MUTATING_WEBHOOK_CONFIGURATIONS,
  validating: VALIDATING_WEBHOOK_CONFIGURATIONS,
} as const satisfies Record<string, ResourceName>

export type Hook = keyof typeof CONFIGURATIONS

/** The two configurations as they are in the cluster. */
export interface LiveConfigurations {
  get(hook: Hook): WebhookConfiguration | undefined
  /** whether what is not there is known to be missing */
  readonly synced: () => boolean
  /** why the API server can't be asked; undefined: it can */
  readonly problem: () => Error | undefined
}

/** Watches them, by name: no right to others is needed. `onChange` also tells of `synced`. */
export function watchConfigurations(
  cluster: Cluster,
  name: string,
  signal: AbortSignal,
  onChange: () => void,
): LiveConfigurations {
  const live = new Map<Hook, WebhookConfiguration>()
  const problems = new Map<Hook, Error>()
  const options = { fieldSelector: `metadata.name=${name}`, signal }
  const watches = (['mutating', 'validating'] as const).map((hook) =>
    cluster.watch<WebhookConfiguration>(CONFIGURATIONS[hook], options, {
      upsert: (object) => {
        live.set(hook, object)
        onChange()
      },
      remove: () => {
        live.delete(hook)
        onChange()
      },
      problem: (error) => {
        problems.set(hook, error)
        onChange()
      },
      recovered: () => {
        problems.delete(hook)
        onChange()
      },
    }),
  )
  for (const each of watches) {
    void each.synced.then(onChange, () => {})
    signal.addEventListener('abort', () => void each.close(), { once: true })
  }
  return {
    get: (hook) => live.get(hook),
    synced: () => watches.every((each) => each.isSynced()),
    problem: () => [...problems.values()][0],
  }
}
