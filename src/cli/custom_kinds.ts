import type { Cluster, ResourceName } from '../cluster/index.ts'
import type { Config } from '../config/index.ts'
import { describeError } from '../errors.ts'

/**
 * The custom kinds that have image fields; one that the cluster does not serve is left out.
 *
 * @param onProblem told of one that can't be looked for
 */
export async function findCustomKinds(
  cluster: Pick<Cluster, 'find'>,
  { imageFields }: Pick<Config, 'imageFields'>,
  onProblem: (message: string) => void,
): Promise<readonly ResourceName[]> {
  const found = await Promise.all(
    imageFields.map((field) =>
      cluster.find(field).catch((error) => {
        onProblem(describeError(error))
        return undefined
      }),
    ),
  )
  return found.flatMap((resource) => resource ?? [])
}
