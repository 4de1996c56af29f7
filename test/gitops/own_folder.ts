import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Owner } from '../e2e/installation.ts'

/** A folder beside the one that the installation has; it goes with the test. */
export function ownFolder(t: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-proof-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
