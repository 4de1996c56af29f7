import type { Catalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import { environmentProxy } from '../proxies/index.ts'
import { createRegistryClient } from '../registry/index.ts'
import { createScanner, type Scanner } from '../scanner/index.ts'
import type { Stops } from './stops.ts'

/** Asks the configured registries for what an index lacks, until the command stops. */
export function openScanner(config: Config, catalog: Catalog, stops: Stops): Scanner {
  const client = createRegistryClient({
    settings: config.registries,
    limits: { tags: config.catalog.tagLimit },
    proxyFor: environmentProxy(process.env),
  })
  stops.add(() => client.close())
  const scanner = createScanner({ catalog, client, interval: config.catalog.interval })
  stops.add(() => scanner.stop())
  return scanner
}
