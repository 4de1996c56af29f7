export { createServer } from './server.ts'
export { onTermination } from './termination.ts'
export type { Address, ClientOptions, ReadinessCheck, Server, ServerOptions } from './types.ts'
