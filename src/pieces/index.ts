export { sorted } from './sorted.ts'
export { eachOf, finish, type Work, workWhile } from './work.ts'
