import type { Catalog } from '../catalog/index.ts'
import type { IndexFigures } from './metrics.ts'

/** How large the index is, and how old its oldest list of tags; only what is in memory counts. */
export function indexFigures(catalog: Pick<Catalog, 'keys' | 'get'>): IndexFigures {
  let repositories = 0
  let tags = 0
  let oldestScan: number | undefined
  for (const name of catalog.keys()) {
    const snapshot = catalog.get(name)
    if (!snapshot || snapshot.scannedAt === 0) continue
    repositories += 1
    tags += snapshot.tags.length
    oldestScan = Math.min(oldestScan ?? snapshot.scannedAt, snapshot.scannedAt)
  }
  return { repositories, tags, oldestScan }
}
