import { documentProblem, type ObjectDocument } from './document.ts'
import { type PolicyDraft, titleOf } from './draft.ts'
import type { Reading } from './resource.ts'
import { PolicyEnvelope } from './schemas.ts'
import { checkSpec, isSound } from './spec.ts'
import { validate } from './validation.ts'

/** The namespace of a namespaced object that names none, as kubectl has it. */
export const DEFAULT_NAMESPACE = 'default'

/** Reads a tagwarden.io/v1alpha1 ImagePolicy or ClusterImagePolicy. */
export function readNative(document: ObjectDocument, kind: PolicyDraft['kind']): Reading {
  const flaws = [...validate(PolicyEnvelope, document.value)]
  const object = document.value as {
    metadata: { name: string; namespace?: string }
    spec: unknown
  }
  if (kind === 'ClusterImagePolicy' && object.metadata?.namespace !== undefined) {
    flaws.push({
      path: ['metadata', 'namespace'],
      message: 'has no meaning for a ClusterImagePolicy',
      remedy:
        'Take it out, and choose namespaces by spec.namespaceSelector, or use kind ImagePolicy',
    })
  }
  if (flaws.length > 0) {
    // what else is wrong is said at once
    if (isSound(flaws, 'spec')) {
      const deeper = checkSpec(kind, object.spec).flaws
      flaws.push(...deeper.map((flaw) => ({ ...flaw, path: ['spec', ...flaw.path] })))
    }
    return { resources: [], problems: flaws.map((flaw) => documentProblem(document, flaw)) }
  }
  const { name } = object.metadata
  const namespace =
    kind === 'ImagePolicy' ? (object.metadata.namespace ?? DEFAULT_NAMESPACE) : undefined
  const title = titleOf(kind, namespace, name)
  const places = [{ native: [], written: ['spec'] }]
  const draft = { kind, namespace, name, title, spec: object.spec, document, places }
  return { resources: [{ type: 'policy', draft }], problems: [] }
}
