import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { issueAuthority, issueServing } from '../src/certificates/index.ts'
import { type Measured, startOnCore } from './processes.ts'

/** The bare server as a process of its own. */
export interface Yardstick {
  readonly url: string
  /** PEM of what a client must trust */
  readonly ca: string
  readonly server: Measured
  close(): Promise<void>
}

/** Starts yardstick.ts with a certificate like Tagwarden's own. */
export async function startYardstick(core: number | string): Promise<Yardstick> {
  const folder = mkdtempSync(join(tmpdir(), 'tagwarden-yardstick-'))
  const authority = await issueAuthority(Date.now())
  const leaf = await issueServing(authority, { names: ['127.0.0.1', 'localhost'], now: Date.now() })
  writeFileSync(join(folder, 'key.pem'), leaf.key)
  writeFileSync(join(folder, 'cert.pem'), leaf.cert)
  const server = await startOnCore(
    core,
    [join(import.meta.dirname, 'yardstick.ts'), join(folder, 'key.pem'), join(folder, 'cert.pem')],
    /listening on (\S+)/,
  )
  return {
    url: /listening on (\S+)/.exec(server.output())?.[1] ?? '',
    ca: authority.cert,
    server,
    close: async () => {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
