import { collectDefaultMetrics, Registry } from 'prom-client'

/**
 * How often it is looked whether the event loop is late, in ms: also the least that its lag shows.
 * The default of 10 wakes the process 100 times a second, most of what an idle replica takes.
 */
const EVENT_LOOP_PRECISION = 100

/** Makes a registry with the metrics of the process: `process_*` and `nodejs_*`. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION })
  return registry
}
