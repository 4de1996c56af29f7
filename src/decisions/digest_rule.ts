import type { CompiledPolicy } from '../policies/types.ts'

/** The tag whose digest a policy permits; undefined: it orders tags, or lists digests. */
export function followedTag({ selector }: CompiledPolicy): string | undefined {
  const { order } = selector.rule
  return 'digest' in order && 'follow' in order.digest ? order.digest.follow : undefined
}

/** The digests that a policy lists, whatever tags there are; undefined: it goes by tags. */
export function listedDigests({ selector }: CompiledPolicy): readonly string[] | undefined {
  const { order } = selector.rule
  return 'digest' in order && 'allowed' in order.digest ? order.digest.allowed : undefined
}
