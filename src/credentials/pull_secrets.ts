import { type Cluster, hasReason, type KubernetesObject, NAMESPACES } from '../cluster/index.ts'
import type { ClusterSettings } from '../config/index.ts'
import type { RegistryAccess } from '../registry/types.ts'
import { entryOf, missing } from './access.ts'
import { type AccessParts, accessId, parseAccessId, partsOf } from './access_id.ts'
import { createReferences } from './references.ts'
import { createRefusals } from './refusals.ts'
import { createSpace, type Space } from './space.ts'
import type { CredentialLog, PullSecrets } from './types.ts'

/** Label of namespaces that let their pull secrets be read. */
export const OPT_IN_LABEL = 'tagwarden.io/pull-secrets'

export interface PullSecretsOptions {
  readonly cluster: Pick<Cluster, 'watch'>
  /** Tagwarden's own */
  readonly namespace: string
  readonly settings: ClusterSettings['pullSecrets']
  /**
   * Id of the access by which the ImageRepository of a namespace reads a repository; undefined when
   * there is none, or it has none of its own.
   */
  readonly imageRepository?: ((namespace: string, name: string) => string | undefined) | undefined
  readonly log: CredentialLog
}

/**
 * Follows the pull secrets that Tagwarden may read: those of the namespaces that opt in (by the
 * settings, or by the label `tagwarden.io/pull-secrets: "true"`), those that the settings name, and
 * the installation's own. What it may not read is told once, and counts as if it were not there.
 *
 * @example
 *   const secrets = createPullSecrets({ cluster, namespace: 'tagwarden', settings, log })
 *   await secrets.ready('shop')
 *   secrets.accessFor(
 *     { namespace: 'shop', serviceAccountName: 'default', imagePullSecrets: ['regcred'] },
 *     'ghcr.io/acme/web',
 *   ) // { id: 'shop/regcred', … }
 */
export function createPullSecrets(options: PullSecretsOptions): PullSecrets {
  const { cluster, namespace: own, settings, log, imageRepository } = options
  const listeners = new Set<(accessId: string | undefined) => void>()
  const spaces = new Map<string, Space>()
  const labelled = new Set<string>()
  const listed = new Set(settings.namespaces)
  const named = new Map<string, Set<string>>([[own, new Set(settings.installation)]])
  for (const each of settings.secrets) {
    const [namespace = '', name = ''] = each.split('/')
    named.set(namespace, (named.get(namespace) ?? new Set()).add(name))
  }
  const references = createReferences()
  const refusals = createRefusals()
  const refused = Promise.withResolvers<void>()
  let closed = false

  const isWhole = (namespace: string) => listed.has(namespace) || labelled.has(namespace)

  function mayRead(namespace: string, name: string): boolean {
    return namespace === own || isWhole(namespace) || named.get(namespace)?.has(name) === true
  }

  /** Brings what is followed of a namespace in line with what may be read of it. */
  function reach(namespace: string): void {
    if (closed) return
    const whole = isWhole(namespace)
    const wanted = references.of(namespace).filter((name) => mayRead(namespace, name))
    const names = new Set([...(named.get(namespace) ?? []), ...wanted])
    const space = spaces.get(namespace)
    if (whole || names.size > 0) (space ?? openSpace(namespace)).follow({ whole, names })
    else if (space) {
      spaces.delete(namespace)
      void space.close()
    }
  }

  function openSpace(namespace: string): Space {
    const space = createSpace({
      cluster,
      namespace,
      log,
      changed(name, ids) {
        for (const id of ids) refusals.forget(id)
        const installation = namespace === own && settings.installation.includes(name)
        for (const listener of listeners) {
          for (const id of ids) listener(id)
          if (installation) listener(undefined)
        }
      },
    })
    spaces.set(namespace, space)
    return space
  }

  const optIns = cluster.watch<KubernetesObject>(
    NAMESPACES,
    { labelSelector: `${OPT_IN_LABEL}=true` },
    {
      upsert({ metadata }) {
        labelled.add(metadata.name)
        reach(metadata.name)
      },
      remove({ name }) {
        labelled.delete(name)
        reach(name)
      },
      problem(error) {
        log.warn({}, `namespaces that opt in cannot be followed: ${error.message}`)
        if (hasReason(error, 'Forbidden')) refused.resolve()
      },
    },
  )
  let optInsKnown = false
  const known = Promise.race([optIns.synced, refused.promise]).then(() => {
    optInsKnown = true
  })
  for (const namespace of new Set([...named.keys(), ...listed])) reach(namespace)

  async function ready(namespace: string): Promise<void> {
    await known
    await spaces.get(namespace)?.ready()
  }

  function access(id: string): RegistryAccess | undefined {
    const parts = parseAccessId(id)
    return parts && spaces.get(parts.namespace)?.access(parts)
  }

  /** A Docker configuration without an entry for a repository says nothing of it. */
  function fits({ namespace, secret }: AccessParts, name: string): boolean {
    if (secret === undefined) return true
    const held = spaces.get(namespace)?.shelf.get(secret)
    const [host, path] = splitName(name)
    return held !== undefined && (held.login ?? entryOf(held, host, path)) !== undefined
  }

  function problemOf(namespace: string, name: string, lacks: string): string {
    const title = `Secret ${namespace}/${name}`
    const secret = spaces.get(namespace)?.shelf.get(name)
    if (secret) return secret.problems[0] ?? `${title} has no ${lacks}`
    if (!mayRead(namespace, name)) {
      return `${title} may not be read. Label the namespace ${OPT_IN_LABEL}=true, or name the Secret in cluster.pullSecrets.secrets`
    }
    return isReady(namespace)
      ? `${title} is not there, or Tagwarden has no right to read it`
      : `${title} is not read yet`
  }

  function isReady(namespace: string): boolean {
    return optInsKnown && (spaces.get(namespace)?.isReady() ?? true)
  }

  return {
    accessFor({ namespace, serviceAccountName, imagePullSecrets }, name) {
      const space = spaces.get(namespace)
      if (space) {
        const [host, path] = splitName(name)
        let first: string | undefined
        for (const names of [imagePullSecrets, space.accountSecrets(serviceAccountName ?? '')]) {
          for (const secret of names) {
            const held = space.shelf.get(secret)
            if (!held || entryOf(held, host, path) === undefined) continue
            const parts = { namespace, secret, insecure: false }
            if (!refusals.has(accessId(parts), name)) return space.access(parts)
            first ??= secret
          }
        }
        if (first !== undefined) return space.access({ namespace, secret: first, insecure: false })
      }
      const id = imageRepository?.(namespace, name)
      const parts = id === undefined ? undefined : parseAccessId(id)
      return parts && fits(parts, name) ? access(accessId(parts)) : undefined
    },
    access,
    noteRefused: refusals.note,
    repositoryAccess(namespace, reading) {
      const parts = partsOf(namespace, reading)
      if (parts === undefined) return { id: undefined, problem: undefined }
      const id = accessId(parts)
      const space = spaces.get(namespace)
      const fault = missing(parts, (name) => space?.shelf.get(name))
      if (fault) return { id, problem: problemOf(namespace, fault.name, fault.lacks) }
      const [host] = splitName(reading.name)
      return {
        id,
        problem: fits(parts, reading.name)
          ? undefined
          : `Secret ${namespace}/${parts.secret} has no entry for ${host}`,
      }
    },
    refer(owner, namespace, names) {
      for (const each of references.set(owner, namespace, names)) reach(each)
    },
    installation(host, path) {
      const shelf = spaces.get(own)?.shelf
      for (const name of settings.installation) {
        const held = shelf?.get(name)
        const entry = held && entryOf(held, host, path)
        if (entry) return entry
      }
      return undefined
    },
    reads: (namespace) => !optInsKnown || spaces.has(namespace) || imageRepository !== undefined,
    isReady,
    ready,
    synced: known.then(async () => {
      await Promise.all([...spaces.values()].map((space) => space.ready()))
    }),
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      closed = true
      listeners.clear()
      refused.resolve()
      await Promise.all([optIns.close(), ...[...spaces.values()].map((space) => space.close())])
      spaces.clear()
    },
  }
}

function splitName(name: string): readonly [host: string, path: string] {
  const slash = name.indexOf('/')
  return [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)]
}
