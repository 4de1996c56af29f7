import type { Cluster, ResourceName } from '../cluster/index.ts'
import type { Config } from '../config/index.ts'
import { describeError } from '../errors.ts'

/**
 * Makes the function that finds the custom kinds which have image fields, as the cluster serves
 * them now: a definition may come, go, or prefer another version while Tagwarden runs. One that
 * can't be looked for is as it was last time.
 *
 * @param onProblem told of one that can't be looked for, once until it can be again
 */
export function customKindsFinder(
  cluster: Pick<Cluster, 'find'>,
  { imageFields }: Pick<Config, 'imageFields'>,
  onProblem: (message: string) => void,
): () => Promise<readonly ResourceName[]> {
  const last = new Map<object, ResourceName | undefined>()
  const told = new Set<object>()
  return async () => {
    const found = await Promise.all(
      imageFields.map(async (field) => {
        try {
          last.set(field, await cluster.find(field))
          told.delete(field)
        } catch (error) {
          if (!told.has(field)) onProblem(describeError(error))
          told.add(field)
        }
        return last.get(field)
      }),
    )
    return found.flatMap((resource) => resource ?? [])
  }
}
