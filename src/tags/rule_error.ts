import { TagwardenError } from '../errors.ts'

/**
 * A field of a tag rule is wrong.
 *
 * @param field relative to the policy's spec, such as `tags.allow[1]`; who knows the file adds it
 * @param remedy one sentence without a full stop
 */
export function ruleError(field: string, message: string, remedy: string): TagwardenError {
  return new TagwardenError('ERR_INVALID_POLICY', message, {
    remedy,
    position: { file: '', field },
  })
}
