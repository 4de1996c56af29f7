import type { X509Certificate } from 'node:crypto'
import { type Certificates, fingerprintOf, joinBundles, readBundle } from '../certificates/index.ts'

/** An API server uses a configuration a moment after it was written. */
const SETTLE = 5_000
/** A replica learns of another certificate in the Secret within seconds; this is for slow days. */
const GRACE = 600_000
/** Of those that are on their way out. */
const MOST_LEAVING = 5

/** How CAs come into the webhook configurations and leave them. */
export interface Publication {
  /** The bundle (PEM) to be published, given the bundles that are. */
  plan(published: readonly string[], now: number): string
  /** To be called before a write: a CA that leaves is not counted on from before it is gone. */
  announceLeaving(bundle: string, published: readonly string[]): Promise<void>
  /**
   * To be called while every webhook has this bundle; says to the replicas that it is trusted when
   * the API server has had it for a moment. Gives the ms until the next call, if one is needed.
   */
  announce(bundle: string, now: number): Promise<number | undefined>
}

/**
 * What is wanted is published at once; what is published and not wanted any more leaves ten
 * minutes later, when no replica serves what it signed. So a CA is in the configurations before,
 * while and after any replica needs it.
 */
export function createPublication(
  certificates: Pick<Certificates, 'current' | 'trusted' | 'noteTrusted'>,
): Publication {
  const leaving = new Map<string, number>()
  let settling: { readonly bundle: string; readonly since: number } | undefined

  function note(present: ReadonlySet<string>, now: number): void {
    for (const each of leaving.keys()) {
      if (!present.has(each)) leaving.delete(each)
    }
    for (const each of present) {
      if (!leaving.has(each)) leaving.set(each, now)
    }
  }

  return {
    plan(published, now) {
      const wanted = certificates.current().ca
      const needed = new Set(readBundle(wanted).map(fingerprintOf))
      const others = readBundle(published.join('\n')).filter(
        (each) => each.ca && endOf(each) > now && !needed.has(fingerprintOf(each)),
      )
      note(new Set(others.map(fingerprintOf)), now)
      // Without a CA the system's own are trusted; with any, only that one.
      if (needed.size === 0) {
        return ''
      }
      const kept = others
        .filter((each) => now - (leaving.get(fingerprintOf(each)) ?? now) < GRACE)
        .sort((one, other) => endOf(other) - endOf(one))
        .slice(0, MOST_LEAVING)
      return joinBundles(wanted, ...kept.map(String))
    },
    async announceLeaving(bundle, published) {
      const next = new Set(readBundle(bundle).map(fingerprintOf))
      const everywhere = published.map(readBundle).reduce(inBoth, readBundle(bundle))
      const leaves = published.some((each) =>
        readBundle(each).some((certificate) => !next.has(fingerprintOf(certificate))),
      )
      if (leaves) {
        await certificates.noteTrusted(everywhere.map(String).join(''))
      }
    },
    async announce(bundle, now) {
      if (settling?.bundle !== bundle) {
        settling = { bundle, since: now }
      }
      const left = settling.since + SETTLE - now
      // Where nothing is trusted yet, there is nothing to lose.
      if (left > 0 && certificates.trusted()) {
        return left
      }
      await certificates.noteTrusted(bundle)
      const changes = [...leaving.values()].map((since) => Math.max(0, since + GRACE - now))
      return changes.length === 0 ? undefined : Math.min(...changes)
    },
  }
}

function inBoth(one: readonly X509Certificate[], other: readonly X509Certificate[]) {
  const there = new Set(other.map(fingerprintOf))
  return one.filter((each) => there.has(fingerprintOf(each)))
}

function endOf(certificate: X509Certificate): number {
  return certificate.validToDate.getTime()
}
