import { setImmediate as turn } from 'node:timers/promises'
import { NAMESPACES, SECRETS, SERVICE_ACCOUNTS } from '../../src/cluster/index.ts'
import {
  createPullSecrets,
  OPT_IN_LABEL,
  type PullSecrets,
  type PullSecretsOptions,
} from '../../src/credentials/index.ts'
import type { RegistryAccess } from '../../src/registry/index.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'

export const WEB = 'ghcr.io/acme/web'

/** Pull secrets over a cluster in memory, and all that was logged of them. */
export interface Stage {
  readonly cluster: FakeCluster
  readonly secrets: PullSecrets
  /** every line with its fields as JSON */
  readonly log: string[]
  /** ids that changed */
  readonly changes: (string | undefined)[]
  /** Lets all watches tell what they have. */
  settle(): Promise<void>
  namespace(name: string, optsIn?: boolean): void
  /** a kubernetes.io/dockerconfigjson Secret with `user:password` for each host */
  pullSecret(namespace: string, name: string, logins: Record<string, string>): void
  secret(namespace: string, name: string, data: Record<string, string>, type?: string): void
  account(namespace: string, name: string, pullSecrets: readonly string[]): void
}

export function setStage(
  options: Partial<PullSecretsOptions> = {},
  cluster: FakeCluster = createFakeCluster({ namespace: 'tagwarden' }),
): Stage {
  const log: string[] = []
  const note = (level: string) => (fields: object, message: string) =>
    log.push(`${level} ${message} ${JSON.stringify(fields)}`)
  const secrets = createPullSecrets({
    cluster,
    namespace: 'tagwarden',
    log: { debug: note('debug'), info: note('info'), warn: note('warn') },
    ...options,
    settings: { namespaces: [], secrets: [], installation: [], ...options.settings },
  })
  const changes: (string | undefined)[] = []
  secrets.onChange((id) => changes.push(id))
  const stage: Stage = {
    cluster,
    secrets,
    log,
    changes,
    async settle() {
      for (let turns = 0; turns < 5; turns += 1) await turn()
    },
    namespace(name, optsIn = true) {
      const labels: Record<string, string> = optsIn ? { [OPT_IN_LABEL]: 'true' } : {}
      cluster.put(NAMESPACES, { metadata: { name, labels } })
    },
    pullSecret(namespace, name, logins) {
      const auths = Object.fromEntries(
        Object.entries(logins).map(([host, login]) => [host, { auth: base64(login) }]),
      )
      const data = { '.dockerconfigjson': JSON.stringify({ auths }) }
      stage.secret(namespace, name, data, 'kubernetes.io/dockerconfigjson')
    },
    secret(namespace, name, texts, type = 'Opaque') {
      const data = Object.fromEntries(
        Object.entries(texts).map(([key, text]) => [key, base64(text)]),
      )
      const secret = { metadata: { namespace, name }, type, data }
      cluster.put(SECRETS, secret)
    },
    account(namespace, name, pullSecrets) {
      const imagePullSecrets = pullSecrets.map((each) => ({ name: each }))
      const account = { metadata: { namespace, name }, imagePullSecrets }
      cluster.put(SERVICE_ACCOUNTS, account)
    },
  }
  return stage
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** A workload of the namespace shop. */
export function workload(imagePullSecrets: readonly string[] = [], serviceAccountName = 'default') {
  return { namespace: 'shop', serviceAccountName, imagePullSecrets }
}

/** `id user` of an access for a repository. */
export function loginOf(access: RegistryAccess | undefined, name = WEB): string | undefined {
  if (access === undefined) return undefined
  const slash = name.indexOf('/')
  const found = access.credential?.(name.slice(0, slash), name.slice(slash + 1))
  return `${access.id} ${found?.kind === 'basic' ? found.username : found?.kind}`
}
