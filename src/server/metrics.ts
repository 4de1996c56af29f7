import { Counter, Histogram, type Registry } from 'prom-client'
import { countEach } from '../metrics/index.ts'

const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Counts one answered request: HTTP status (or `aborted`), and seconds from head to end. */
export type Observe = (status: number | 'aborted', seconds: number) => void

/** Registers what the server counts itself, and gives the counting function of each path. */
export function createRequestMetrics(registry: Registry): (path: string) => Observe {
  const registers = [registry]
  const requests = new Counter({
    name: 'tagwarden_http_requests_total',
    help: 'Review requests answered, by path and HTTP status; aborted: the client went away.',
    labelNames: ['path', 'status'],
    registers,
  })
  const seconds = new Histogram({
    name: 'tagwarden_http_request_duration_seconds',
    help: 'Time from the head of a review request to the end of its answer.',
    labelNames: ['path'],
    buckets: BUCKETS,
    registers,
  })
  const count = countEach(requests)
  return (path) => {
    const duration = seconds.labels(path)
    return (status, took) => {
      count(path, String(status))
      duration.observe(took)
    }
  }
}
