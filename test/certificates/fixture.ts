import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { Test } from 'tap'
import {
  type CertificateOptions,
  type CertificateStore,
  type Certificates,
  folderStore,
  openCertificates,
  type ServingCertificate,
} from '../../src/certificates/index.ts'
import type { TagwardenError } from '../../src/errors.ts'

export const DAY = 86_400_000
export const FILES = ['ca.crt', 'ca.key', 'tls.crt', 'tls.key'] as const

/** A folder that is taken away after all teardowns: tap does so only if one is there before it. */
export function folder(t: Test, content: Record<string, string | object> = {}): string {
  t.teardown(() => {})
  return t.testdir(content as Parameters<Test['testdir']>[0])
}

export interface Opened {
  readonly certificates: Certificates
  readonly problems: TagwardenError[]
  /** moves the clock */
  advance(days: number): void
}

/** Opens a folder with a clock of the test's and no clock of its own. */
export async function open(
  t: Test,
  path: string | CertificateStore,
  changes: Partial<CertificateOptions> = {},
): Promise<Opened> {
  const problems: TagwardenError[] = []
  let now = Date.now()
  const certificates = await openCertificates({
    store: typeof path === 'string' ? folderStore(path) : path,
    names: ['127.0.0.1', 'localhost', '::1'],
    clock: () => now,
    interval: 3_600_000,
    onProblem: (problem) => problems.push(problem),
    ...changes,
  })
  t.teardown(() => certificates.close())
  const advance = (days: number) => {
    now += days * DAY
  }
  return { certificates, problems, advance }
}

export function read(path: string, name: (typeof FILES)[number]): string {
  return readFileSync(join(path, name), 'utf8')
}

export function readAll(path: string): string[] {
  return FILES.map((name) => read(path, name))
}

export function write(path: string, name: (typeof FILES)[number], text: string): void {
  writeFileSync(join(path, name), text)
}

/** Whether a TLS client that trusts `ca` accepts the certificate for the name. */
export async function isTrusted(
  { key, cert }: Pick<ServingCertificate, 'key' | 'cert'>,
  ca: string,
  name = 'localhost',
): Promise<boolean> {
  const server = createServer({ key, cert })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    return await new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', servername: name, ca }, () => {
        resolve(socket.authorized)
        socket.destroy()
      })
      socket.on('error', () => resolve(false))
    })
  } finally {
    server.close()
  }
}

/** Resolves with the next certificate that is taken into use, of those that are `wanted`. */
export function nextCertificate(
  certificates: Certificates,
  wanted: (certificate: ServingCertificate) => boolean = () => true,
): Promise<ServingCertificate> {
  return new Promise((resolve) => {
    // Watching does not keep a process alive; the test has to.
    const alive = setInterval(() => {}, 1_000)
    const end = certificates.subscribe((certificate) => {
      if (!wanted(certificate)) return
      clearInterval(alive)
      end()
      resolve(certificate)
    })
  })
}
