import { joinFlux, type ObjectDocument, type PolicyResource } from '../policies/index.ts'
import { fluxRepository } from './flux_repository.ts'
import { below, foreignObject } from './foreign_object.ts'
import { nativePolicy } from './native_object.ts'
import type { Conversion, Converted } from './types.ts'

/** Flux's pairs, and the entries of Kustomizations. */
export function convertDrafts(
  resources: readonly PolicyResource[],
  documents: ReadonlySet<ObjectDocument>,
): Conversion {
  const { drafts: pairs, problems, notes } = joinFlux(resources)
  const entries = resources.flatMap((each) => (each.type === 'policy' ? [each.draft] : []))
  const policies = [...pairs, ...entries]
    .filter((draft) => documents.has(draft.document))
    .map(({ kind, namespace, name, title, spec, document }): Converted => {
      const { source } = foreignObject(document) ?? { source: { title, labels: {} } }
      const object = nativePolicy(kind, namespace, name, spec)
      return { object, sources: [source], named: true, notes: policyNotes(document) }
    })
  const repositories = resources.flatMap((each) =>
    each.type === 'FluxImageRepository' ? fluxRepository(each.document) : [],
  )
  const leftOut = notes.map((note) => {
    const [title = '', reason = ''] = note.split(' is left out: ')
    return { title, reason }
  })
  return { objects: [...repositories, ...policies], leftOut, problems }
}

function policyNotes(document: ObjectDocument): string[] {
  const { value } = document
  if (below(value, 'spec', 'imageRepositoryRef') === undefined) return []
  const own = below(value, 'metadata', 'namespace')
  const other = below(value, 'spec', 'imageRepositoryRef', 'namespace')
  const notes: string[] = []
  if (other !== undefined && other !== own) {
    notes.push(
      `Its ImageRepository is in namespace ${other}. What a Secret of that namespace reads is not seen here: for a private repository, put an ImageRepository with a secretRef beside this policy.`,
    )
  }
  if (below(value, 'spec', 'policy', 'numerical') !== undefined) {
    notes.push('In Flux a tag that is no number fails the whole policy; here it is passed over.')
  }
  if (below(value, 'spec', 'interval') !== undefined) {
    notes.push(
      'spec.interval is not converted: digests are read together with the tags, at the interval of the ImageRepository.',
    )
  }
  return notes
}
