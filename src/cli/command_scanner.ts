import type { Catalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import { createScanner, type Scanner } from '../scanner/index.ts'
import { openRegistries } from './registries.ts'
import type { Stops } from './stops.ts'

/** Asks the configured registries for what an index lacks, until the command stops. */
export function openScanner(config: Config, catalog: Catalog, stops: Stops): Scanner {
  const client = openRegistries(config, stops)
  const scanner = createScanner({ catalog, client, interval: config.catalog.interval })
  stops.add(() => scanner.stop())
  return scanner
}
