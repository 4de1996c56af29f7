import { type FSWatcher, watch } from 'node:fs'
import { TagwardenError } from '../errors.ts'
import { readOrMake } from './make.ts'
import type { CertificateOptions, Certificates, ServingCertificate } from './types.ts'

const INTERVAL = 10_000
/** Several files change together. */
const SETTLE = 100

/**
 * Opens the folder of certificates: makes what is missing, renews the certificate at two thirds
 * of its life and the CA a year before its end, and takes over what others write there. What a
 * person put there (a `tls.crt` that the folder's `ca.key` did not sign) is used, never changed.
 *
 * @throws TagwardenError ERR_CERTIFICATE when there is no certificate to begin with
 *
 * @example
 *   const certificates = await openCertificates({ path: './certs', names: ['127.0.0.1'] })
 *   const { key, cert, ca } = certificates.current()
 */
export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  const { path, names, clock = Date.now, interval = INTERVAL } = options
  const listeners = new Set<(certificate: ServingCertificate) => void>()
  let current = await load()
  let lastProblem = ''
  let closed = false

  async function load(): Promise<ServingCertificate> {
    const { serving } = await readOrMake({ path, names, now: clock() })
    if (!serving) {
      throw new TagwardenError('ERR_CERTIFICATE', 'what was made there cannot be used', {
        position: { file: path },
        remedy: 'Check the clock of this machine, or delete the folder',
      })
    }
    return serving
  }

  async function look(): Promise<void> {
    if (closed) {
      return
    }
    try {
      const next = await load()
      lastProblem = ''
      const { key, cert, ca } = current
      if (!closed && (next.key !== key || next.cert !== cert || next.ca !== ca)) {
        current = next
        for (const listener of listeners) {
          listener(next)
        }
      }
    } catch (error) {
      report(error)
    }
  }

  function report(error: unknown): void {
    const problem =
      error instanceof TagwardenError
        ? error
        : new TagwardenError('ERR_CERTIFICATE', 'it cannot be used', {
            position: { file: path },
            remedy: 'Restore it, or delete the folder and new ones are made',
            cause: error,
          })
    const text = `${problem.position?.file}: ${problem.message}`
    if (!closed && text !== lastProblem) {
      lastProblem = text
      options.onProblem?.(problem)
    }
  }

  // One look after another: two at once would both make what is due.
  let looking = Promise.resolve()
  const refresh = () => {
    looking = looking.then(look)
    return looking
  }
  const notices = watchFolder(path, () => void refresh())
  const timer = setInterval(refresh, interval).unref()

  return {
    current: () => current,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    refresh,
    close: () => {
      closed = true
      clearInterval(timer)
      notices.close()
      return looking
    },
  }
}

/** Where the file system gives no notices, the interval alone has to do. */
function watchFolder(path: string, onChange: () => void): { close(): void } {
  let settling: NodeJS.Timeout | undefined
  let watcher: FSWatcher | undefined
  try {
    watcher = watch(path, { persistent: false }, () => {
      settling ??= setTimeout(() => {
        settling = undefined
        onChange()
      }, SETTLE).unref()
    })
    watcher.on('error', () => watcher?.close())
  } catch {}
  return {
    close: () => {
      clearTimeout(settling)
      watcher?.close()
    },
  }
}
