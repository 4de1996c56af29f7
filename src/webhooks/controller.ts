import type { Logger } from 'pino'
import type { Certificates } from '../certificates/index.ts'
import type { Cluster, EventRecorder } from '../cluster/index.ts'
import { type ClusterSettings, excludedNamespaces } from '../config/index.ts'
import { describeError } from '../errors.ts'
import type { ImageField } from '../images/index.ts'
import { backoff, createAutoResetEvent, pause } from '../scheduling/index.ts'
import { type ClosingPolicy, closedNamespaces } from './closed_namespaces.ts'
import { CONFIGURATIONS, watchConfigurations } from './live_configurations.ts'
import { createProbe, NOT_PROBED, type ProbeState } from './probe.ts'
import type { Installation } from './types.ts'
import { createUpkeep, type Outcome } from './upkeep.ts'

/** Changes that come together are written together. */
const GATHER = 100
const FIRST_RETRY = 1_000
const LONGEST_RETRY = 60_000
const LONGEST_WAIT = 3_600_000
/** A probe that fails is tried again before anybody is told: the API server may still be reading. */
const PROBE_RETRY = 2_000
const PROBE_ATTEMPTS = 3

export interface WebhookControllerOptions {
  readonly cluster: Cluster
  readonly settings: ClusterSettings
  /** of the installation */
  readonly namespace: string
  readonly policies: {
    current(): { readonly policies: readonly ClosingPolicy[] }
    /** Calls at each change. Returns how to end that. */
    subscribe(listener: () => void): () => void
  }
  /** where custom kinds hold images */
  readonly fields: readonly ImageField[]
  readonly certificates: Pick<Certificates, 'current' | 'trusted' | 'noteTrusted' | 'subscribe'>
  /**
   * The ClusterRole of the installation as it was when this process started: if it is gone now, the
   * installation is being removed, also where this replica did not lead before.
   */
  readonly owner?: object | undefined
  readonly events?: Pick<EventRecorder, 'record'> | undefined
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** ends it: leadership is lost, or the process stops */
  readonly signal: AbortSignal
  /** told of each probe */
  readonly onProbe?: (state: ProbeState) => void
  readonly clock?: () => number
}

/** The webhook configurations of an installation, as far as its leader knows. */
export interface WebhookController {
  /** why they are not as they should be; undefined: they are */
  readonly problem: () => string | undefined
  /** nothing once it leads no more: another one proves it then */
  readonly probe: () => ProbeState
  /** resolves once nothing is written any more, after `signal` */
  readonly ended: Promise<void>
}

/**
 * Keeps the webhook configurations right while it runs: made when they are missing, changed with
 * policies, certificates and settings, and put back when somebody else changes them. Nothing is
 * ever removed. Then it proves again and again that the API server calls them.
 *
 * Only one of an installation may run; of two, the slower one writes nothing. With
 * `manage: Never` it does nothing.
 *
 * @example
 *   const webhooks = startWebhookController({ cluster, settings, namespace, policies, fields,
 *     certificates, log, signal })
 *   webhooks.probe().problem
 */
export function startWebhookController(options: WebhookControllerOptions): WebhookController {
  const { cluster, settings, namespace, policies, fields, log, signal } = options
  const clock = options.clock ?? Date.now
  const { name, webhooks } = settings
  if (webhooks.manage === 'Never') {
    return { problem: () => undefined, probe: () => NOT_PROBED, ended: Promise.resolve() }
  }
  const installation: Installation = { name, namespace, webhooks, fields }
  const change = createAutoResetEvent()
  const live = watchConfigurations(cluster, name, signal, change.set)
  const step = createUpkeep({
    cluster,
    installation,
    live,
    policies: () => policies.current().policies,
    certificates: options.certificates,
    owner: options.owner,
    clock,
    onWritten: (hook, why) =>
      log.info({ kind: CONFIGURATIONS[hook].kind, name }, `webhook configuration ${why}`),
    onQuarrel: (hook, by) => tellQuarrel(CONFIGURATIONS[hook].kind, by),
  })
  const probe = createProbe({ cluster, namespace, name, clock })
  let problem: string | undefined = 'the webhook configurations have not been looked at yet'
  const looked = Promise.withResolvers<void>()
  let told = ''
  let ignored = ''

  function report(text: string | undefined, reason: string): void {
    problem = text
    if (text === undefined) {
      if (told !== '') log.info({}, 'the webhook configurations are right again')
      told = ''
    } else if (text !== told) {
      told = text
      log.warn({ code: 'ERR_CLUSTER' }, text)
      record(reason, text)
    }
  }

  function record(reason: string, message: string): void {
    const about = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name }
    options.events?.record({ about, type: 'Warning', reason, message })
  }

  function tellQuarrel(kind: string, by: string | undefined): void {
    const who = by === undefined ? 'something' : `${by} (a field manager)`
    const message = `${who} keeps changing ${kind} ${name}; it is put right ever more slowly. Leave it to Tagwarden, or set cluster.webhooks.manage: Never`
    log.warn({ kind, name, by }, message)
    record('WebhookConfigurationChanged', message)
  }

  function tellIgnored(): void {
    const excluded = new Set(excludedNamespaces(installation))
    const names = closedNamespaces(policies.current().policies, excluded).ignored.join(', ')
    if (names !== ignored && names !== '') {
      log.warn({}, `onUnavailable: Deny has no effect in ${names}: it is never asked about`)
    }
    ignored = names
  }

  /** One look; gives the ms until the next. */
  async function look(): Promise<number> {
    if (!live.synced()) {
      const cause = live.problem()
      if (cause) report(describeError(cause), 'WebhookConfigurationFailed')
      return LONGEST_WAIT
    }
    tellIgnored()
    const { state, again = LONGEST_WAIT }: Outcome = await step()
    if (state === 'right') report(undefined, '')
    if (state === 'leaving') {
      const text = `ClusterRole ${name} is gone: this installation is being removed, and its webhook configurations are not made again`
      report(text, 'WebhookConfigurationFailed')
    }
    return again
  }

  async function keepRight(): Promise<void> {
    let failures = 0
    while (!signal.aborted) {
      let wait: number
      try {
        wait = await look()
        failures = 0
      } catch (error) {
        if (signal.aborted) break
        report(
          `the webhook configurations can't be kept right: ${describeError(error)}`,
          'WebhookConfigurationFailed',
        )
        failures += 1
        wait = backoff(failures, FIRST_RETRY, LONGEST_RETRY)
      }
      looked.resolve()
      await change.wait(wait, signal)
      await pause(GATHER, signal)
    }
    looked.resolve()
  }

  async function proveAlive(): Promise<void> {
    let failures = 0
    await looked.promise
    while (!signal.aborted) {
      const before = probe.state()
      const state = await probe.run()
      if (signal.aborted) return
      failures = state.problem === undefined ? 0 : failures + 1
      options.onProbe?.(state)
      if (failures === PROBE_ATTEMPTS) {
        const text = `the API server can't call Tagwarden: ${state.problem}`
        log.warn({ code: 'ERR_CLUSTER' }, text)
        record('WebhookNotCalled', text)
      } else if (failures === 0 && before.aliveSince === undefined) {
        log.info({}, 'the API server calls Tagwarden')
      }
      const soon = failures > 0 && failures < PROBE_ATTEMPTS
      await pause(soon ? PROBE_RETRY : webhooks.probeInterval, signal)
    }
  }

  const ends = [policies.subscribe(change.set), options.certificates.subscribe(change.set)]
  const ended = Promise.all([keepRight(), proveAlive()]).then(() => {
    for (const end of ends) end()
  })
  return {
    problem: () => problem,
    probe: () => (signal.aborted ? NOT_PROBED : probe.state()),
    ended,
  }
}
