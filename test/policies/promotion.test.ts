import t from 'tap'
import { nativePolicy, read } from './reading.ts'

const WINDOW = { schedule: '0 2 * * 1-5', timeZone: 'Europe/Berlin', duration: '3h' }

t.test('a policy promotes nothing by itself, and fails open, unless it says so', (t) => {
  t.match(read(nativePolicy({})).set.policies[0], {
    promote: 'OnApply',
    promotion: { windows: [], maxPerMinute: 0, canary: 0 },
    onUnavailable: 'Allow',
    exceptions: 'Allow',
  })
  const kind = 'ClusterImagePolicy'
  t.equal(read(nativePolicy({}, { kind })).set.policies[0]?.exceptions, 'Deny')
  const lenient = read(nativePolicy({ exceptions: 'Allow' }, { kind }))
  t.equal(lenient.set.policies[0]?.exceptions, 'Allow')
  t.end()
})

t.test('windows, pace and canary reach the compiled policy', (t) => {
  const { set, lines } = read(
    nativePolicy({
      promote: 'Continuously',
      promotion: {
        windows: [WINDOW, { schedule: '@daily', duration: '1h30m' }],
        maxPerMinute: 10,
        canary: 1,
      },
      onUnavailable: 'Deny',
    }),
  )
  t.strictSame(lines, [])
  const [policy] = set.policies
  t.match(policy, {
    promote: 'Continuously',
    promotion: {
      windows: [
        { ...WINDOW, duration: 3 * 3_600_000, cron: { hours: [2], weekdays: [1, 2, 3, 4, 5] } },
        { schedule: '@daily', timeZone: 'UTC', duration: 5_400_000 },
      ],
      maxPerMinute: 10,
      canary: 1,
    },
    onUnavailable: 'Deny',
  })
  t.ok(Object.isFrozen(policy?.promotion.windows[0]))
  t.end()
})

t.test('what is wrong with a window has its place and its remedy', (t) => {
  const window = (part: object) => ({ windows: [WINDOW, { ...WINDOW, ...part }] })
  const rows: [promotion: object, says: RegExp][] = [
    [
      window({ schedule: '0 2 * *' }),
      /windows\[1\]\.schedule: "0 2 \* \*" is not valid\. Write min/,
    ],
    [window({ schedule: '0 25 * * *' }), /windows\[1\]\.schedule: "25" is no hour\. Write 0 to 23/],
    [window({ schedule: '@every' }), /windows\[1\]\.schedule: "@every" is not known\. Use one of/],
    [
      window({ schedule: null }),
      /schedule: is missing\. Add it, such as schedule: "0 2 \* \* 1-5"/,
    ],
    [window({ schedule: 5 }), /schedule: must be a string, not a number/],
    [window({ timeZone: 'Europe/Berlln' }), /timeZone: "Europe\/Berlln" is not a time zone that/],
    [window({ timeZone: '__proto__' }), /timeZone: "__proto__" is not valid\. Write the name of/],
    [window({ timeZone: '+02:00' }), /timeZone: "\+02:00" is not valid/],
    [window({ timeZone: '' }), /timeZone: "" is not valid/],
    [window({ duration: null }), /duration: is missing/],
    [window({ duration: '59s' }), /duration: must be from 1m to 168h\. Write it like "30s"/],
    [window({ duration: '7d' }), /duration: "7d" is not valid\. Write it like/],
    [window({ duration: '169h' }), /duration: must be from 1m to 168h/],
    [window({ duration: '9'.repeat(19).concat('h') }), /duration: must be from 1m to 168h/],
    [window({ open: '1h' }), /windows\[1\]\.open: is not a field of windows/],
    [{ windows: Array(21).fill(WINDOW) }, /windows: has 21 entries, more than the 20/],
    [{ maxPerMinute: -1 }, /maxPerMinute: -1 is not from 0 to 10000\. Write a number in between/],
    [{ maxPerMinute: 1.5 }, /maxPerMinute: must be a whole number, not 1\.5\. Write a whole/],
    [{ maxPerMinute: '5' }, /maxPerMinute: must be a whole number, not a string/],
    [{ canary: 101 }, /canary: 101 is not from 0 to 100/],
  ]
  for (const [promotion, says] of rows) {
    const { lines, set } = read(nativePolicy({ promotion }))
    t.match(lines, [says], JSON.stringify(promotion).slice(0, 120))
    t.equal(set.policies.length, 0)
  }
  const pinned = read(nativePolicy({ promote: 'Continuously', action: 'Pin' }))
  t.match(pinned.lines, [/spec\.promote: cannot be Continuously unless .*Use action Track/])
  t.end()
})
