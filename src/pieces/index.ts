export { compareTexts } from './order.ts'
export { sorted } from './sorted.ts'
export { createWeakCache } from './weak_cache.ts'
export { eachOf, finish, type Work, workWhile } from './work.ts'
