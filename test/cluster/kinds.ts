import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RESOURCES } from '../../src/policies/schema/resources.ts'
import { type ControlPlane, waitFor } from './control-plane.ts'

const CRDS = join(import.meta.dirname, '../../charts/tagwarden/files/crds')

/** Applies the chart's CRDs, and waits until their kinds are served. */
export async function installKinds(plane: ControlPlane): Promise<void> {
  const crds = RESOURCES.map(({ plural }) => readFileSync(join(CRDS, `${plural}.yaml`), 'utf8'))
  const { code, stderr } = await plane.kubectl(['apply', '-f', '-'], {
    input: crds.join('\n---\n'),
  })
  if (code !== 0) throw new Error(stderr)
  await awaitKinds(
    plane,
    RESOURCES.map(({ plural }) => `${plural}.tagwarden.io`),
  )
}

/**
 * Waits until kinds such as `imagepolicies.tagwarden.io` are found by discovery and served: a CRD
 * that is established is so a moment before.
 */
export function awaitKinds(plane: ControlPlane, kinds: readonly string[]): Promise<void> {
  const all = kinds.join()
  return waitFor(async () => (await plane.kubectl(['get', all, '-A'])).code === 0, {
    what: `${all} are served`,
  })
}
