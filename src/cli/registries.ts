import type { Config } from '../config/index.ts'
import { environmentProxy } from '../proxies/index.ts'
import {
  createRegistryClient,
  type RegistryClient,
  type RegistryClientOptions,
} from '../registry/index.ts'
import type { Stops } from './stops.ts'

/**
 * The client of the configured registries, until the process stops.
 *
 * @param credential asked where the configuration has none for a repository
 */
export function openRegistries(
  { registries, catalog }: Pick<Config, 'registries' | 'catalog'>,
  stops: Stops,
  credential?: RegistryClientOptions['credential'],
): RegistryClient {
  const client = createRegistryClient({
    settings: registries,
    ...(credential && { credential }),
    limits: { tags: catalog.tagLimit },
    proxyFor: environmentProxy(process.env),
  })
  stops.add(() => client.close())
  return client
}
