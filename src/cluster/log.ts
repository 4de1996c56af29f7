/** The part of a logger (such as pino) that the cluster room uses. */
export interface ClusterLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
