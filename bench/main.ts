// npm run bench [-- PART …], by the names below; `cluster` is all that begin with it
//
// The server runs on core 0 and the load on core 1. Ratios are within one run, since machines are
// noisy; figures without a limit are for information.
import { execFileSync } from 'node:child_process'
import { build } from '../scripts/build.js'
import { benchCold, benchHang, benchReviews, benchStart, type Figure } from './admission.ts'

const PARTS: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  start: benchStart,
  reviews: () => benchReviews(20_000),
  cold: benchCold,
  hang: () => benchHang(20),
  'cluster-index': async () => (await import('./cluster_index.ts')).benchClusterIndex(),
  'cluster-policies': async () => (await import('./cluster_policies.ts')).benchClusterPolicies(),
  'cluster-admission': async () => (await import('./cluster_admission.ts')).benchClusterAdmission(),
  'cluster-change': async () => (await import('./cluster_change.ts')).benchClusterChange(),
  'cluster-scale': async () => (await import('./cluster_scale.ts')).benchClusterScale(),
  reports: async () => (await import('./reports.ts')).benchReports(),
  review: async () => (await import('./manifests.ts')).benchManifests(),
  audit: async () => (await import('./audit.ts')).benchAudit(),
  selection: async () => (await import('./selection.ts')).benchSelection(),
}

const wanted = process.argv.slice(2)
execFileSync('taskset', ['-pc', '1', String(process.pid)], { stdio: 'ignore' })
if (!build()) throw new Error('what is measured cannot be built')
let missed = 0
for (const [name, run] of Object.entries(PARTS)) {
  const isWanted = wanted.some((each) => name === each || name.startsWith(`${each}-`))
  if (wanted.length > 0 && !isWanted) continue
  for (const figure of await run()) {
    const { value, unit, limit } = figure
    const bad = limit !== undefined && !(value <= limit)
    if (bad) missed += 1
    const asked = limit === undefined ? '' : `  (at most ${limit})${bad ? '  MISSED' : ''}`
    console.log(`${figure.name}: ${value.toPrecision(3)} ${unit}${asked}`)
  }
}
process.exitCode = missed > 0 ? 1 : 0
