import type { Flaw, Path } from './flaw.ts'
import { readGlob } from './repository_glob.ts'

/** `asc` and `desc`, as other tools write them, in the native words. */
export function direction(written: { readonly order: string } | undefined) {
  if (written === undefined) return undefined
  const order = /^asc/i.test(written.order) ? 'Ascending' : 'Descending'
  return { order }
}

/** What is wrong with a field that must name one repository. */
export function exactImageFlaws(image: string, path: Path): Flaw[] {
  const glob = readGlob(image)
  if ('message' in glob) return [{ path, ...glob }]
  if (glob.exact) return []
  const message = `"${glob.pattern}" covers more than one repository`
  return [{ path, message, remedy: 'Name one repository, or use a tagwarden.io ImagePolicy' }]
}
