import type { Defaults } from '../decisions/index.ts'
import type { ImageField } from '../images/index.ts'
import type { RegistrySettings } from '../registry/index.ts'

/** All settings, complete and checked: paths are absolute, durations ms, sizes bytes. Frozen. */
export interface Config {
  /** the file that was read; undefined when there is none and the built-in defaults hold */
  readonly file: string | undefined
  readonly listen: {
    readonly address: string
    /** 0: any free one */
    readonly port: number
    /** bytes of one review */
    readonly bodyLimit: number
    /** ms from saying "not ready" to closing the door */
    readonly drainDelay: number
  }
  /** folders or files */
  readonly policies: readonly string[]
  readonly catalog: {
    /** undefined: memory only */
    readonly path: string | undefined
    /** ms between two scans of a repository */
    readonly interval: number
    /** tags that a repository may have */
    readonly tagLimit: number
  }
  readonly certificates: {
    readonly path: string
    /** DNS names and IP addresses beside 127.0.0.1 and localhost */
    readonly names: readonly string[]
  }
  /** whose reviews are answered */
  readonly clients: {
    /** undefined: everybody's */
    readonly certificateAuthority: string | undefined
    /** common names or subject alternative names; empty: all that the CA has signed */
    readonly names: readonly string[]
    readonly enforcement: 'Enforce' | 'Warn'
  }
  readonly cluster: ClusterSettings
  /** of what runs in the cluster, by the leader */
  readonly audit: {
    readonly mode: 'On' | 'Off'
    /** ms between two */
    readonly interval: number
  }
  readonly defaults: Defaults
  readonly annotations: { readonly prefix: string }
  readonly registries: readonly RegistrySettings[]
  readonly imageFields: readonly ImageField[]
  /** accounts of controllers that own what they make, beside Kubernetes' own */
  readonly controllers: readonly string[]
  /** ms that a review may take at most, whatever the API server allows */
  readonly deadline: number
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
    /** Auto: Text on a terminal, else Json */
    readonly format: 'Auto' | 'Json' | 'Text'
  }
}

/** How Tagwarden works with the cluster that it runs for. */
export interface ClusterSettings {
  readonly mode: 'Off' | 'On'
  /** undefined: the pod's service account */
  readonly kubeconfig: string | undefined
  readonly context: string | undefined
  /** undefined: the namespace of the service account, or of the context */
  readonly namespace: string | undefined
  /** of the Service, the Lease, the Secret and the webhook configurations */
  readonly name: string
  /** undefined: the name of the host */
  readonly identity: string | undefined
  /** ms */
  readonly leaseDuration: number
  /** whether the leader moves running workloads */
  readonly promotion: 'On' | 'Off'
  readonly certificates: 'Secret' | 'Folder'
  readonly webhooks: {
    readonly manage: 'Always' | 'Never'
    readonly caBundle: 'Own' | 'Injected'
    /** each `key=value` */
    readonly annotations: readonly string[]
    /** base URL; undefined: by the Service */
    readonly url: string | undefined
    readonly port: number
    /** ms, 1,000 to 30,000 */
    readonly timeout: number
    readonly excludedNamespaces: readonly string[]
    /** ms */
    readonly probeInterval: number
  }
  readonly pullSecrets: {
    readonly namespaces: readonly string[]
    /** each `namespace/name` */
    readonly secrets: readonly string[]
    /** names in the installation's own namespace */
    readonly installation: readonly string[]
  }
}
