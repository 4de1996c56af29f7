import t from 'tap'
import { parseChallenges } from '../../src/registry/challenge.ts'

type Row = [header: string | string[] | undefined, challenges: [string, object][]]

t.test('challenges are read however RFC 9110 lets them be written', (t) => {
  const rows: Row[] = [
    [
      'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.example/token',
            service: 'reg',
            scope: 'repository:a/b:pull,push',
          },
        ],
      ],
    ],
    ['BEARER Realm = "r" , SERVICE=s', [['bearer', { realm: 'r', service: 's' }]]],
    ['Basic realm="a \\"b\\", c"', [['basic', { realm: 'a "b", c' }]]],
    [
      'Basic realm="a", Bearer realm="b",scope="s"',
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'b', scope: 's' }],
      ],
    ],
    [
      ['Basic realm=a', 'Bearer realm=b'],
      [
        ['basic', { realm: 'a' }],
        ['bearer', { realm: 'b' }],
      ],
    ],
    [
      'Negotiate, Basic realm=a',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a' }],
      ],
    ],
    [
      'Negotiate YII==, Basic realm=a',
      [
        ['negotiate', {}],
        ['basic', { realm: 'a' }],
      ],
    ],
    ['Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
    ['Bearer', [['bearer', {}]]],
    ['Bearer __proto__="x"', [['bearer', { ['__proto__']: 'x' }]]],
    ['Bearer realm="open', [['bearer', {}]]],
    ['="x"', []],
    ['', []],
    ['\0', []],
    ['🦊', []],
    [[], []],
    [undefined, []],
  ]
  for (const [header, expected] of rows) {
    const found = parseChallenges(header).map(({ scheme, parameters }) => [scheme, [...parameters]])
    const wanted = expected.map(([scheme, parameters]) => [scheme, Object.entries(parameters)])
    t.strictSame(found, wanted, JSON.stringify(header))
  }
  t.end()
})

t.test('a header built to be slow is read in no time', (t) => {
  for (const header of ['a '.repeat(8_000), `Bearer ${'x='.repeat(8_000)}`, ','.repeat(16_000)]) {
    t.ok(parseChallenges(header).length <= 8_000)
  }
  t.end()
})
