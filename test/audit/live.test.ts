import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createBackgroundAudit } from '../../src/audit/index.ts'
import { openCluster } from '../../src/cluster/index.ts'
import { compilePolicies } from '../../src/policies/index.ts'
import { readPoliciesInForce } from '../../src/sources/cluster.ts'
import { reviewOptions } from '../admission/reviews.ts'
import { type Result, tagwarden } from '../cli/run.ts'
import { CONTROL_PLANE, REPORT_CRDS, requireAsset, skipWithout } from '../cluster/assets.ts'
import { type ControlPlane, startControlPlane, waitFor } from '../cluster/control-plane.ts'
import { awaitKinds, installKinds } from '../cluster/kinds.ts'
import { type FakeRegistry, startFakeRegistry } from '../fakes/registry.ts'

const skip = skipWithout([...CONTROL_PLANE, REPORT_CRDS])
const ROOT = join(import.meta.dirname, '../..')

interface World {
  readonly plane: ControlPlane
  readonly registry: FakeRegistry
  readonly web: string
  readonly cwd: string
  apply(...objects: readonly object[]): Promise<void>
  kubectl(...args: string[]): Promise<string>
  audit(...args: string[]): Promise<Result>
}

async function startWorld(t: Test): Promise<World> {
  const registry = await startFakeRegistry({
    repositories: { 'acme/web': ['v1.2.3', 'v1.3.0', 'v1.4.2', 'v2.0.0', 'latest'] },
  })
  t.teardown(() => registry.close())
  const cwd = t.testdir({
    'tagwarden.yaml': `catalog: { path: ./catalog }\nregistries: [{ host: "${registry.host}", insecure: true }]\n`,
  })
  const plane = await startControlPlane({ nodes: true })
  t.teardown(() => plane.stop())
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await plane.kubectl(args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const apply = async (...objects: readonly object[]) => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    const { code, stderr } = await plane.kubectl(['apply', '-f', '-'], { input })
    if (code !== 0) throw new Error(stderr)
  }
  await installKinds(plane)
  await kubectl('create', 'namespace', 'shop')
  const audit = (...args: string[]) =>
    tagwarden(['audit', '--kubeconfig', plane.kubeconfig, ...args], { cwd })
  return { plane, registry, web: `${registry.host}/acme/web`, cwd, apply, kubectl, audit }
}

function workload(name: string, image: string, more: object = {}) {
  const labels = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop', labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } },
      ...more,
    },
  }
}

function webPolicy(web: string, spec: object = {}) {
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicy',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { images: [web], order: { semver: { range: '>=1.2.3 <2.0.0' } }, ...spec },
  }
}

t.test('tagwarden audit, over a real API server', { skip }, async (t) => {
  const { plane, registry, web, cwd, apply, kubectl, audit } = await startWorld(t)
  const json = async (...args: string[]) => {
    const { code, out, err } = await audit(...args, '--output', 'json')
    return { code, err, ...(out === '' ? {} : JSON.parse(out)) }
  }

  await t.test('without a policy, the defaults are what it judges by', async (t) => {
    t.match(await json(), { code: 0, notes: [/^No policy is in force here/] })
    await kubectl('delete', 'crd', 'imagepolicies.tagwarden.io')
    const isServed = async () =>
      (await plane.kubectl(['get', '--raw', '/apis/tagwarden.io/v1alpha1/imagepolicies'])).code ===
      0
    await waitFor(async () => !(await isServed()), { what: 'the kind is gone' })
    t.match(await json(), { code: 2, err: /ERR_INVALID_POLICY https.* has no policies/ })
    await installKinds(plane)
  })

  await apply(
    webPolicy(web),
    workload('bad', `${web}:v2.0.0`),
    workload('good', `${web}:v1.4.2`),
    workload('other', 'docker.io/library/nginx:1.27.5'),
  )
  await kubectl('-n', 'shop', 'rollout', 'status', 'deployment/good', '--timeout=300s')

  await t.test('Deployments are judged, and not their ReplicaSets and Pods', async (t) => {
    const report = await json()
    t.match(report, {
      code: 1,
      err: '',
      door: 'audit',
      interrupted: false,
      totals: { objects: 3, images: 3, denied: 1 },
      problems: [],
      findings: [
        {
          level: 'deny',
          reason: 'OutOfRange',
          subject: { kind: 'Deployment', namespace: 'shop', name: 'bad' },
          use: `${web}:v1.4.2`,
        },
      ],
    })
    t.equal(report.findings.length, 1)
    t.match(await audit(), { code: 1, out: /^Deployment shop\/bad\n {2}deny {2}containers\[0\]/ })
    t.match(await json('-l', 'app=good'), { code: 0, totals: { objects: 1 } })
    t.match(await json('-n', 'default'), { code: 0, totals: { objects: 0 } })
    t.match(await json('--policy', 'web'), { code: 1, totals: { images: 2 } })
    t.match(await json('--policy', 'wbe'), { code: 2, err: /no policy in force is called wbe/ })
    t.match(await json('-n', 'shpo'), { code: 2, err: /there is no namespace shpo/ })
  })

  await t.test('pods that run what their tag was before are found', async (t) => {
    const [pod] = (
      await kubectl('-n', 'shop', 'get', 'pods', '-l', 'app=good', '-o', 'name')
    ).split('\n')
    const old = registry.digest('acme/web', 'v1.4.2')
    const imageID = `docker-pullable://${web}@${old}`
    const status = { name: 'app', image: `${web}:v1.4.2`, imageID, ready: true, restartCount: 0 }
    const patch = {
      status: { containerStatuses: [{ ...status, started: true, state: { running: {} } }] },
    }
    await kubectl(
      '-n',
      'shop',
      'patch',
      pod ?? '',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify(patch),
    )
    t.match(await json('-l', 'app=good'), { code: 0, totals: { warned: 0, audited: 0 } })
    registry.push('acme/web', 'v1.4.2', 'another one')
    const fresh = t.testdir({ 'tagwarden.yaml': readFileSync(join(cwd, 'tagwarden.yaml')) })
    const again = ['audit', '--kubeconfig', plane.kubeconfig, '-l', 'app=good', '-o', 'json']
    const { out, code } = await tagwarden(again, { cwd: fresh })
    t.equal(code, 0)
    t.match(JSON.parse(out).findings, [
      {
        level: 'audit',
        reason: 'TagElsewhere',
        message: /^Pods run sha256:.+ In the registry v1\.4\.2 is/,
      },
    ])
  })

  await t.test('what policies that are not in force would change', async (t) => {
    const file = join(cwd, 'stricter.json')
    writeFileSync(
      file,
      JSON.stringify(webPolicy(web, { order: { semver: { range: '^2' } }, action: 'Track' })),
    )
    t.match(await json('--what-if', file), {
      code: 1,
      difference: { newlyDenied: 1, noLongerDenied: 1, moved: 1, gone: [{ reason: 'OutOfRange' }] },
      findings: [{ level: 'deny', subject: { name: 'good' } }],
      changes: [
        { subject: { name: 'bad' }, to: `${web}:v2.0.0@${registry.digest('acme/web', 'v2.0.0')}` },
      ],
    })
  })

  await t.test('who may see one kind only is told what could not be seen', async (t) => {
    await kubectl('-n', 'shop', 'create', 'serviceaccount', 'auditor')
    await kubectl(
      'create',
      'clusterrole',
      'auditor',
      '--verb=get,list',
      '--resource=deployments.apps,imagepolicies.tagwarden.io',
    )
    await kubectl(
      'create',
      'clusterrolebinding',
      'auditor',
      '--clusterrole=auditor',
      '--serviceaccount=shop:auditor',
    )
    const kubeconfig = await plane.kubeconfigFor('shop', 'auditor')
    const { out, code } = await tagwarden(['audit', '--kubeconfig', kubeconfig, '-o', 'json'], {
      cwd,
    })
    const report = JSON.parse(out)
    t.equal(code, 2)
    t.match(report, { totals: { objects: 3, denied: 1 } })
    const places = report.problems.map(({ place }: { place: string }) => place)
    t.ok(places.includes('pods') && places.includes('statefulsets.apps'), places.join())
    t.notOk(places.includes('deployments.apps'))
  })

  await t.test('--watch tells what is new and what is gone, until Ctrl-C', async (t) => {
    const args = [
      join(ROOT, 'bin/tagwarden.js'),
      'audit',
      '--kubeconfig',
      plane.kubeconfig,
      '--watch',
    ]
    const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    let out = ''
    child.stdout.on('data', (part) => {
      out += part
    })
    await waitFor(async () => /^\+ deny {2}shop {2}Deployment bad app {2}/m.test(out), {
      what: 'the first look',
    })
    await kubectl('-n', 'shop', 'delete', 'deployment', 'bad')
    await waitFor(async () => /^- deny {2}shop {2}Deployment bad app {2}/m.test(out), {
      what: 'the change',
    })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    t.equal(await ended, 130)
  })
  await t.test('the leader writes reports, again only when they change', async (t) => {
    await kubectl('apply', '--server-side', '-f', requireAsset(REPORT_CRDS))
    await awaitKinds(plane, ['reports.openreports.io'])
    await apply(workload('worse', `${web}:v0.0.1`))
    const cluster = await openCluster({ kubeconfig: plane.kubeconfig })
    t.teardown(() => cluster.close())
    const { resources } = await readPoliciesInForce(cluster)
    const { set } = compilePolicies(resources)
    const lines: string[] = []
    const write = (fields: object, message: string) =>
      void lines.push(`${message} ${JSON.stringify(fields)}`)
    const source = { snapshot: () => undefined, gather: async () => FAILURE }
    const background = createBackgroundAudit({
      ...{ cluster, name: 'tagwarden', version: '0.1.0', interval: 10 },
      review: reviewOptions([], { policies: () => set, source, clock: Date.now }),
      ...{ onPolicies: () => () => {}, customKinds: async () => [] },
      excludedNamespaces: new Set(['kube-system']),
      log: { info: write, warn: write },
      timer: (run, ms) => {
        const timeout = setTimeout(run, Math.min(ms, 20))
        return () => clearTimeout(timeout)
      },
    })
    const end = new AbortController()
    const leading = background.lead(end.signal)
    const audits = () => lines.filter((line) => line.startsWith('what runs was'))
    await waitFor(() => audits().length > 1, { what: 'two audits' })
    end.abort()
    await leading
    t.match(audits()[0], /"written":1,"removed":0,"kept":0,"failed":0/)
    t.match(audits()[1], /"written":0,"removed":0,"kept":1,"failed":0/)
    const report = JSON.parse(
      await kubectl('-n', 'shop', 'get', 'reports', 'tagwarden', '-o', 'json'),
    )
    const fault = { policy: 'ImagePolicy shop/web', result: 'fail', scored: true }
    t.match(report, {
      summary: { fail: 2, error: 0, skip: 0 },
      results: [
        { ...fault, rule: 'RegistryUnavailable', resources: [{ name: 'good' }] },
        { ...fault, rule: 'OutOfRange', resources: [{ name: 'worse' }] },
      ],
    })
    t.equal(report.metadata.generation, 1)
  })
})

const FAILURE = { code: 'ERR_REGISTRY_UNREACHABLE', message: 'no answer', at: 0 } as const
