import { hash } from 'node:crypto'
import type { ReportFinding } from '../reports/types.ts'
import type { UnmarkedFinding } from './outcome.ts'

/**
 * Gives the findings of one file their fingerprints: the same in the next run, whatever lines were
 * added above them. Equal ones are told apart by their order.
 */
export function fingerprinted(file: string, findings: readonly UnmarkedFinding[]): ReportFinding[] {
  const seen = new Map<string, number>()
  return findings.map((finding) => {
    const { subject, container, pointer, image, reason, policy } = finding
    const { kind, namespace, name } = subject
    const where = container ?? pointer
    const key = JSON.stringify([file, kind, namespace, name, where, image, reason, policy])
    const count = seen.get(key) ?? 0
    seen.set(key, count + 1)
    const text = count === 0 ? key : `${key} ${count}`
    return { ...finding, fingerprint: hash('sha256', text, 'hex').slice(0, 32) }
  })
}
