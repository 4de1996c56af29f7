/** What an audit finds of what runs, beside what admission says of what is written. A closed list. */
export const DRIFT_CODES = ['NotAsWritten', 'TagElsewhere', 'MixedDigests'] as const

export type DriftCode = (typeof DRIFT_CODES)[number]

/** What there is to know of each, in Markdown without links; docs/audit.md says the same. */
export const DRIFT_HELP: Readonly<
  Record<DriftCode, { readonly short: string; readonly meaning: string; readonly remedy: string }>
> = {
  NotAsWritten: {
    short: 'Pods run another image than the workload says',
    meaning:
      'Pods of the workload run another image, or another digest, than stands in it, though its rollout is over.',
    remedy:
      'Somebody has changed the image of a pod, or the node took another one. Delete these pods: they are made again as the workload says.',
  },
  TagElsewhere: {
    short: 'The tag is another image in the registry by now',
    meaning:
      'The workload names a tag without a digest, and the tag points to another image in the registry than its pods run. The next pod may run that one.',
    remedy:
      'Decide which of the two is meant, and write it with its digest; a policy with `action: Pin` or `Track` does that.',
  },
  MixedDigests: {
    short: 'Pods of one workload run different images',
    meaning:
      'Pods of the workload run different images under one tag: it moved between the starts of two pods.',
    remedy:
      'Write the digest beside the tag and roll out again; a policy with `action: Pin` or `Track` does that.',
  },
}
