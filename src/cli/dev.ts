import { setTimeout as delay } from 'node:timers/promises'
import { openRegistration, type Registration } from '../cluster/index.ts'
import { loadConfig } from '../config/index.ts'
import { describeError, TagwardenError } from '../errors.ts'
import { onTermination } from '../server/index.ts'
import { isAlive } from './liveness.ts'
import { createLog } from './log.ts'
import { STREAMS } from './output.ts'
import { listening, startWebhook } from './webhook.ts'

/** In ms: the API server hears a moment later that a webhook is gone, and calls it until then. */
const HEARD = 1_000

/** Options of `tagwarden dev` as the command line gives them. */
export interface DevOptions {
  readonly kubeconfig: string
  readonly context?: string
  readonly config?: string
  readonly url?: string
  readonly failurePolicy: 'Ignore' | 'Fail'
  readonly timeout: string
}

/**
 * `tagwarden dev`: runs the webhook here and registers it in a cluster for as long as it runs.
 * The webhook configurations are removed before the server stops, so that the API server never
 * calls a webhook that is gone.
 */
export async function dev(options: DevOptions): Promise<void> {
  const timeoutSeconds = Number(options.timeout)
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > 30) {
    throw new TagwardenError(
      'ERR_USAGE',
      `--timeout ${options.timeout} is no whole number of seconds from 1 to 30`,
    )
  }
  const config = await loadConfig({ file: options.config, env: process.env, cwd: process.cwd() })
  const log = createLog(config.log)
  const cluster = await openRegistration(options)
  for (const { title, url } of await cluster.leftOver()) {
    if (url !== undefined && (await isAlive(url))) {
      throw new TagwardenError(
        'ERR_USAGE',
        `another tagwarden dev runs for ${cluster.server}, and answers at ${new URL(url).origin}`,
        { remedy: 'End it first; two would take each other out of the cluster' },
      )
    }
    STREAMS.err(`An earlier run left ${title} in the cluster; it is replaced now.\n`)
  }
  const webhook = await startWebhook(config, log)
  const url = options.url ?? webhook.url
  const register = (caBundle: string) => {
    const registration: Registration = {
      url,
      caBundle,
      failurePolicy: options.failurePolicy,
      timeoutSeconds,
      fields: config.imageFields,
    }
    return cluster.register(registration)
  }
  const unsubscribe = webhook.onCaBundle((caBundle) => {
    cluster
      .trust(caBundle)
      .catch((error) => log.error({ code: 'ERR_CLUSTER' }, describeError(error)))
  })
  const stop = async () => {
    unsubscribe()
    const removed = await cluster.unregister().catch(async (error) => {
      await webhook.stop()
      throw error
    })
    if (removed.length > 0) await delay(HEARD)
    await webhook.stop()
    STREAMS.out(`removed from the cluster: ${removed.join(', ') || 'nothing was left'}\n`)
  }
  onTermination({ log, stop })
  try {
    await register(webhook.caBundle())
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
  STREAMS.out(listening(url, webhook.policies()))
  if (webhook.policies() === 0) {
    STREAMS.err('There are no policies: only the defaults hold. Name some in tagwarden.yaml.\n')
  }
  STREAMS.out(`registered in ${cluster.server} until this process ends (Ctrl-C)\n`)
}
