import Type from 'typebox'

/** Bounds of a duration, themselves durations such as `1s`. */
export interface DurationBounds {
  readonly least: string
  readonly most: string
  readonly default?: string
}

/** A duration in Go's notation, without days: so the API server can tell how long it is. */
export function duration(description: string, { least, most, ...options }: DurationBounds) {
  return Type.String({
    description,
    pattern: '^([0-9]+([.][0-9]+)?(ms|s|m|h))+$',
    maxLength: 20,
    ...options,
    remedy: 'Write it like "30s", "10m" or "1h30m"',
    least,
    most,
    'x-kubernetes-validations': [
      {
        rule: `duration(self) >= duration('${least}') && duration(self) <= duration('${most}')`,
        message: `must be from ${least} to ${most}`,
      },
    ],
  })
}
