import Type from 'typebox'
import { duration } from './duration.ts'
import { object } from './metadata.ts'

const window = object(
  {
    schedule: Type.String({
      description:
        'When the window opens: a cron schedule of five fields (minute, hour, day of month, month, day of week), such as "0 2 * * 1-5", or @daily and the like.',
      pattern: '^(@[A-Za-z]+|[^ ]+( +[^ ]+){4})$',
      maxLength: 100,
      remedy: 'Write minute, hour, day of month, month and day of week, such as "0 2 * * 1-5"',
      examples: ['0 2 * * 1-5'],
    }),
    timeZone: Type.String({
      description: 'Time zone of the schedule, such as Europe/Berlin.',
      pattern: '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$',
      maxLength: 64,
      default: 'UTC',
      remedy: 'Write the name of a time zone, such as UTC or Europe/Berlin',
    }),
    duration: duration('How long the window stays open, from "1m" to "168h".', {
      least: '1m',
      most: '168h',
    }),
  },
  { description: 'A time in which running workloads may be moved.' },
)

/** How `promote: Continuously` goes about it. */
export const promotion = object(
  {
    windows: Type.Array(window, {
      description: 'When running workloads may be moved. Empty: at any time.',
      default: [],
      maxItems: 20,
    }),
    maxPerMinute: Type.Integer({
      description: 'How many workloads are moved in a minute at most. 0: as many as there are.',
      minimum: 0,
      maximum: 10_000,
      default: 0,
    }),
    canary: Type.Integer({
      description:
        'How many workloads are moved first; the others wait until each of these is available. 0: all at once.',
      minimum: 0,
      maximum: 100,
      default: 0,
    }),
  },
  {
    description: 'When and how fast running workloads are moved by "promote: Continuously".',
    default: {},
  },
)
