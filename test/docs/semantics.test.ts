import t from 'tap'
import { parseReference } from '../../src/images/index.ts'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import { compileRule } from '../../src/tags/index.ts'
import { readPage, section, tableRows } from './pages.ts'

const PAGE = readPage('docs/policies.md')

function codes(cell: string | undefined): string[] {
  return [...(cell ?? '').matchAll(/`([^`]+)`/g)].map(([, code = '']) =>
    code.replace('\\|\\|', '||'),
  )
}

t.test('the table of image patterns says what they cover', (t) => {
  const rows = tableRows(section(PAGE, '### Image patterns'))
  t.ok(rows.length > 4)
  for (const [cell, covered, others] of rows) {
    const [pattern = ''] = codes(cell)
    const text = `apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: web }
spec: { images: [${JSON.stringify(pattern)}], order: { alphabetical: {} } }
`
    const [policy] = compilePolicies(parsePolicies(text, 'web.yaml').resources).set.policies
    for (const [names, expected] of [
      [codes(covered), true],
      [codes(others), false],
    ] as const) {
      for (const name of names) {
        t.equal(policy?.covers(parseReference(name).name), expected, `${pattern}: ${name}`)
      }
    }
  }
  t.end()
})

/** For each range of the table: tags in it, and tags that are not. */
const RANGES: Readonly<Record<string, readonly [inside: string, outside: string]>> = {
  '>=1.2.3 <2.0.0': ['1.2.3 v1.9.9', '1.2.2 2.0.0 1.5.0-rc.1'],
  '>=1.2.3, <2.0.0': ['1.2.3 v1.9.9', '1.2.2 2.0.0 1.5.0-rc.1'],
  '1.2.x || >=2.1.0': ['1.2.0 1.2.9 2.1.0 3.0.0', '1.3.0 2.0.9'],
  '^1.2': ['1.2.0 1.9.0', '1.1.9 2.0.0'],
  '^0.2': ['0.2.0 0.2.9', '0.1.9 0.3.0'],
  '~1.2.3': ['1.2.3 1.2.9', '1.2.2 1.3.0'],
  '1.2 - 1.4': ['1.2.0 1.4.9', '1.1.9 1.5.0'],
  '!=1.3.0': ['1.2.9 1.3.1', '1.3.0 1.4.0-rc.1'],
  '*': ['0.0.1 9.9.9', '1.0.0-rc.1'],
  '*-0': ['0.0.1 1.0.0-rc.1 2026.01.02', 'v1.4 1.2.3.4 stable'],
  '>=1.0.0-0': ['1.0.0-rc.1 3.0.0-rc.1 1.0.0', '0.9.9'],
  // the prose below the table
  '>=1.0.0-0 <2.0.0': ['1.5.0-rc.1 2.0.0-rc.1', '2.0.0'],
  '>=1.0.0-0 <2.0.0-0': ['1.5.0-rc.1', '2.0.0-rc.1'],
}

t.test('the table of ranges says what they permit', (t) => {
  const shown = tableRows(section(PAGE, '### semver')).flatMap(([first, second]) =>
    [...codes(first), ...codes(second)].filter((code) => !/^\d+\.\d+\.\d+$/.test(code)),
  )
  t.ok(shown.length > 8)
  for (const range of shown) t.ok(Object.hasOwn(RANGES, range), `${range} is tried below`)
  for (const [range, [inside, outside]] of Object.entries(RANGES)) {
    const selector = compileRule({ allow: [], ignore: [], order: { semver: { range } } })
    for (const tag of inside.split(' ')) t.ok(selector.judge(tag).permitted, `${range}: ${tag}`)
    for (const tag of outside.split(' ')) t.notOk(selector.judge(tag).permitted, `${range}: ${tag}`)
  }
  t.end()
})

t.test('numbers, allow lists and equal versions are as the page says', (t) => {
  const order = { numerical: { order: 'Ascending' } } as const
  const numbers = compileRule({ allow: [], ignore: [], order })
  const dates = ['20261120101500', '20261120101500.000000001', '1e3', '-1']
  t.strictSame(
    numbers.rank(dates).permitted.map(({ tag }) => tag),
    ['20261120101500.000000001', '20261120101500', '-1'],
  )
  const allowing = compileRule({
    pattern: '^v[0-9.]+$',
    allow: ['^v1\\.5\\.0-rc\\.'],
    ignore: ['^v1\\.4\\.0$'],
    order: { semver: { range: '>=1.2.3 <2.0.0' } },
  })
  t.strictSame(
    allowing.rank(['v1.4.0', 'v1.3.0', 'v1.5.0-rc.1', 'v1.6.0-rc.1']).permitted.map((it) => it.tag),
    ['v1.5.0-rc.1', 'v1.3.0'],
  )
  const versions = compileRule({ allow: [], ignore: [], order: { semver: { range: '*' } } })
  t.equal(versions.rank(['1.4.2', 'v1.4.2']).permitted[0]?.tag, 'v1.4.2')
  t.end()
})
