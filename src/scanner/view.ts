import { repositoryKey } from '../catalog/index.ts'
import type { FactSource, RepositorySnapshot } from '../decisions/ports.ts'
import type { RegistryAccess } from '../registry/types.ts'

/** The facts of one reader: names are turned into the keys of the accesses that it has. */
export function createView(
  accessOf: (name: string) => RegistryAccess | undefined,
  look: (key: string, readWith?: string) => RepositorySnapshot | undefined,
  gather: FactSource['gather'],
): FactSource {
  return {
    snapshot(name) {
      const access = accessOf(name)
      return look(repositoryKey(name, access?.id), access?.version)
    },
    gather: (need, signal) =>
      gather({ ...need, name: repositoryKey(need.name, accessOf(need.name)?.id) }, signal),
  }
}
