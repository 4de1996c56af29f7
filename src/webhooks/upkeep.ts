import type { Certificates } from '../certificates/index.ts'
import { type Cluster, findOwner, hasReason } from '../cluster/index.ts'
import { excludedNamespaces } from '../config/index.ts'
import { backoff } from '../scheduling/index.ts'
import { type ClosedNamespaces, type ClosingPolicy, closedNamespaces } from './closed_namespaces.ts'
import { webhookConfigurations } from './configuration.ts'
import { correction } from './difference.ts'
import { createLingering } from './lingering.ts'
import { CONFIGURATIONS, type Hook, type LiveConfigurations } from './live_configurations.ts'
import { createPatience } from './patience.ts'
import { createPublication } from './publication.ts'
import type { Installation, WebhookConfiguration } from './types.ts'

const HOOKS: readonly Hook[] = ['mutating', 'validating']
const FIELD_MANAGER = 'tagwarden'
/** Somebody else was faster: the watch tells of it, and this is for when it does not. */
const RETRY = 1_000
/** However often policies change, an API server loads no more configurations than one in so many ms. */
const APART = 1_000
const LONGEST = Number.POSITIVE_INFINITY
/** The ClusterRole may come back: it is looked for after so many ms, then ever more rarely. */
const FIRST_LEAVING = 2_000
const LEAVING = 30_000

export interface UpkeepOptions {
  readonly cluster: Cluster
  readonly installation: Installation
  readonly live: LiveConfigurations
  readonly policies: () => readonly ClosingPolicy[]
  readonly certificates: Pick<Certificates, 'current' | 'trusted' | 'noteTrusted'>
  /** their owner as it was when this process started, whoever led then */
  readonly owner?: object | undefined
  readonly clock: () => number
  readonly onWritten?: (hook: Hook, why: Why) => void
  /** somebody keeps changing a configuration; `by` is the field manager that wrote it last */
  readonly onQuarrel?: (hook: Hook, by: string | undefined) => void
}

/** made: it was missing; changed: it should be otherwise now; repaired: somebody else changed it */
export type Why = 'made' | 'changed' | 'repaired'

/** What one look at the configurations found. */
export interface Outcome {
  /** right: both are as they should be; leaving: the installation is being removed */
  readonly state: 'right' | 'written' | 'waiting' | 'leaving'
  /** ms until the next look, if nothing changes before; undefined: none is needed */
  readonly again: number | undefined
}

/**
 * Keeps the two webhook configurations right, one step at a time. Every write is for one version
 * of the object only, so that one who led before and wakes up late overwrites nothing.
 *
 * @returns one step; rejects with a ClusterError
 */
export function createUpkeep(options: UpkeepOptions): () => Promise<Outcome> {
  const { cluster, installation, live, policies, certificates, clock } = options
  const own = installation.webhooks.caBundle === 'Own'
  const excluded = new Set(excludedNamespaces(installation))
  const publication = createPublication(certificates)
  const patience = createPatience()
  const lingering = createLingering()
  const lastWanted = new Map<Hook, string>()
  /** when each was last changed */
  const changedAt = new Map<Hook, number>()
  let { owner } = options
  let ownerAsked = false
  let lookedInVain = 0

  /** Looks for the owner at the start, and again before something is made anew. */
  async function isLeaving(missing: boolean): Promise<boolean> {
    if (ownerAsked && !missing) {
      return false
    }
    const found = await findOwner(cluster, installation.name)
    const leaving = owner !== undefined && found === undefined
    ownerAsked = true
    owner = found ?? owner
    return leaving
  }

  /** Whether it was written; not when somebody else was faster. */
  async function write(hook: Hook, object: WebhookConfiguration): Promise<boolean> {
    const resource = CONFIGURATIONS[hook]
    const manager = { fieldManager: FIELD_MANAGER }
    try {
      await (live.get(hook)
        ? cluster.replace(resource, object, manager)
        : cluster.create(resource, object, manager))
      return true
    } catch (error) {
      if (['Conflict', 'AlreadyExists', 'NotFound'].some((each) => hasReason(error, each))) {
        return false
      }
      throw error
    }
  }

  function whyWritten(hook: Hook, wanted: string): Why {
    if (lastWanted.get(hook) === wanted) {
      return 'repaired'
    }
    return live.get(hook) ? 'changed' : 'made'
  }

  /** Writes one; gives the ms that have to pass first, if any have to. */
  async function correct(
    hook: Hook,
    object: WebhookConfiguration,
    wanted: string,
  ): Promise<number> {
    const now = clock()
    const why = whyWritten(hook, wanted)
    const since = now - (changedAt.get(hook) ?? Number.NEGATIVE_INFINITY)
    const wait =
      why === 'repaired' ? patience.wait(now) : since < 0 ? 0 : Math.max(0, APART - since)
    if (wait > 0) {
      return wait
    }
    const by = lastManager(live.get(hook))
    if (!(await write(hook, object))) {
      return RETRY
    }
    lastWanted.set(hook, wanted)
    if (why !== 'repaired') changedAt.set(hook, now)
    options.onWritten?.(hook, why)
    if (why === 'repaired') {
      patience.noteRepair(now)
      if (patience.quarrelling(now)) options.onQuarrel?.(hook, by)
    }
    return 0
  }

  /** New ones. Until another one writes the bundle, closed namespaces depend on this. */
  function made(closed: ClosedNamespaces, bundle: string | undefined) {
    const first = own ? bundle : certificates.current().ca
    return webhookConfigurations(installation, closed, first, owner)
  }

  return async () => {
    const now = clock()
    if (await isLeaving(HOOKS.some((hook) => live.get(hook) === undefined))) {
      lookedInVain += 1
      return { state: 'leaving', again: backoff(lookedInVain, FIRST_LEAVING, LEAVING) }
    }
    lookedInVain = 0
    const published = HOOKS.flatMap((hook) => bundlesOf(live.get(hook)))
    const bundle = own ? publication.plan(published, now) : undefined
    const closing = lingering.add(policies(), now)
    const closed = closedNamespaces(closing.policies, excluded)
    const wanted = webhookConfigurations(installation, closed, bundle, owner)
    const due = HOOKS.flatMap((hook) => {
      const present = live.get(hook)
      const object = present ? correction(present, wanted[hook], !own) : made(closed, bundle)[hook]
      return object ? [{ hook, object, wanted: JSON.stringify(wanted[hook]) }] : []
    })
    if (due.length === 0) {
      for (const hook of HOOKS) lastWanted.set(hook, JSON.stringify(wanted[hook]))
      const next = bundle === undefined ? undefined : await publication.announce(bundle, now)
      const again = Math.min(next ?? LONGEST, closing.again ?? LONGEST)
      return { state: 'right', again: again === LONGEST ? undefined : again }
    }
    if (bundle !== undefined) {
      await publication.announceLeaving(bundle, published)
    }
    const waits: number[] = []
    for (const each of due) waits.push(await correct(each.hook, each.object, each.wanted))
    const wait = Math.max(...waits)
    return wait > 0 ? { state: 'waiting', again: wait } : { state: 'written', again: RETRY }
  }
}

/** The CA bundles (PEM) of its webhooks; one without any has an empty one. */
function bundlesOf(configuration: WebhookConfiguration | undefined): string[] {
  const encoded = (configuration?.webhooks ?? []).map((each) => each.clientConfig.caBundle ?? '')
  return [...new Set(encoded)].map((each) => Buffer.from(each, 'base64').toString())
}

function lastManager(configuration: WebhookConfiguration | undefined): string | undefined {
  const entries = (configuration?.metadata.managedFields ?? []) as readonly {
    readonly manager?: string
    readonly time?: string
  }[]
  return entries
    .filter(({ manager }) => manager !== FIELD_MANAGER)
    .sort((one, other) => ((one.time ?? '') < (other.time ?? '') ? 1 : -1))[0]?.manager
}
