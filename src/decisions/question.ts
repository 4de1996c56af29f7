import type { ImageReference } from '../images/types.ts'
import type { CompiledException, CompiledPolicy } from '../policies/types.ts'
import type { Defaults, Question } from './types.ts'

/** The question about an image by itself, as nobody runs it yet and no object says more of it. */
export function plainQuestion(
  image: ImageReference,
  policies: readonly CompiledPolicy[],
  defaults: Defaults,
  exceptions: readonly CompiledException[] = [],
): Question {
  return {
    image,
    policies,
    exceptions,
    defaults,
    mode: 'resolve',
    unchanged: false,
    previous: undefined,
    hold: false,
    promoted: false,
    restored: false,
    hint: undefined,
    ownerReviewed: false,
    owners: [],
    immutable: false,
  }
}
