import { loadConfig } from '../config/index.ts'
import { onTermination } from '../server/index.ts'
import { isUnconfigured, startEmbeddedDefault, tryNext } from './embedded_default.ts'
import { createLog } from './log.ts'
import { STREAMS } from './output.ts'
import { startWebhook } from './webhook.ts'

/** `tagwarden serve`: runs until it is told to stop. */
export async function serve(options: { readonly config?: string }): Promise<void> {
  const { env } = process
  const config = await loadConfig({ file: options.config, env, cwd: process.cwd() })
  const log = createLog(config.log)
  const embedded = isUnconfigured(config, env) ? await startEmbeddedDefault(config) : undefined
  const webhook = await startWebhook(embedded?.config ?? config, log).catch(async (error) => {
    await embedded?.registry.close()
    throw error
  })
  onTermination({
    log,
    stop: async () => {
      await webhook.stop()
      await embedded?.registry.close()
    },
  })
  STREAMS.out(`tagwarden listens on ${webhook.url} with ${webhook.policies()} policies in force\n`)
  if (embedded) {
    STREAMS.out('It runs on its example policies and a bundled registry, registry.example.com.\n')
    STREAMS.out(tryNext(webhook.url, process.cwd()))
  }
}
