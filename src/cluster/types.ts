import type { ImageField } from '../images/types.ts'

/** How the API server is to call the webhooks. */
export interface Registration {
  /** base URL that the API server reaches, such as `https://127.0.0.1:8443` */
  readonly url: string
  /** PEM */
  readonly caBundle: string
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** 1 to 30 */
  readonly timeoutSeconds: number
  /** custom kinds that are to be sent too */
  readonly fields: readonly ImageField[]
}

/** A cluster as far as the webhook configurations go. */
export interface ClusterRegistration {
  /** the API server's URL */
  readonly server: string
  /** names of configurations that an earlier run left behind */
  leftOver(): Promise<string[]>
  /** Makes or replaces the configurations. */
  register(registration: Registration): Promise<void>
  /** Gives registered webhooks another CA bundle (PEM), without a moment in which there are none. */
  trust(caBundle: string): Promise<void>
  /** Removes them; what is gone already is no error. Returns what was removed. */
  unregister(): Promise<string[]>
}
