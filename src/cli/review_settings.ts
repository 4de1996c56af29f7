import type { ReviewOptions } from '../admission/index.ts'
import type { Config } from '../config/index.ts'

/** What of a review the configuration says, through whichever door it comes. */
export function reviewSettings(
  config: Config,
): Pick<ReviewOptions, 'defaults' | 'fields' | 'controllers' | 'prefix' | 'deadline'> {
  return {
    defaults: config.defaults,
    fields: config.imageFields,
    controllers: new Set(config.controllers),
    prefix: config.annotations.prefix,
    deadline: config.deadline,
  }
}
