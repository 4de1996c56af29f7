import { TagwardenError } from '../errors.ts'
import { fingerprintsOf, isCovered, joinBundles } from './bundle.ts'
import { follow } from './following.ts'
import { readOrMake } from './make.ts'
import type { CertificateOptions, Certificates, ServingCertificate, Stored } from './types.ts'

const INTERVAL = 10_000

/**
 * Opens a store of certificates: makes what is missing, renews the certificate at two thirds of
 * its life and the CA a year before its end, and takes over what others write there. What a
 * person put there (a `tls.crt` that the store's `ca.key` did not sign) is used, never changed.
 *
 * Where the store says which CAs clients trust, a certificate of another CA is taken into use only
 * once that CA is trusted, or the present certificate has ended.
 *
 * @throws TagwardenError ERR_CERTIFICATE when there is no certificate to begin with, or
 *   ERR_CLUSTER when a store in the cluster can't be reached
 *
 * @example
 *   const certificates = await openCertificates({ store: folderStore('./certs'), names: ['::1'] })
 *   const { key, cert, ca } = certificates.current()
 */
export async function openCertificates(options: CertificateOptions): Promise<Certificates> {
  const { store, names, clock = Date.now, interval = INTERVAL } = options
  let memory: Stored | undefined
  const following = follow(await load(), {
    async look(current) {
      const next = admit(await load(), current)
      const { key, cert, ca } = current
      return next.key === key && next.cert === cert && next.ca === ca ? current : next
    },
    problemOf,
    onProblem: options.onProblem,
    interval,
  })
  const { current, subscribe, refresh } = following

  async function load(): Promise<ServingCertificate> {
    const { stored, survey } = await readOrMake(store, { names, now: clock(), memory })
    if (!survey.serving) {
      throw new TagwardenError('ERR_CERTIFICATE', 'what was made there cannot be used', {
        position: { file: store.place },
        remedy: `Check the clock of this machine, or delete ${store.place}`,
      })
    }
    memory = stored
    return survey.serving
  }

  /** What is to be used now that `found` is stored. */
  function admit(found: ServingCertificate, current: ServingCertificate): ServingCertificate {
    const { key, cert, ca } = current
    const trusted = memory?.trusted
    const same = found.key === key && found.cert === cert
    if (same || !trusted || isCovered(found, trusted) || !current.valid(clock())) {
      return found
    }
    // Its CA is published beside the old one, and used when that is done.
    return Object.freeze({ ...current, ca: joinBundles(found.ca, ca) })
  }

  function problemOf(error: unknown): TagwardenError {
    return error instanceof TagwardenError
      ? error
      : new TagwardenError('ERR_CERTIFICATE', 'it cannot be used', {
          position: { file: store.place },
          remedy: `Restore it, or delete ${store.place} and new ones are made`,
          cause: error,
        })
  }

  const unwatch = store.watch(() => void refresh(), following.report)
  return {
    current,
    trusted: () => !memory?.trusted || isCovered(current(), memory.trusted),
    noteTrusted: async (bundle) => {
      await store.noteTrusted?.(fingerprintsOf(bundle))
      await refresh()
    },
    subscribe,
    refresh,
    close: () => {
      unwatch()
      return following.close()
    },
  }
}
