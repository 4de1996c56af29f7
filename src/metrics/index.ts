export { indexFigures } from './index_figures.ts'
export {
  type AuditFigures,
  createMetrics,
  EXCEPTION_STATES,
  type ExceptionState,
  type IndexFigures,
  type MetricSources,
  type Metrics,
  PROMOTION_OUTCOMES,
  type PromotionOutcome,
  SCAN_OUTCOMES,
  type ScanOutcome,
} from './metrics.ts'
export { createRegistry } from './registry.ts'
export { countEach } from './series.ts'
