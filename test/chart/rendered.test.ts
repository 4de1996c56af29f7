import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/index.ts'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import { HELM, skipWithout } from '../cluster/assets.ts'
import { CHART, containerOf, helm, only, ROOT, render } from './helm.ts'
import { VALUE_SETS } from './value_sets.ts'

const skip = skipWithout([HELM])

t.test('helm lint has nothing to say', { skip }, async (t) => {
  const { code, stdout, stderr } = await helm(['lint', '--strict', CHART])
  t.equal(code, 0, stdout + stderr)
})

t.test(
  'each set of values gives objects with names of their own, all labelled',
  { skip },
  async (t) => {
    for (const [title, values] of Object.entries(VALUE_SETS)) {
      const objects = await render(values)
      const names = objects.map((each) =>
        [each.kind, each.metadata.namespace ?? '', each.metadata.name].join(' '),
      )
      t.equal(new Set(names).size, names.length, `${title}: ${names.length} objects`)
      for (const { kind, metadata } of objects.filter(
        ({ metadata }) => !/extra$/.test(metadata.name),
      )) {
        t.equal(
          metadata.labels?.['app.kubernetes.io/instance'],
          'tagwarden',
          `${kind} ${metadata.name}`,
        )
      }
      t.notOk(
        objects.some(({ kind }) => kind.endsWith('WebhookConfiguration')),
        'webhook configurations are made by the program',
      )
    }
  },
)

t.test('the configuration of each set is one that the program takes', { skip }, async (t) => {
  for (const [title, values] of Object.entries(VALUE_SETS)) {
    const objects = await render(values)
    const cwd = t.testdir()
    const file = join(cwd, 'tagwarden.yaml')
    writeFileSync(file, only(objects, 'ConfigMap', 'tagwarden').data['tagwarden.yaml'])
    const { cluster, listen, catalog, certificates } = await loadConfig({ file, env: {}, cwd })
    t.match(cluster, { mode: 'On', name: 'tagwarden' }, title)
    t.equal(listen.drainDelay, 5000)
    const mounts = containerOf(objects).volumeMounts.map(
      (each: { mountPath: string }) => each.mountPath,
    )
    t.ok(mounts.includes(catalog.path), 'the index lies on a volume')
    t.ok(mounts.includes(certificates.path), 'so do the certificates')
  }
})

t.test('the CA of the clients is mounted where the configuration looks', { skip }, async (t) => {
  for (const kind of ['configMap', 'secret']) {
    const objects = await render({ clients: { [kind]: 'webhook-clients', names: ['api'] } })
    const config = parse(only(objects, 'ConfigMap', 'tagwarden').data['tagwarden.yaml'])
    const { certificateAuthority, ...rest } = config.clients
    t.strictSame(rest, { names: ['api'], enforcement: 'Enforce' })
    const { volumeMounts } = containerOf(objects)
    const mount = volumeMounts.find(({ name }: { name: string }) => name === 'clients')
    const { volumes } = only(objects, 'Deployment').spec.template.spec
    const volume = volumes.find(({ name }: { name: string }) => name === 'clients')
    const source = volume[kind]
    t.equal(source.name ?? source.secretName, 'webhook-clients')
    // No subPath: what is mounted by one is never renewed.
    t.strictSame(mount, { name: 'clients', mountPath: mount.mountPath, readOnly: true })
    t.equal(certificateAuthority, join(mount.mountPath, source.items[0].path))
  }
  t.notMatch(only(await render({}), 'ConfigMap', 'tagwarden').data['tagwarden.yaml'], 'clients:')
})

t.test('names that look like numbers stay names', { skip }, async (t) => {
  const objects = await render({ fullnameOverride: '0x1' }, { release: '1e3', namespace: '007' })
  for (const { kind, metadata } of objects) {
    t.type(metadata.name, 'string', kind)
    t.equal(metadata.labels?.['app.kubernetes.io/instance'], '1e3')
    if (metadata.namespace !== undefined) t.equal(metadata.namespace, '007')
  }
  const binding = only(objects, 'ClusterRoleBinding', '0x1')
  t.strictSame(binding['subjects'][0], { kind: 'ServiceAccount', name: '0x1', namespace: '007' })
})

t.test(
  'a release called otherwise has its name in all names, within 52 characters',
  { skip },
  async (t) => {
    const long = 'a'.repeat(53)
    for (const release of ['gate', 'gate.prod', long]) {
      const objects = await render({}, { release })
      const name = only(objects, 'Deployment').metadata.name
      t.match(name, /^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$/)
      only(objects, 'ClusterRole', name)
      t.match(only(objects, 'ConfigMap').data['tagwarden.yaml'], `name: ${name}`)
    }
  },
)

t.test('a pod is drained before it is killed', { skip }, async (t) => {
  const objects = await render({ drainSeconds: 20 })
  const { spec } = only(objects, 'Deployment').spec.template
  t.match(only(objects, 'ConfigMap').data['tagwarden.yaml'], 'drainDelay: 20s')
  t.ok(spec.terminationGracePeriodSeconds > 20 + 30)
})

t.test(
  'the heap is bound by the memory limit, unless somebody else bounds it',
  { skip },
  async (t) => {
    const options = async (values: object) => {
      const { env } = containerOf(await render(values as never))
      return env.filter(({ name }: { name: string }) => name === 'NODE_OPTIONS')
    }
    t.match(await options({}), [{ value: '--max-old-space-size-percentage=70' }])
    t.match(await options({ heapPercent: 50 }), [{ value: /=50$/ }])
    t.strictSame(await options({ resources: { limits: null } }), [], 'without a limit Node decides')
    const own = [{ name: 'NODE_OPTIONS', value: '--max-old-space-size=300' }]
    t.strictSame(await options({ env: own }), own)
  },
)

t.test(
  'the Node of the image takes that bound, of the memory that it may have',
  { skip },
  async (t) => {
    const { env } = containerOf(await render({}))
    const { value } = env.find(({ name }: { name: string }) => name === 'NODE_OPTIONS')
    const script =
      'const { heap_size_limit: heap } = require("v8").getHeapStatistics();' +
      'console.log(heap / Math.min(require("os").totalmem(), process.constrainedMemory() || Infinity))'
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', script], {
      env: { NODE_OPTIONS: value },
    })
    t.ok(Number(stdout) > 0.65 && Number(stdout) < 0.8, stdout)
  },
)

t.test(
  'a changed configuration replaces the pods, another change does not',
  { skip },
  async (t) => {
    const checksum = async (values: object) =>
      only(await render(values as never), 'Deployment').spec.template.metadata.annotations[
        'checksum/config'
      ]
    const before = await checksum({})
    t.not(await checksum({ config: { log: { level: 'debug' } } }), before)
    t.equal(await checksum({ serviceMonitor: { enabled: true } }), before)
  },
)

t.test(
  'cert-manager makes the certificate, and is named where the CA is wanted',
  { skip },
  async (t) => {
    const objects = await render(VALUE_SETS['a CA of cert-manager'] ?? {})
    const leaf = only(objects, 'Certificate', 'tagwarden').spec
    t.ok(
      leaf.dnsNames.includes('tagwarden.tagwarden-system.svc'),
      'the name that the API server calls',
    )
    t.equal(leaf.issuerRef.name, 'tagwarden-ca')
    only(objects, 'Issuer', 'tagwarden-ca')
    const text = only(objects, 'ConfigMap').data['tagwarden.yaml']
    t.match(text, 'cert-manager.io/inject-ca-from=tagwarden-system/tagwarden')
    t.match(text, 'caBundle: Injected')
    const { volumes } = only(objects, 'Deployment').spec.template.spec
    const secret = volumes.find(({ name }: { name: string }) => name === 'certificates').secret
    t.equal(secret.secretName, leaf.secretName)

    const given = await render(VALUE_SETS['an issuer of cert-manager'] ?? {})
    t.equal(only(given, 'Certificate').spec.issuerRef.kind, 'ClusterIssuer')
    t.notOk(given.some(({ kind }) => kind === 'Issuer'))
  },
)

t.test(
  'annotations of webhook configurations that somebody gives are kept beside it',
  { skip },
  async (t) => {
    const config = { cluster: { webhooks: { annotations: ['a=b'] } } }
    const objects = await render({ config, certificates: { source: 'CertManager' } })
    t.match(
      only(objects, 'ConfigMap').data['tagwarden.yaml'],
      /- a=b\n *- cert-manager\.io\/inject-ca-from=/,
    )
  },
)

t.test('a network policy may say who reaches the webhook', { skip }, async (t) => {
  const ingress = async (networkPolicy: object) =>
    only(await render({ networkPolicy: { enabled: true, ...networkPolicy } }), 'NetworkPolicy').spec
      .ingress
  const ports = [{ protocol: 'TCP', port: 8443 }]
  t.strictSame(await ingress({}), [{ ports }])
  const block = { ipBlock: { cidr: '10.2.0.1/32' } }
  const [rule] = await ingress({ ingressFrom: [block] })
  t.strictSame(rule.ports, ports)
  const [first, test, ...others] = rule.from
  t.strictSame([first, others], [block, []])
  const pod = only(await render({}), 'Pod')
  t.match(pod.metadata.labels, test.podSelector.matchLabels, 'and so may the pod of helm test')
})

t.test(
  'what selects pods selects the replicas, and not the pod of helm test',
  { skip },
  async (t) => {
    const objects = await render({ networkPolicy: { enabled: true } })
    const { template, selector } = only(objects, 'Deployment').spec
    const selectors: Record<string, Readonly<Record<string, string>>> = {
      Deployment: selector.matchLabels,
      Service: only(objects, 'Service').spec.selector,
      PodDisruptionBudget: only(objects, 'PodDisruptionBudget').spec.selector.matchLabels,
      NetworkPolicy: only(objects, 'NetworkPolicy').spec.podSelector.matchLabels,
      spread: template.spec.topologySpreadConstraints[0].labelSelector.matchLabels,
    }
    for (const [title, labels] of Object.entries(selectors)) {
      t.ok(Object.keys(labels).length > 1, title)
      t.match(template.metadata.labels, labels, title)
      t.notMatch(only(objects, 'Pod').metadata.labels, labels, title)
    }
  },
)

t.test('what Helm says in the end has a policy that is right', { skip }, async (t) => {
  const { stdout } = await helm(['install', 'tagwarden', CHART, '--dry-run=client'])
  const [, policy = ''] = /<<EOF\n([\s\S]*?)\n *EOF\n/.exec(stdout) ?? []
  const { resources, problems } = parsePolicies(policy, 'NOTES.txt')
  t.strictSame(problems, [])
  t.equal(compilePolicies(resources).set.policies.length, 1)
})

t.test('values may be taken away', { skip }, async (t) => {
  const without = [{ resources: null }, { resources: { limits: null } }, { nodeSelector: null }]
  for (const values of [...without, { pullSecrets: { namespaces: null } }]) {
    const container = containerOf(await render(values))
    const bounded = JSON.stringify(container.env).includes('max-old-space')
    t.equal(bounded, !('resources' in values), JSON.stringify(values))
  }
})

t.test('another volume or strategy takes the place of the default', { skip }, async (t) => {
  const deployment = async (values: object) => only(await render({ ...values }), 'Deployment').spec
  const claim = { persistentVolumeClaim: { claimName: 'index' } }
  const volumes = async (catalogVolume: object | null) =>
    (await deployment({ catalogVolume })).template.spec.volumes.find(
      ({ name }: { name: string }) => name === 'catalog',
    )
  t.strictSame(await volumes(claim), { name: 'catalog', ...claim })
  t.strictSame(await volumes({ emptyDir: { sizeLimit: '9Gi' } }), {
    name: 'catalog',
    emptyDir: { sizeLimit: '9Gi' },
  })
  t.strictSame(await volumes(null), { name: 'catalog', emptyDir: {} })
  t.notOk('replicas' in (await deployment({ replicas: null })), 'an autoscaler says how many')
  const { strategy } = await deployment({ updateStrategy: { type: 'Recreate' } })
  t.strictSame(strategy, { type: 'Recreate' })
})

t.test('a label or annotation that is given twice is there once', { skip }, async (t) => {
  const objects = await render({
    commonLabels: { team: 'all', 'app.kubernetes.io/version': 'ours' },
    podLabels: { team: 'pods' },
    podAnnotations: { 'checksum/config': 'mine' },
    service: { labels: { team: 'service' } },
    serviceMonitor: { enabled: true, labels: { team: 'monitor' } },
    prometheusRule: { enabled: true, labels: { team: 'rule' } },
    dashboard: { enabled: true, labels: { team: 'dashboard' } },
  })
  const team = (kind: string, name?: string) => only(objects, kind, name).metadata.labels?.['team']
  t.equal(team('Service'), 'service')
  t.equal(team('ServiceMonitor'), 'monitor')
  t.equal(team('PrometheusRule'), 'rule')
  t.equal(team('ConfigMap', 'tagwarden-dashboard'), 'dashboard')
  t.equal(team('Deployment'), 'all')
  const { labels, annotations } = only(objects, 'Deployment').spec.template.metadata
  t.match(labels, { team: 'pods', 'app.kubernetes.io/version': 'ours' })
  t.match(annotations['checksum/config'], /^[0-9a-f]{64}$/)
})

t.test('who changes to cert-manager, or back, gets another Secret', { skip }, async (t) => {
  const mounted = (objects: Awaited<ReturnType<typeof render>>) =>
    only(objects, 'Deployment').spec.template.spec.volumes.find(
      ({ name }: { name: string }) => name === 'certificates',
    )
  const objects = await render({
    certificates: { source: 'CertManager' },
    serviceMonitor: { enabled: true },
  })
  const { secretName } = mounted(objects).secret
  t.equal(secretName, 'tagwarden-tls', 'the other one holds a key that cert-manager leaves there')
  t.equal(only(objects, 'Certificate', 'tagwarden').spec.secretName, secretName)
  t.equal(only(objects, 'Pod').spec.volumes[0].secret.secretName, secretName)
  const [endpoint] = only(objects, 'ServiceMonitor').spec.endpoints
  t.equal(endpoint.tlsConfig.ca.secret.name, secretName)
})

t.test('a quota of the namespace that lets replicas in lets helm test in', { skip }, async (t) => {
  const resources = { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } }
  const [container] = only(await render({ resources }), 'Pod').spec.containers
  t.match(container.resources, resources)
})

t.test('Helm says what enforcing does to pods that run already', { skip }, async (t) => {
  const rows: [values: string[], said: boolean][] = [
    [[], true],
    [['config.defaults.enforcement=Warn'], false],
    [['config.defaults.ownedObjects=Warn'], false],
    [['config.defaults.latest=Allow'], false],
  ]
  for (const [values, said] of rows) {
    const sets = values.flatMap((value) => ['--set', value])
    const { stdout } = await helm(['install', 'x', CHART, '--dry-run=client', ...sets])
    t.equal(stdout.includes('--set config.defaults.ownedObjects=Warn'), said, values.join())
  }
})

t.test('the chart installs the version that it was made with', async (t) => {
  const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  t.equal(chart.appVersion, version)
  t.equal(chart.kubeVersion, '>=1.30.0-0')
})
