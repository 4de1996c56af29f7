import { Registry } from 'prom-client'
import t from 'tap'
import { REASON_CODES } from '../../src/decisions/index.ts'
import {
  createMetrics,
  EXCEPTION_STATES,
  PROMOTION_OUTCOMES,
  SCAN_OUTCOMES,
} from '../../src/metrics/index.ts'
import { CLIENT_PROBLEMS } from '../../src/server/clients.ts'
import { createGate } from '../../src/server/gate.ts'
import { createRequestMetrics } from '../../src/server/metrics.ts'
import { readPage, section, tableRows } from './pages.ts'

const PAGE = readPage('docs/metrics.md')

/** As prom-client keeps them; its types do not tell the labels. */
interface Registered {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly labelNames: readonly string[]
}

function registered(): Registered[] {
  const registry = new Registry()
  createMetrics(registry, {
    leading: () => true,
    certificates: () => [],
    index: () => ({ repositories: 0, tags: 0, oldestScan: undefined }),
    overdue: () => undefined,
    policies: () => [],
    exceptions: () => ({ Active: 0, ExpiresSoon: 0, Expired: 0, Invalid: 0 }),
    audit: () => undefined,
    probe: () => undefined,
  })
  createRequestMetrics(registry)
  createGate({ metrics: registry, log: undefined as never, clock: Date.now, settle: 0 })
  const types = { Counter: 'counter', Gauge: 'gauge', Histogram: 'histogram' } as const
  return registry.getMetricsAsArray().map((metric) => {
    const { name, help, labelNames } = metric as unknown as Registered
    const type = types[metric.constructor.name as keyof typeof types]
    return { name, help, type, labelNames }
  })
}

t.test('metrics.md lists exactly the metrics that there are', (t) => {
  const rows = tableRows(PAGE.text.split('\n## ')[0] ?? '').filter(([, type]) => type !== undefined)
  const listed = rows.map(([name, type, help]) => [name?.replaceAll('`', ''), type, help])
  const there = registered().map(({ name, type, help, labelNames }) => [
    labelNames.length > 0 ? `${name}{${labelNames.join()}}` : name,
    type,
    help,
  ])
  t.strictSame(listed.sort(), there.sort())
  t.end()
})

t.test('every label and its closed values are on the page', (t) => {
  const rows = new Map(
    tableRows(section(PAGE, '## Labels')).map(([label, values]) => [
      label?.replaceAll('`', ''),
      values ?? '',
    ]),
  )
  const labels = new Set(registered().flatMap(({ labelNames }) => labelNames))
  t.strictSame([...rows.keys()].sort(), [...labels].sort())
  for (const value of [...SCAN_OUTCOMES, ...PROMOTION_OUTCOMES]) {
    t.ok(rows.get('outcome')?.includes(`\`${value}\``), value)
  }
  for (const each of CLIENT_PROBLEMS) t.ok(rows.get('reason')?.includes(`\`${each}\``), each)
  for (const state of EXCEPTION_STATES) t.ok(rows.get('state')?.includes(`\`${state}\``), state)
  t.ok(REASON_CODES.length * 3 * 2 < 200, 'reasons keep the series few')
  t.end()
})

t.test('what to watch asks for metrics and labels that there are', (t) => {
  const all = new Map(registered().map((each) => [each.name, each]))
  const rows = PAGE.text.matchAll(/^\| [^|]*\? \| `(.*)` \|$/gm)
  let count = 0
  for (const [, expression = ''] of rows) {
    count += 1
    for (const [, name = '', labels] of expression.matchAll(/(tagwarden_\w+)(?:\{(\w+)=)?/g)) {
      const metric = all.get(name.replace(/_bucket$/, ''))
      t.ok(metric, name)
      if (labels) t.ok(metric?.labelNames.includes(labels), `${name}{${labels}}`)
    }
  }
  t.ok(count > 5)
  t.end()
})
