import { type ObjectDocument, parseDuration } from '../policies/index.ts'
import { below, fieldsOf, foreignObject } from './foreign_object.ts'
import { withoutAbsent } from './native_object.ts'
import type { Converted } from './types.ts'

const KEPT = ['secretRef', 'certSecretRef', 'proxySecretRef', 'insecure', 'suspend'] as const
const LONGEST_INTERVAL = 720 * 3_600_000
const LONGEST_TIMEOUT = 600_000

/** A Flux ImageRepository as a native one. */
export function fluxRepository(document: ObjectDocument): Converted[] {
  const object = foreignObject(document)
  if (object === undefined) return []
  const spec = fieldsOf(object.value['spec'])
  const notes: string[] = []
  const timing = (field: 'interval' | 'timeout', most: number) => {
    const written = spec[field]
    if (typeof written !== 'string') return undefined
    const length = parseDuration(written) ?? 0
    if (length >= 1000 && length <= most) return written
    notes.push(`${field} ${written} is not within what is possible here, so the default counts.`)
    return undefined
  }
  const exclusionList = spec['exclusionList']
  const native = withoutAbsent({
    image: spec['image'],
    interval: timing('interval', LONGEST_INTERVAL),
    timeout: timing('timeout', LONGEST_TIMEOUT),
    ...Object.fromEntries(
      KEPT.filter((field) => spec[field] !== undefined && spec[field] !== false).map((field) => [
        field,
        field.endsWith('Ref') ? { name: below(spec, field, 'name') } : spec[field],
      ]),
    ),
    exclusionList:
      Array.isArray(exclusionList) && exclusionList.length > 0 ? exclusionList : undefined,
  })
  const { name, namespace, source } = object
  return [
    {
      object: {
        apiVersion: 'tagwarden.io/v1alpha1',
        kind: 'ImageRepository',
        metadata: withoutAbsent({ name, namespace }),
        spec: native,
      },
      sources: [source],
      named: true,
      notes: [...notes, ...lostSettings(spec, namespace)],
    },
  ]
}

function lostSettings(spec: Readonly<Record<string, unknown>>, namespace: string | undefined) {
  const { provider, serviceAccountName, accessFrom, secretRef } = spec
  const notes: string[] = []
  if (typeof provider === 'string' && provider !== 'generic') {
    notes.push(
      `provider: ${provider} is not converted. Give the credentials by secretRef, or to the installation in its configuration.`,
    )
  }
  if (serviceAccountName !== undefined) {
    notes.push(
      `serviceAccountName: ${serviceAccountName} is not converted. Name one of its pull secrets in secretRef, or let workloads' own pull secrets be read.`,
    )
  }
  if (accessFrom !== undefined) {
    notes.push(
      'accessFrom is not converted: a policy is for its own namespace, and sees what that namespace or the installation can read.',
    )
  }
  if (namespace === 'flux-system' && secretRef !== undefined) {
    notes.push(
      "Its Secret is one of flux-system, so it would read tags for workloads of flux-system only. Move both into Tagwarden's own namespace to read them for all.",
    )
  }
  return notes
}
