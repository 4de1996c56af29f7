export { type Availability, availabilityOf } from './availability.ts'
export { isPromoted } from './movable.ts'
export { startPromoter } from './promoter.ts'
export type { Promoter, PromoterOptions, PromotionLog, PromotionMetrics } from './types.ts'
