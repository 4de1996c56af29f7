import {
  type Cluster,
  ClusterError,
  hasReason,
  type KubernetesObject,
  type OwnerReference,
  SECRETS,
} from '../cluster/index.ts'
import { TagwardenError } from '../errors.ts'
import { type CertificateStore, FILE_NAMES, type FileChanges, type Stored } from './types.ts'

/** Fingerprints of the CAs that every webhook configuration holds. */
const TRUSTED_ANNOTATION = 'tagwarden.io/trusted-authorities'
const FIELD_MANAGER = 'tagwarden'

interface Secret extends KubernetesObject {
  readonly type?: string
  readonly data?: Readonly<Record<string, string>>
}

/** Where the Secret is. */
export interface SecretPlace {
  readonly cluster: Cluster
  readonly namespace: string
  readonly name: string
  /** of a Secret that is made */
  readonly labels?: Readonly<Record<string, string>>
  /** what a Secret that is made belongs to, and is deleted with */
  readonly owner?: () => Promise<OwnerReference | undefined>
  /** false where nobody will ever call `noteTrusted`; true unless told */
  readonly awaitsTrust?: boolean
}

/**
 * A Secret of type kubernetes.io/tls that all replicas share. Each write says which version it is
 * meant for, so that of several replicas one makes the certificates and the others take them.
 * The last version seen is kept: only a write asks the API server.
 *
 * @example
 *   const store = secretStore({ cluster, namespace: 'tagwarden', name: 'tagwarden-certificates' })
 */
export function secretStore(options: SecretPlace): CertificateStore {
  const { cluster, namespace, name, labels, awaitsTrust = true } = options
  const place = `Secret ${namespace}/${name}`
  const key = { namespace, name }
  /** undefined: not known; null: there is none */
  let known: Secret | null | undefined
  let watched = () => false

  async function latest(): Promise<Secret | null> {
    if (known === undefined || !watched()) {
      known = (await cluster.get<Secret>(SECRETS, key)) ?? null
    }
    return known
  }

  /** The answer to a write may come later than the notice of it. */
  function learn(secret: Secret): void {
    if (!known || isNewer(secret, known)) {
      known = secret
    }
  }

  /** A notice may come late; but after a restore from a backup, versions begin anew. */
  function notice(secret: Secret): void {
    if (!known || isNewer(secret, known)) {
      known = secret
    } else if (secret.metadata.resourceVersion !== known.metadata.resourceVersion) {
      known = undefined
    }
  }

  async function put(changes: FileChanges, seen: Stored): Promise<Secret> {
    const data = Object.fromEntries(
      changes.map(([file, text]) => [file, Buffer.from(text).toString('base64')]),
    )
    const trusted = [...(seen.trusted ?? [])].join(',')
    const annotations = trusted === '' ? {} : { [TRUSTED_ANNOTATION]: trusted }
    const manager = { fieldManager: FIELD_MANAGER }
    if (seen.version === '') {
      const owner = await options.owner?.()
      const metadata = {
        ...{ ...key, annotations },
        ...(labels && { labels }),
        ...(owner && { ownerReferences: [owner] }),
      }
      const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data }
      return cluster.create<Secret>(SECRETS, secret, manager)
    }
    const old = known ?? undefined
    if (old?.metadata.resourceVersion !== seen.version) {
      throw new ClusterError(`${place} has changed`, { answer: 409, reason: 'Conflict' })
    }
    const metadata = {
      ...old.metadata,
      annotations: { ...old.metadata.annotations, ...annotations },
    }
    return cluster.replace<Secret>(
      SECRETS,
      { ...old, metadata, data: { ...old.data, ...data } },
      manager,
    )
  }

  return {
    place,
    restores: true,
    read: async () => toStored(await latest(), awaitsTrust),
    write: async (changes, seen) => {
      try {
        learn(await put(changes, seen))
        return 'written'
      } catch (error) {
        const lost = ['Conflict', 'AlreadyExists', 'NotFound'].some((each) =>
          hasReason(error, each),
        )
        if (!lost) {
          throw error
        }
        known = undefined
        return 'conflict'
      }
    },
    noteTrusted: async (fingerprints) => {
      const value = [...fingerprints].sort().join(',')
      const secret = await latest()
      if (!secret || secret.metadata.annotations?.[TRUSTED_ANNOTATION] === value) {
        return
      }
      const body = { metadata: { annotations: { [TRUSTED_ANNOTATION]: value } } }
      const options = { fieldManager: FIELD_MANAGER }
      learn(await cluster.patch<Secret>(SECRETS, key, { type: 'merge', body }, options))
    },
    watch: (onChange, onProblem) => {
      const options = { namespace, fieldSelector: `metadata.name=${name}` }
      let failing = false
      const watching = cluster.watch<Secret>(SECRETS, options, {
        upsert: (secret) => {
          notice(secret)
          onChange()
        },
        remove: () => {
          known = null
          onChange()
        },
        problem: (error) => {
          failing = true
          onProblem(
            error instanceof TagwardenError
              ? error
              : new TagwardenError('ERR_CLUSTER', error.message, { cause: error }),
          )
        },
        recovered: () => {
          failing = false
          onChange()
        },
      })
      watched = () => watching.isSynced() && !failing
      return () => {
        watched = () => false
        void watching.close()
      }
    },
  }
}

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
function isNewer({ metadata: next }: Secret, { metadata: old }: Secret): boolean {
  const [after, before] = [next.resourceVersion ?? '', old.resourceVersion ?? '']
  return after.length === before.length ? after > before : after.length > before.length
}

/** An empty text counts as none: a Secret of this type can't do without its keys. */
function toStored(secret: Secret | null, awaitsTrust: boolean): Stored {
  const texts = FILE_NAMES.map((file) => {
    const text = Buffer.from(secret?.data?.[file] ?? '', 'base64').toString()
    return [file, text === '' ? undefined : text]
  })
  const noted = secret?.metadata.annotations?.[TRUSTED_ANNOTATION]
  return {
    files: Object.fromEntries(texts),
    version: secret?.metadata.resourceVersion ?? '',
    trusted: awaitsTrust ? new Set(noted?.split(',').filter((each) => each !== '')) : undefined,
  }
}
