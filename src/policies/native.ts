import { checkException } from './compile_exception.ts'
import { checkRepository } from './compile_repository.ts'
import { documentProblem, type ObjectDocument } from './document.ts'
import { titleOf } from './draft.ts'
import type { Flaw } from './flaw.ts'
import type { Reading } from './resource.ts'
import { ExceptionEnvelope, PolicyEnvelope, RepositoryEnvelope } from './schemas.ts'
import { checkSpec, isSound } from './spec.ts'
import { type Schema, validate } from './validation.ts'

/** The namespace of a namespaced object that names none, as kubectl has it. */
export const DEFAULT_NAMESPACE = 'default'

interface NativeKind {
  readonly envelope: Schema
  readonly check: (spec: unknown) => { readonly flaws: readonly Flaw[] }
}

const NATIVE = {
  ImagePolicy: { envelope: PolicyEnvelope, check: (spec) => checkSpec('ImagePolicy', spec) },
  ClusterImagePolicy: {
    envelope: PolicyEnvelope,
    check: (spec) => checkSpec('ClusterImagePolicy', spec),
  },
  ImageRepository: { envelope: RepositoryEnvelope, check: checkRepository },
  ImagePolicyException: { envelope: ExceptionEnvelope, check: checkException },
} as const satisfies Record<string, NativeKind>

/** The kinds of tagwarden.io/v1alpha1. */
export type NativeKindName = keyof typeof NATIVE
export const NATIVE_KINDS = Object.keys(NATIVE) as readonly NativeKindName[]

/** Reads an object of tagwarden.io/v1alpha1. */
export function readNative(document: ObjectDocument, kind: NativeKindName): Reading {
  const { envelope, check }: NativeKind = NATIVE[kind]
  const flaws = [...validate(envelope, document.value)]
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
      const deeper = check(object.spec).flaws
      flaws.push(...deeper.map((flaw) => ({ ...flaw, path: ['spec', ...flaw.path] })))
    }
    return { resources: [], problems: flaws.map((flaw) => documentProblem(document, flaw)) }
  }
  const { name, namespace = DEFAULT_NAMESPACE } = object.metadata
  const places = [{ native: [], written: ['spec'] }]
  const body = { name, spec: object.spec, document, places }
  if (kind === 'ClusterImagePolicy') {
    const draft = { ...body, kind, namespace: undefined, title: titleOf(kind, undefined, name) }
    return { resources: [{ type: 'policy', draft }], problems: [] }
  }
  const draft = { ...body, namespace, title: titleOf(kind, namespace, name) }
  if (kind === 'ImagePolicy') {
    return { resources: [{ type: 'policy', draft: { ...draft, kind } }], problems: [] }
  }
  const type = kind === 'ImageRepository' ? 'repository' : 'exception'
  return { resources: [{ type, draft }], problems: [] }
}
