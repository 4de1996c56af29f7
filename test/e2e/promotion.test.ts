import t, { type Test } from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { type ClusterEvent, openCluster, type ResourceName } from '../../src/cluster/index.ts'
import { compilePolicies, type PolicySet, parsePolicies } from '../../src/policies/index.ts'
import { startPromoter } from '../../src/promotion/index.ts'
import { createRegistryClient } from '../../src/registry/index.ts'
import { createScanner } from '../../src/scanner/index.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { waitFor } from '../cluster/control-plane.ts'
import { DEFAULTS } from '../fakes/facts.ts'
import { deployment, GENERATION, IMAGE, startWorld, type World, webPolicy } from './world.ts'

const skip = skipWithoutControlPlane()
const HOUR = 3_600_000
const DAY = 24 * HOUR
const ROLLOUTS: ResourceName = {
  ...{ group: 'example.com', version: 'v1', plural: 'rollouts', kind: 'Rollout', namespaced: true },
}
const PATHS = ['/spec/template/spec/containers/*/image']
const FIELDS = [{ group: 'example.com', kind: 'Rollout', paths: PATHS }]

/** A leader in this process, beside the webhooks of `tagwarden dev`. */
async function startLeader(t: Test, world: World) {
  const { registry, cluster, image } = world
  const web = image('acme/web')
  const settings = [{ host: web.split('/')[0] as string, insecure: true }]
  const catalog = createCatalog()
  const scanner = createScanner({
    catalog,
    client: createRegistryClient({ settings }),
    interval: 1e9,
  })
  const connection = await openCluster({ kubeconfig: cluster.kubeconfig })
  const events: ClusterEvent[] = []
  const log: string[] = []
  // one o'clock of tomorrow
  let offset = DAY - (Date.now() % DAY) + HOUR
  const write = (_: object, message: string) => void log.push(message)
  const listeners = new Set<() => void>()
  let set: PolicySet
  const compile = (spec: string) => {
    const { resources, problems } = parsePolicies(webPolicy(web, spec), 'web.yaml')
    const compiled = compilePolicies(resources)
    t.strictSame([...problems, ...compiled.problems], [])
    set = compiled.set
  }
  compile('promote: OnApply')
  const use = (spec: string) => {
    compile(spec)
    for (const listener of listeners) listener()
  }
  const lead = () => {
    const promoter = startPromoter({
      cluster: connection,
      review: {
        ...{ policies: () => set, source: scanner, defaults: DEFAULTS, fields: FIELDS },
        ...{ controllers: new Set<string>(), prefix: 'fluxcd.io', deadline: 10_000 },
      },
      onPolicies: (listener) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      onScanned: scanner.onScanned,
      snapshot: (key) => catalog.get(key),
      subjectOf: () => undefined,
      events: { record: (event) => void events.push(event), close: async () => {} },
      customKinds: async () => [ROLLOUTS],
      excludedNamespaces: new Set(['kube-system']),
      clock: () => Date.now() + offset,
      // The clock may be set: nobody sleeps long.
      timer: (run, ms) => {
        const timeout = setTimeout(run, ms > 1e6 ? ms : Math.min(ms, 1_000))
        return () => clearTimeout(timeout)
      },
      log: { debug: write, info: write, warn: write },
    })
    leading = promoter.lead(end.signal)
  }
  const end = new AbortController()
  let leading: Promise<void> | undefined
  t.teardown(async () => {
    end.abort()
    await leading
    await scanner.stop()
    await connection.close()
  })
  return {
    log,
    use,
    lead,
    later: (ms: number) => {
      offset += ms
    },
    promoted: () =>
      events.filter(({ reason }) => reason === 'Promoted').map(({ about }) => about.name),
    /** a new version is there, and the index knows it */
    push: async (tag: string) => {
      registry.push('acme/web', tag)
      t.equal(await scanner.scanNow(web), undefined)
    },
  }
}

t.test('workloads of a real cluster are promoted', { skip }, async (t) => {
  const world = await startWorld(t, { auditLog: true })
  const { kubectl, get, registry, image, cluster } = world
  const web = image('acme/web')
  const pinned = (tag: string) => `${web}:${tag}@${registry.digest('acme/web', tag)}`
  const leader = await startLeader(t, world)
  const names = ['a', 'b', 'c', 'd', 'e']
  const manifest = (name: string) => deployment(name, `${web}:v1.3.0`, { replicas: 1 })
  const all = names.map(manifest).join('---\n')
  const imageOf = (name: string) => get(`deployment/${name}`, IMAGE)
  const running = (name: string, tag: string) =>
    waitFor(async () => (await imageOf(name)) === pinned(tag), {
      what: `${name} runs ${tag}`,
    }).catch((error) => {
      throw new Error(`${error.message}\n${leader.log.slice(-10).join('\n')}`)
    })
  /** Until their pods are those of the last generation, and are available. */
  const settled = async (all: readonly string[]) => {
    for (const name of all) await kubectl(`rollout status deployment/${name} --timeout=300s`)
  }
  await t.test(
    'a new version: 5 Deployments, a canary first, one new ReplicaSet each',
    async (t) => {
      await kubectl('apply -f -', all)
      for (const name of names) t.equal(await imageOf(name), pinned('v1.4.2'))
      await settled(names)
      leader.use('promote: Continuously\n  promotion: { canary: 1 }')
      leader.lead()
      await leader.push('v1.4.3')
      for (const name of names) await running(name, 'v1.4.3')
      await settled(names)
      await waitFor(() => leader.promoted().length >= names.length, { what: 'each move is told' })
      t.strictSame(leader.promoted(), names, 'in order, each once')
      const sets = (await kubectl('get replicasets -o name')).trim().split('\n')
      t.equal(sets.length, 10, 'the old one and one new one for each')
      for (const name of names) t.equal(await get(`deployment/${name}`, GENERATION), '2')
    },
  )

  await t.test('the same manifest again: no conflict, no change, a clean diff', async (t) => {
    const before = await get('deployment/a', '{.metadata.managedFields[*].manager}')
    t.notMatch(before, /tagwarden/)
    await kubectl('apply -f -', all)
    const { code, stdout } = await cluster.kubectl(['diff', '-f', '-'], { input: all })
    t.equal(code, 0, `kubectl diff is clean\n${stdout}`)
    for (const name of names) {
      t.equal(await imageOf(name), pinned('v1.4.3'))
      t.equal(await get(`deployment/${name}`, GENERATION), '2')
    }
  })

  await t.test(
    'server-side apply: the applier still owns the image, and meets no conflict',
    async (t) => {
      await kubectl('apply --server-side --field-manager=flux -f -', manifest('ssa'))
      await settled(['ssa'])
      const owners = async () =>
        JSON.parse(await kubectl('get deployment/ssa -o json --show-managed-fields'))
          .metadata.managedFields.filter((each: object) =>
            JSON.stringify(each).includes('"f:image":'),
          )
          .map(
            (each: { manager: string; operation: string }) => `${each.manager} ${each.operation}`,
          )
      t.strictSame(await owners(), ['flux Apply'])
      await leader.push('v1.4.4')
      await running('ssa', 'v1.4.4')
      await waitFor(async () => String(await owners()) === 'flux Apply', {
        what: 'flux owns the image again',
      })
      const generation = await get('deployment/ssa', GENERATION)
      for (const more of ['', ' --force-conflicts', ' --dry-run=server']) {
        await kubectl(`apply --server-side --field-manager=flux${more} -f -`, manifest('ssa'))
      }
      const part =
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: ssa, labels: { team: x } }\n'
      await kubectl('apply --server-side --field-manager=other -f -', part)
      await kubectl(
        'apply --server-side --field-manager=other --force-conflicts -f -',
        manifest('ssa'),
      )
      t.equal(await get('deployment/ssa', GENERATION), generation)
      t.equal(await imageOf('ssa'), pinned('v1.4.4'))
      const input = manifest('ssa')
      const { code, stdout } = await cluster.kubectl(
        ['diff', '--server-side', '--field-manager=flux', '--force-conflicts', '-f', '-'],
        { input },
      )
      t.equal(code, 0, stdout)
      for (const name of names) await running(name, 'v1.4.4')
    },
  )

  await t.test(
    'what was applied client-side can be applied server-side after a promotion',
    async (t) => {
      // kubectl rewrites its own annotation, and each change of one is a generation of a Deployment
      const spec = await get('deployment/b', '{.spec}')
      await kubectl('apply --server-side -f -', manifest('b'))
      t.equal(await get('deployment/b', '{.spec}'), spec)
      t.equal(await imageOf('b'), pinned('v1.4.4'))
    },
  )

  await t.test('a rollback holds, until something newer comes', async (t) => {
    await settled(['c'])
    await kubectl('rollout undo deployment/c')
    t.equal(await imageOf('c'), pinned('v1.4.3'))
    await kubectl('apply -f -', manifest('marker'))
    leader.use('promote: Continuously')
    await running('marker', 'v1.4.4')
    t.equal(await imageOf('c'), pinned('v1.4.3'), 'another is moved, and this one is not')
    await leader.push('v1.4.5')
    for (const name of names) await running(name, 'v1.4.5')
    const moves = () => leader.promoted().filter((name) => name === 'c')
    await waitFor(() => moves().length >= 3, { what: 'the third move is told' })
    t.equal(moves().length, 3, 'v1.4.3, v1.4.4, v1.4.5: and not v1.4.4 twice')
  })

  await t.test('a StatefulSet, a DaemonSet, a CronJob and a custom kind', async (t) => {
    const template = `metadata: { labels: { app: kinds } }
    spec: { restartPolicy: RESTART, containers: [{ name: app, image: "${web}:v1.3.0" }] }`
    const of = (kind: string, api: string, spec: string) =>
      `apiVersion: ${api}\nkind: ${kind}\nmetadata: { name: kinds }\nspec:\n${spec}`
    const pods = (more: string) => `  selector: { matchLabels: { app: kinds } }\n${more}  template:
    ${template.replace('RESTART', 'Always')}\n`
    const objects = [
      of('StatefulSet', 'apps/v1', pods('  serviceName: kinds\n')),
      of('DaemonSet', 'apps/v1', pods('')),
      of('Rollout', 'example.com/v1', pods('')),
      of(
        'CronJob',
        'batch/v1',
        `  schedule: "0 0 1 1 *"\n  jobTemplate: { spec: { template: { spec: { restartPolicy: Never, containers: [{ name: app, image: "${web}:v1.3.0" }] } } } }\n`,
      ),
    ]
    await kubectl('apply -f -', objects.join('---\n'))
    await leader.push('v1.4.6')
    for (const kind of ['statefulset', 'daemonset', 'rollout.example.com']) {
      await waitFor(async () => (await get(`${kind}/kinds`, IMAGE)) === pinned('v1.4.6'), {
        what: `the ${kind} runs v1.4.6`,
      })
    }
    const cron = '{.spec.jobTemplate.spec.template.spec.containers[0].image}'
    await waitFor(async () => (await get('cronjob/kinds', cron)) === pinned('v1.4.6'), {
      what: 'the CronJob runs v1.4.6',
    })
    for (const name of names) await running(name, 'v1.4.6')
    await kubectl('apply -f -', objects.join('---\n'))
    t.equal(await get('cronjob/kinds', cron), pinned('v1.4.6'))
  })

  await t.test('a closed window: nothing moves, and then it opens', async (t) => {
    leader.use(
      'promote: Continuously\n  promotion: { windows: [{ schedule: "0 2 * * *", duration: 1h }] }',
    )
    await leader.push('v1.4.7')
    await waitFor(() => leader.log.some((line) => /wait for the next window/.test(line)), {
      what: 'it is told that workloads wait',
    })
    for (const name of names) t.equal(await imageOf(name), pinned('v1.4.6'))
    leader.later(HOUR)
    for (const name of names) await running(name, 'v1.4.7')
  })
})
