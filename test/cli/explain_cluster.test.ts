import t from 'tap'
import { affectedLines } from '../../src/cli/affected_workloads.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { startControlPlane } from '../cluster/control-plane.ts'
import { installKinds } from '../cluster/kinds.ts'
import { startFakeRegistry } from '../fakes/registry.ts'
import { tagwarden } from './run.ts'

t.test('who is affected: denied first, at most fifty, the rest counted', (t) => {
  const image = {
    ...{ kind: 'Deployment', namespace: 'shop', workload: 'web', container: 'app' },
    ...{ image: 'acme/web:v1', level: undefined, reason: undefined, becomes: undefined },
  }
  const denied = { ...image, workload: 'bad', level: 'deny', reason: 'LatestTag' } as const
  const moved = { ...image, workload: 'old', becomes: { to: 'acme/web:v2', policy: 'p' } }
  const counts = { total: 1_234, denied: 1, warned: 0, moved: 1 }
  const images = [...Array(60).fill(image), moved, denied]
  const lines = affectedLines('acme/web', { ...counts, images, problems: ['pods: forbidden'] })
  t.strictSame(lines.slice(0, 4), [
    '1,234 images in the cluster are of acme/web: 1 denied, 0 with warnings, 1 would move',
    '  Deployment shop/bad "app"  acme/web:v1  denied [LatestTag]',
    '  Deployment shop/old "app"  acme/web:v1  becomes acme/web:v2',
    '  Deployment shop/web "app"  acme/web:v1  stays as it is',
  ])
  t.strictSame(lines.slice(-2), ['  and 1,184 more', '  not looked at: pods: forbidden'])
  t.end()
})

const skip = skipWithoutControlPlane()
t.test('explain --cluster', { skip }, async (t) => {
  const registry = await startFakeRegistry({
    repositories: { 'acme/web': ['v1.2.3', 'v1.4.2', 'v2.0.0', 'latest'] },
  })
  t.teardown(() => registry.close())
  const web = `${registry.host}/acme/web`
  const cwd = t.testdir({
    'tagwarden.yaml': `registries: [{ host: "${registry.host}", insecure: true }]\n`,
    'other.yaml': `apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: two }
spec: { images: ["${web}"], order: { semver: { range: ^2 } } }
`,
  })
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  const kubectl = async (args: readonly string[], input?: string) => {
    const { code, stderr } = await plane.kubectl(args, input === undefined ? {} : { input })
    if (code !== 0) throw new Error(stderr)
  }
  await installKinds(plane)
  await kubectl(['create', 'namespace', 'shop'])
  const deployment = (name: string, image: string) => `---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec: { containers: [{ name: app, image: "${image}" }] }
`
  await kubectl(
    ['apply', '-f', '-'],
    `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: shop }
spec: { images: ["${web}"], order: { semver: { range: ^1 } } }
---
apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicyException
metadata: { name: two, namespace: shop }
spec: { images: ["${web}:v2.*"], reason: OPS-1, expires: "2099-01-01T00:00:00Z" }
${deployment('old', `${web}:v1.2.3`)}${deployment('bad', `${web}:latest`)}${deployment('x', 'quay.io/acme/other:v1')}`,
  )
  const status = {
    status: {
      lastPromotion: { time: '2026-11-20T10:00:00Z', image: web, tag: 'v1.2.3', count: 3 },
    },
  }
  const patch = ['patch', 'imagepolicy.tagwarden.io', 'web', '-n', 'shop', '--subresource=status']
  await kubectl([...patch, '--type=merge', '-p', JSON.stringify(status)])
  const explain = (...args: string[]) =>
    tagwarden(['explain', `${web}:v2.0.0`, '--kubeconfig', plane.kubeconfig, ...args], { cwd })

  await t.test(
    'uses the policies and exceptions in force, and tells whom they affect',
    async (t) => {
      const { code, out, err } = await explain('--cluster')
      t.equal(code, 0, err)
      t.match(out, /ImagePolicy shop\/web \(Track/)
      t.match(out, /ImagePolicyException shop\/two lets it through until 2099-01-01: OPS-1/)
      t.match(out, /2026-11-20 10:00Z {2}ImagePolicy shop\/web moved 3 workloads to v1\.2\.3/)
      t.match(out, /2 images in the cluster are of .*: 1 denied, 0 with warnings, 1 would move/)
      t.match(out, /Deployment shop\/bad "app" .* denied \[LatestTag\]\n/)
      t.match(out, /Deployment shop\/old "app" .* becomes .*:v1\.4\.2@sha256:/)
      const json = JSON.parse((await explain('--output', 'json')).out)
      t.match(json, {
        verdict: 'warned',
        timeline: [{ event: 'begun' }, { event: 'promoted', tag: 'v1.2.3', count: 3 }],
        workloads: { total: 2, denied: 1, moved: 1, problems: [] },
      })
      t.equal(json.workloads.images.length, 2)
    },
  )

  await t.test('with --policies, what those would say instead', async (t) => {
    const { code, out } = await explain('--policies', 'other.yaml')
    t.equal(code, 0)
    t.match(out, /ClusterImagePolicy two/)
    t.match(out, /Deployment shop\/old "app" .* denied \[OutOfRange\]/)
  })

  await t.test('a cluster that cannot be asked is exit code 2', async (t) => {
    const { code, err } = await explain('--context', 'nowhere')
    t.equal(code, 2)
    t.match(err, /ERR_CLUSTER .*nowhere/)
  })
})
