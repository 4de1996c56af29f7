import { loadConfig } from '../config/index.ts'
import { onTermination } from '../server/index.ts'
import { isUnconfigured, startEmbeddedDefault, tryNext } from './embedded_default.ts'
import { boundHeap } from './heap.ts'
import { createLog } from './log.ts'
import { STREAMS } from './output.ts'
import { listening, startWebhook, type Webhook } from './webhook.ts'

/** `tagwarden serve`: runs until it is told to stop. */
export async function serve(options: { readonly config?: string }): Promise<void> {
  boundHeap()
  const { env } = process
  const config = await loadConfig({ file: options.config, env, cwd: process.cwd() })
  const log = createLog(config.log)
  const alone = config.cluster.mode === 'Off' && isUnconfigured(config, env)
  const embedded = alone ? await startEmbeddedDefault(config) : undefined
  const start = config.cluster.mode === 'On' ? await inCluster() : startWebhook
  let webhook: Webhook | undefined
  // Before the start, which may wait: the first process of a container ignores what it does not handle.
  onTermination({
    log,
    stop: async () => {
      await webhook?.stop()
      await embedded?.registry.close()
    },
  })
  webhook = await start(embedded?.config ?? config, log).catch(async (error) => {
    await embedded?.registry.close()
    throw error
  })
  const started = listening(webhook.url, webhook.policies())
  // What reads the log of a pod gets both streams as one: each line is one of the log there.
  if (config.cluster.mode === 'On') log.info({ url: webhook.url }, started.trimEnd())
  else STREAMS.out(started)
  if (embedded) {
    STREAMS.out('It runs on its example policies and a bundled registry, registry.example.com.\n')
    STREAMS.out(tryNext(webhook.url, process.cwd()))
  }
}

/** Loaded only when it is needed: it brings most of the program along. */
async function inCluster() {
  return (await import('./cluster_webhook.ts')).startClusterWebhook
}
