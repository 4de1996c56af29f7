import { readBundle, type ServingCertificate } from '../certificates/index.ts'

/**
 * For the metrics: when the serving certificate ends (ms since the epoch), and the last of the CAs
 * that are trusted, which is the one that goes on. No CA, no figure for it.
 */
export function certificateFigures({ ca, notAfter }: ServingCertificate) {
  const ends = readBundle(ca).map(({ validToDate }) => validToDate.getTime())
  const figures = [{ name: 'serving', notAfter }]
  return ends.length === 0 ? figures : [...figures, { name: 'ca', notAfter: Math.max(...ends) }]
}
