export { sorted } from './sorted.ts'
export { eachOf, finish, type Work } from './work.ts'
