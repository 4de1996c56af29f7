export {
  startWebhookController,
  type WebhookController,
  type WebhookControllerOptions,
} from './controller.ts'
export type { ProbeState } from './probe.ts'
export { createProbeHandlers } from './probe_handlers.ts'
