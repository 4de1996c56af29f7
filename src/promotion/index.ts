export { FIELD_MANAGER } from './field_ownership.ts'
export { PROMOTED } from './movable.ts'
export { startPromoter } from './promoter.ts'
export type { Promoter, PromoterOptions, PromotionLog, PromotionMetrics } from './types.ts'
