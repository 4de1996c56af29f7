import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { CHART_MADE } from '../../scripts/chart/config_values.ts'
import type { Value } from '../../scripts/chart/value.ts'
import { VALUES } from '../../scripts/chart/values.ts'
import { isGroup } from '../../scripts/chart/values_yaml.ts'
import { HELM, skipWithout } from '../cluster/assets.ts'
import { CHART, template, type Values } from './helm.ts'
import { EVERYTHING } from './value_sets.ts'

const skip = skipWithout([HELM])

const WRONG: readonly (readonly [values: Values, said: RegExp])[] = [
  [{ replicas: -1 }, /replicas.*minimum/s],
  [{ replicas: 1.5 }, /replicas.*integer/s],
  [{ replicas: '3' }, /replicas.*integer/s],
  [{ replica: 3 }, /additional properties 'replica' not allowed/],
  [{ image: { tagg: 'v1' } }, /image.*'tagg' not allowed/s],
  [{ image: { digest: 'sha256:abc' } }, /image.digest/],
  [{ image: { repository: '' } }, /image.repository/],
  [{ image: { repository: 'registry.example.com/tagwarden:v1' } }, /image.repository/],
  [{ image: { repository: 'ghcr.io/Acme/tagwarden' } }, /image.repository/],
  [
    { resources: { limits: { memory: '512m' } } },
    /resources.limits.memory is 512m, which is less than a byte: write 512Mi/,
  ],
  [{ heapPercent: 100 }, /heapPercent/],
  [{ drainSeconds: -5 }, /drainSeconds/],
  [{ containerPort: 443 }, /containerPort/],
  [{ config: { listen: { prot: 1 } } }, /config.listen.*'prot' not allowed/s],
  [{ config: { log: { level: 'loud' } } }, /config.log.level/],
  [{ config: { catalog: { interval: 'soon' } } }, /config.catalog.interval/],
  [{ config: { registries: [{ hots: 'a' }] } }, /registries/],
  [{ certificates: { source: 'Magic' } }, /certificates.source/],
  [
    { certificates: { source: 'ExistingSecret' } },
    /name the Secret in certificates.existingSecret/,
  ],
  [{ certificates: { existingSecret: 'a' } }, /set it to ExistingSecret/],
  [
    { certificates: { source: 'CertManager', certManager: { issuer: { kind: 'ClusterIssuer' } } } },
    /name it in certificates.certManager.issuer.name/,
  ],
  [{ clients: { configMap: 'a', secret: 'b' } }, /both configMap and secret: set one/],
  [{ clients: { names: ['a'] } }, /clients.names is given without a CA/],
  [{ clients: { enforcement: 'Off' } }, /clients.enforcement/],
  [{ pullSecrets: { secrets: ['regcred'] } }, /pullSecrets.secrets/],
  [{ pullSecrets: { namespaces: [''] } }, /pullSecrets.namespaces/],
  [{ pullSecrets: { namespaces: ['*'] } }, /pullSecrets.namespaces/],
  [{ customResources: [{ group: 'a', resource: '*' }] }, /customResources/],
  [{ podDisruptionBudget: { minAvailable: 2 } }, /both maxUnavailable and minAvailable/],
  [{ podDisruptionBudget: { maxUnavailable: null } }, /neither maxUnavailable nor minAvailable/],
  [{ prometheusRule: { disabled: ['Nothing'] } }, /prometheusRule.disabled/],
  [{ networkPolicy: { registryPorts: [0] } }, /registryPorts/],
  [{ fullnameOverride: 'Upper' }, /fullnameOverride/],
  [{ fullnameOverride: 'a'.repeat(53) }, /fullnameOverride/],
  [{ serviceAccount: { annotations: { a: 1 } } }, /annotations/],
  [{ volumes: [{ emptyDir: {} }] }, /volumes/],
  [{ probes: null }, /missing property 'probes'/],
  [{ certificates: { certManager: { issuer: null } } }, /certManager.*missing property 'issuer'/s],
  [{ config: null }, /missing property 'config'/],
  [{ heapPercent: null }, /missing property 'heapPercent'/],
  [{ containerPort: null }, /missing property 'containerPort'/],
  [{ nameOverride: 'n'.repeat(64) }, /nameOverride/],
  [
    { podLabels: { 'app.kubernetes.io/component': 'web' } },
    /podLabels has app.kubernetes.io.component, which the chart itself sets/,
  ],
  [
    { commonLabels: { 'app.kubernetes.io/name': 'web' } },
    /commonLabels has app.kubernetes.io.name/,
  ],
  [{ service: { labels: { 'helm.sh/chart': 'a' } } }, /service.labels has helm.sh.chart/],
]

t.test('what is misspelt or cannot be is refused, with its name', { skip }, async (t) => {
  for (const [values, said] of WRONG) {
    const { code, stderr } = await template(values)
    const title = JSON.stringify(values)
    t.not(code, 0, title)
    // Helm writes /image/digest where its flags have image.digest.
    t.match(stderr.replace(/(?<=\w)\/(?=\w)/g, '.'), said, title)
    t.notMatch(stderr, /nil pointer|executing "|goroutine/, 'no stack')
  }
})

t.test('what the chart itself says is refused in config', { skip }, async (t) => {
  for (const path of CHART_MADE) {
    const config = path
      .split('.')
      .reduceRight<unknown>((value, key) => ({ [key]: value }), path === 'listen.port' ? 1 : 'On')
    const { code, stderr } = await template({ config })
    t.not(code, 0, path)
    t.match(stderr, /not allowed/, path)
  }
})

/** Every value that has a default of its own, with its path. */
function leaves(value: Value, path: readonly string[] = []): [path: string[], value: Value][] {
  return Object.entries(value.properties ?? {}).flatMap(([name, field]) => {
    if (field.hidden) return []
    const full = [...path, name]
    return isGroup(field) ? leaves(field, full) : ([[full, field]] as [string[], Value][])
  })
}

t.test('values.yaml holds the default of every value', (t) => {
  const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
  for (const [path, { default: fallback }] of leaves(VALUES)) {
    t.ok(fallback !== undefined, path.join('.'))
    t.strictSame(
      path.reduce((group, key) => group[key], values),
      fallback,
      path.join('.'),
    )
  }
  t.end()
})

/** Values for which any other one than the default will not do. */
const OTHER: Readonly<Record<string, unknown>> = {
  config: { log: { level: 'debug' } },
  'certificates.source': 'CertManager',
  'certificates.certManager.issuer.group': 'pki.example.com',
  'certificates.certManager.duration': '100h',
  'certificates.certManager.renewBefore': '10h',
  'podDisruptionBudget.maxUnavailable': 2,
  'serviceMonitor.interval': '7s',
  'serviceMonitor.scrapeTimeout': '7s',
  'pullSecrets.secrets': ['a/b'],
  'prometheusRule.disabled': ['TagwardenSlow'],
  'networkPolicy.apiServerPorts': [1],
  'networkPolicy.registryPorts': [1],
  customResources: [{ group: 'a', resource: 'b' }],
  env: [{ name: 'A' }],
  volumes: [{ name: 'a' }],
  volumeMounts: [{ name: 'a', mountPath: '/a' }],
  initContainers: [{ name: 'a' }],
  extraContainers: [{ name: 'a' }],
  extraArgs: ['--x'],
  extraObjects: [{ kind: 'A', apiVersion: 'v1', metadata: { name: 'a' } }],
  'image.digest': `sha256:${'0'.repeat(64)}`,
}
/** What must hold besides for a value to count. */
const WITH: Readonly<Record<string, Values>> = {
  'certificates.certManager': { certificates: { source: 'CertManager' } },
  'certificates.certManager.issuer': {
    certificates: { source: 'CertManager', certManager: { issuer: { name: 'company' } } },
  },
  'certificates.existingSecret': { certificates: { source: 'ExistingSecret' } },
  clusterDomain: { certificates: { source: 'CertManager' } },
  'podDisruptionBudget.minAvailable': { podDisruptionBudget: { maxUnavailable: null } },
  'clients.secret': { clients: { configMap: '' } },
  'crds.keep': { crds: { install: true } },
}

function other(path: string, { type, default: fallback, enum: choices, items }: Value): unknown {
  if (Object.hasOwn(OTHER, path)) return OTHER[path]
  if (choices) return choices.find((choice) => choice !== fallback)
  if (type === 'boolean') return !fallback
  if (type === 'integer' || type === 'number') return Number(fallback) + 1
  if (type === 'array') return [items?.type === 'string' ? 'other' : { other: 'x' }]
  if (type === 'object') return { other: 'x' }
  return Array.isArray(type) ? 1 : 'other'
}

function merged(under: Values, over: Values): Values {
  const isObject = (value: unknown): value is Values =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
  const both = Object.entries(over).map(([key, value]) => {
    const old = under[key]
    return [key, isObject(value) && isObject(old) ? merged(old, value) : value] as const
  })
  return { ...under, ...Object.fromEntries(both) }
}

t.test('every value changes something', { skip }, async (t) => {
  // CRDs and the digest would hide others, or only cost time.
  const base = merged(EVERYTHING, { crds: { install: false }, image: { digest: '' } })
  for (const [path, value] of leaves(VALUES)) {
    const name = path.join('.')
    const needs = path
      .map((_, index) => WITH[path.slice(0, index + 1).join('.')] ?? {})
      .reduce(merged, base)
    const changed = path.reduceRight<unknown>((rest, key) => ({ [key]: rest }), other(name, value))
    const minimal = path.reduceRight<unknown>((rest, key) => ({ [key]: rest }), value.default)
    const [before, after] = await Promise.all([
      // An object of defaults can only be undone by null, so what the base adds stays in both.
      template(
        name === 'crds.keep'
          ? needs
          : merged(
              needs,
              Array.isArray(value.default) || typeof value.default !== 'object'
                ? (minimal as Values)
                : {},
            ),
      ),
      template(merged(needs, changed as Values)),
    ])
    t.equal(after.code, 0, `${name}: ${after.stderr}`)
    t.ok(before.code !== 0 || before.stdout !== after.stdout, name)
  }
})
