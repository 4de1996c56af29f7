import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ALERT_NAMES } from '../../scripts/chart/alert_names.ts'
import { dashboard } from '../../scripts/chart/dashboard.ts'
import { HELM, skipWithout } from '../cluster/assets.ts'
import { readPage, section, tableRows } from '../docs/pages.ts'
import { only, ROOT, render } from './helm.ts'
import { EVERYTHING } from './value_sets.ts'

const skip = skipWithout([HELM])
/** Of Prometheus itself, of prom-client, of kube-state-metrics. */
const FOREIGN = /^(?:process_|nodejs_|kube_deployment_status_replicas_available$)/

interface Alert {
  readonly alert?: string
  readonly expr: string
  readonly for?: string
  readonly annotations: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

async function alerts(values: object = {}): Promise<Alert[]> {
  const objects = await render({ prometheusRule: { enabled: true, ...values } })
  return only(objects, 'PrometheusRule').spec.groups[0].rules
}

function panels(): { title: string; targets?: { expr: string }[] }[] {
  return JSON.parse(dashboard()).panels
}

/** Metric names of an expression, each with the labels that it is asked for by. */
function metricsOf(expression: string): [name: string, labels: string[]][] {
  return [...expression.matchAll(/\b([a-z][a-z0-9_]*)\{([^}]*)\}/g)].map(
    ([, name = '', inner = '']) => [
      name.replace(/_bucket$/, ''),
      [...inner.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    ],
  )
}

/** Metrics of docs/metrics.md with their labels. */
function documented(): Map<string, string[]> {
  const page = join(ROOT, 'docs/metrics.md')
  const rows = existsSync(page) ? tableRows(readFileSync(page, 'utf8')) : []
  return new Map(
    rows.flatMap(([cell = '']) => {
      const [, name, labels = ''] = /^`(tagwarden_\w+)(?:\{([^}]*)\})?`/.exec(cell) ?? []
      return name ? [[name, labels.split(',')]] : []
    }),
  )
}

t.test('panels and alerts ask for metrics and labels that there are', { skip }, async (t) => {
  const known = documented()
  t.ok(known.size > 10, `${known.size} metrics`)
  const asked = [
    ...(await alerts()).map(({ expr }) => expr),
    ...panels().flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ]
  t.ok(asked.length > 30)
  for (const expression of asked) {
    const metrics = metricsOf(expression)
    t.ok(metrics.length > 0, expression)
    for (const [name, labels] of metrics) {
      if (FOREIGN.test(name)) continue
      t.ok(known.has(name), name)
      for (const label of labels.filter((each) => !['namespace', 'job'].includes(each))) {
        t.ok(known.get(name)?.includes(label), `${name} has the label ${label}`)
      }
    }
    t.equal(expression.split('(').length, expression.split(')').length, 'closed')
  }
})

t.test('label values that are asked for are those that there are', { skip }, async (t) => {
  const rows = tableRows(section(readPage('docs/metrics.md'), '## Labels'))
  const values = new Map(rows.map(([label = '', cell = '']) => [label.slice(1, -1), cell]))
  const asked = [...(await alerts()), ...panels().flatMap(({ targets = [] }) => targets)]
  for (const { expr } of asked) {
    for (const [, label = '', value = ''] of expr.matchAll(/(\w+)="(\w+)"/g)) {
      if (['namespace', 'job', 'deployment'].includes(label)) continue
      t.ok(values.get(label)?.includes(`\`${value}\``), `${label}="${value}"`)
    }
  }
})

t.test('each alert says what is wrong and what to look at', { skip }, async (t) => {
  const all = await alerts()
  t.strictSame(
    all.map(({ alert }) => alert),
    ALERT_NAMES,
  )
  for (const { alert = '', annotations, labels } of all) {
    t.match(labels, { severity: /^(critical|warning)$/ }, alert)
    t.ok((annotations['summary']?.length ?? 99) < 60, alert)
    t.ok((annotations['description']?.length ?? 0) > 60, alert)
    t.notMatch(JSON.stringify(annotations), /<no value>|%!|\n/, alert)
  }
  const page = tableRows(section(readPage('docs/install.md'), '## Alerts'))
  t.strictSame(
    page.map(([name]) => name?.slice(1, -1)),
    ALERT_NAMES,
    'each is in docs/install.md',
  )
})

t.test('alerts can be left out, changed in their limits, and added', { skip }, async (t) => {
  const without = await alerts({ disabled: ['TagwardenSlow'], latencySeconds: 0.25 })
  t.notOk(without.some(({ alert }) => alert === 'TagwardenSlow'))
  const changed = await alerts({ latencySeconds: 0.25, certificateDays: 3 })
  t.match(changed.find(({ alert }) => alert === 'TagwardenSlow')?.expr, /> 0\.25$/)
  t.match(changed.find(({ alert }) => alert === 'TagwardenCertificateEnding')?.expr, '< 3 * 86400')
  const rules = only(await render(EVERYTHING), 'PrometheusRule').spec.groups[0].rules
  t.match(rules.at(-1), { record: 'tagwarden:denied' })
  t.match(rules[0], {
    labels: { team: 'platform' },
    annotations: { runbook_url: 'https://runbooks.example.com/TagwardenDown' },
  })
})

t.test(
  'a promotion that fails is told without a gap, and not for one failure',
  { skip },
  async (t) => {
    const failing = (await alerts()).find(({ alert }) => alert === 'TagwardenPromotionFailing')
    const windows = [...(failing?.expr ?? '').matchAll(/\[(\d+)m\]/g)].map(([, minutes]) =>
      Number(minutes),
    )
    t.equal(windows.length, 2)
    for (const minutes of windows) {
      t.ok(minutes > 60, 'attempts are an hour apart in the end')
      t.ok(Number(failing?.for?.replace('m', '')) > minutes, 'a single one is over before')
    }
  },
)

t.test('Prometheus checks the certificate of what it scrapes', { skip }, async (t) => {
  const [endpoint] = only(await render({ serviceMonitor: { enabled: true } }), 'ServiceMonitor')
    .spec.endpoints
  t.match(endpoint, {
    scheme: 'https',
    tlsConfig: {
      serverName: 'tagwarden.tagwarden-system.svc',
      ca: { secret: { name: 'tagwarden-certificates', key: 'ca.crt' } },
    },
  })
  t.notMatch(JSON.stringify(endpoint), 'insecureSkipVerify')
})

t.test('the dashboard that Grafana gets is the one that is generated', { skip }, async (t) => {
  const map = only(
    await render({ dashboard: { enabled: true } }),
    'ConfigMap',
    'tagwarden-dashboard',
  )
  t.equal(map.metadata.labels?.['grafana_dashboard'], '1')
  t.strictSame(JSON.parse(map['data']['tagwarden.json']), JSON.parse(dashboard()))
  const places = JSON.parse(dashboard()).panels.map(
    ({ gridPos }: { gridPos: { x: number; y: number; w: number } }) => `${gridPos.x},${gridPos.y}`,
  )
  t.equal(new Set(places).size, places.length, 'no panel lies on another')
})
