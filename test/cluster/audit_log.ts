import { readFileSync } from 'node:fs'

/** One line of the API server's audit log, as far as tests read it. */
export interface AuditEntry {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly resource?: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
  /** also those of webhooks, each with the webhook's name before it */
  readonly annotations?: Readonly<Record<string, string>>
}

/** Every write, once, when it has been answered. */
export const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{ level: Metadata, verbs: [create, update, patch, delete, deletecollection] }]
`

/** The whole entries of the log so far. */
export function readAuditLog(file: string): AuditEntry[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  // What stands after the last line feed is still being written.
  return lines.slice(0, -1).map((line) => JSON.parse(line) as AuditEntry)
}
