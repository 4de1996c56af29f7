import t from 'tap'
import { skipWithoutControlPlane } from './assets.ts'
import { startControlPlane, waitFor } from './control-plane.ts'

const skip = skipWithoutControlPlane()
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: app, image: "example.com/web:1" }] }
`

t.test('a Deployment becomes ready, and is rolled back', { skip, timeout: 120_000 }, async (t) => {
  const cluster = await startControlPlane({ nodes: true })
  t.teardown(() => cluster.stop())
  const kubectl = async (args: string, input = '') => {
    const result = await cluster.kubectl(args.split(' '), { input })
    t.equal(result.code, 0, `kubectl ${args}: ${result.stderr}`)
    return result.stdout
  }
  await kubectl('create -f -', DEPLOYMENT)
  await kubectl('rollout status deployment/web --timeout=60s')
  await kubectl('set image deployment/web app=example.com/web:2')
  await kubectl('rollout status deployment/web --timeout=60s')
  await kubectl('rollout undo deployment/web')
  const path = 'jsonpath={.spec.template.spec.containers[0].image}'
  t.equal(await kubectl(`get deployment/web -o ${path}`), 'example.com/web:1')
  await cluster.stop()
  await waitFor(async () => (await cluster.kubectl(['version'])).code !== 0, {
    timeout: 10_000,
    what: 'nobody listens any more',
  })
})
