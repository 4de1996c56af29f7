import { LRUCache } from 'lru-cache'
import {
  type Cluster,
  hasReason,
  type KubernetesObject,
  type ListOptions,
  SECRETS,
  SERVICE_ACCOUNTS,
  type Watching,
} from '../cluster/index.ts'
import { localNames } from '../images/index.ts'
import type { RegistryAccess } from '../registry/types.ts'
import { makeAccess } from './access.ts'
import { type AccessParts, accessId, secretsOf } from './access_id.ts'
import { PULL_SECRET_TYPES, type Secret } from './held_secret.ts'
import { createShelf, type Shelf } from './shelf.ts'
import type { CredentialLog } from './types.ts'

/** What may be read of one namespace. */
export interface Reach {
  /** all pull secrets, and the service accounts */
  readonly whole: boolean
  /** Secrets by name, whatever their type */
  readonly names: ReadonlySet<string>
}

/** One namespace, as far as it may be read. */
export interface Space {
  readonly shelf: Pick<Shelf, 'get'>
  /** names of the pull secrets of a service account */
  accountSecrets(account: string): readonly string[]
  /** Remembered until one of its Secrets changes. */
  access(parts: AccessParts): RegistryAccess | undefined
  /** Follows what is within reach from now on, and forgets the rest. */
  follow(reach: Reach): void
  /** whether each list is there, or refused */
  isReady(): boolean
  ready(): Promise<void>
  close(): Promise<void>
}

interface ServiceAccount extends KubernetesObject {
  readonly imagePullSecrets?: unknown
}

/** So many accesses of one namespace are remembered. */
const MOST_ACCESSES = 1_000
const ACCOUNTS = 'accounts'
const NONE: readonly string[] = []

export function createSpace(options: {
  readonly cluster: Pick<Cluster, 'watch'>
  readonly namespace: string
  readonly log: CredentialLog
  /** a Secret has come, has changed or is gone: these accesses are others now */
  readonly changed: (name: string, ids: readonly string[]) => void
}): Space {
  const { cluster, namespace, log } = options
  const watches = new Map<string, { watching: Watching; giveUp: () => void }>()
  const waiting = new Map<string, Promise<void>>()
  const accounts = new Map<string, readonly string[]>()
  const made = new LRUCache<string, { parts: AccessParts; access?: RegistryAccess | undefined }>({
    max: MOST_ACCESSES,
  })
  const shelf = createShelf(namespace, {
    problem: (name, message) => log.warn({ secret: `${namespace}/${name}` }, message),
    changed(name) {
      const ids = new Set([accessId({ namespace, secret: name, insecure: false })])
      for (const [id, { parts }] of [...made.entries()]) {
        if (!secretsOf(parts).includes(name)) continue
        ids.add(id)
        made.delete(id)
      }
      options.changed(name, [...ids])
    },
  })

  function open(watch: string): void {
    const refused = Promise.withResolvers<void>()
    const told = {
      problem(error: Error) {
        log.warn({ namespace }, `${titleOf(watch, namespace)} cannot be read: ${wordsFor(error)}`)
        if (hasReason(error, 'Forbidden')) refused.resolve()
      },
      recovered: () => log.info({ namespace }, `${titleOf(watch, namespace)} can be read again`),
    }
    const watching =
      watch === ACCOUNTS
        ? cluster.watch<ServiceAccount>(
            SERVICE_ACCOUNTS,
            { namespace },
            {
              ...told,
              upsert({ metadata, imagePullSecrets }) {
                const names = localNames(imagePullSecrets)
                if (names.length > 0) accounts.set(metadata.name, names)
                else accounts.delete(metadata.name)
              },
              remove: ({ name }) => void accounts.delete(name),
            },
          )
        : cluster.watch<Secret>(SECRETS, selection(watch, namespace), {
            ...told,
            upsert: (secret) => watches.has(watch) && shelf.put(watch, secret),
            remove: ({ name }) => shelf.remove(watch, name),
          })
    watches.set(watch, { watching, giveUp: refused.resolve })
    const wait = Promise.race([watching.synced, refused.promise]).finally(() => {
      if (waiting.get(watch) === wait) waiting.delete(watch)
    })
    waiting.set(watch, wait)
  }

  function shut(watch: string): Promise<void> | undefined {
    const { watching, giveUp } = watches.get(watch) ?? {}
    watches.delete(watch)
    giveUp?.()
    waiting.delete(watch)
    if (watch === ACCOUNTS) accounts.clear()
    else shelf.removeAll(watch)
    return watching?.close()
  }

  return {
    shelf,
    accountSecrets: (account) => accounts.get(account) ?? NONE,
    access(parts) {
      const id = accessId(parts)
      const known = made.get(id)
      if (known) return known.access
      const access = makeAccess(parts, shelf.get)
      made.set(id, { parts, access })
      return access
    },
    follow({ whole, names }) {
      const wanted = new Set([
        ...(whole ? [...PULL_SECRET_TYPES.map((type) => `type=${type}`), ACCOUNTS] : []),
        ...[...names].map((name) => `metadata.name=${name}`),
      ])
      for (const watch of wanted) if (!watches.has(watch)) open(watch)
      for (const watch of [...watches.keys()]) if (!wanted.has(watch)) void shut(watch)
    },
    isReady: () => waiting.size === 0,
    async ready() {
      while (waiting.size > 0) await Promise.all(waiting.values())
    },
    async close() {
      await Promise.all([...watches.keys()].map(shut))
    },
  }
}

function selection(fieldSelector: string, namespace: string): ListOptions {
  return { namespace, fieldSelector }
}

function titleOf(watch: string, namespace: string): string {
  if (watch === ACCOUNTS) return `the service accounts of ${namespace}`
  const name = watch.startsWith('metadata.name=') ? watch.slice('metadata.name='.length) : undefined
  return name === undefined ? `the pull secrets of ${namespace}` : `Secret ${namespace}/${name}`
}

function wordsFor(error: Error): string {
  return hasReason(error, 'Forbidden')
    ? 'the API server forbids it. Grant get, list and watch there, as docs/tenancy.md shows; until then it counts as if it were not there'
    : `${error.message}. What was read before stays in use`
}
