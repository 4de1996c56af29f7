import { displayImage } from '../images/index.ts'
import type { Finding } from './types.ts'

/** Where an image stands in its object. */
export interface FindingPlace {
  /** short path, such as `containers[0]` */
  readonly field: string
  /** of the container or volume */
  readonly name: string | undefined
  /** as found: a text, or something that is no image */
  readonly image: unknown
}

/**
 * One finding as every door says it: where it stands, what was asked for, the code, why, and what
 * to do.
 *
 * @example
 *   // containers[0] "app": web:latest [LatestTag] ImagePolicy … newest is v1.4.2. Use web:v1.4.2
 */
export function findingLine(
  { field, name, image }: FindingPlace,
  { reason, message, use }: Pick<Finding, 'message' | 'use'> & { readonly reason: string },
): string {
  const where = name === undefined ? field : `${field} ${JSON.stringify(name)}`
  const remedy = use === undefined ? '' : ` Use ${use}`
  return `${where}: ${displayImage(image)} [${reason}] ${message}${remedy}`
}
