import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { audit } from '../../src/audit/index.ts'
import {
  type Cluster,
  DEPLOYMENTS,
  type KubernetesObject,
  PODS,
  REPLICA_SETS,
  type ResourceName,
} from '../../src/cluster/index.ts'
import { digest, NOW } from '../fakes/facts.ts'
import { deployment, ownedBy, pod, reviewBy, WEB } from './stage.ts'

/** When garbage goes is not the machine's choice: how much is kept can be told exactly. */
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const PAGE = 500
/** Much that nobody needs, as real objects have it. */
const BALLAST = 'x'.repeat(8_000)

/** A cluster that makes its pages when they are asked for, and keeps nothing. */
function pagesOf(count: number, image: (index: number) => string): Pick<Cluster, 'pages'> {
  const owned = (kind: ResourceName, uid: string) =>
    ownedBy(kind, { metadata: { name: uid, namespace: 'shop', uid } })
  const annotations = { ballast: BALLAST }
  function make(resource: ResourceName, index: number): KubernetesObject | undefined {
    const [text, name] = [image(index), `web-${index}`]
    if (resource === DEPLOYMENTS) return deployment(name, text, { uid: `d${index}`, annotations })
    if (resource === REPLICA_SETS) {
      return deployment(name, text, { uid: `r${index}`, ...owned(DEPLOYMENTS, `d${index}`) })
    }
    if (resource !== PODS) return undefined
    const more = { annotations, ...owned(REPLICA_SETS, `r${index}`) }
    return pod(name, text, `${WEB}@${digest('b')}`, more)
  }
  return {
    async *pages<T extends KubernetesObject>(resource: ResourceName) {
      for (let at = 0; at < count; at += PAGE) {
        const page = Array.from({ length: PAGE }, (_, index) => make(resource, at + index))
        yield structuredClone(page.flatMap((each) => each ?? [])) as never as readonly T[]
      }
    },
  }
}

t.test('5,000 workloads with their pods are read by pages, and not kept', async (t) => {
  const cluster = pagesOf(5_000, (index) => (index % 10 === 0 ? `${WEB}:latest` : `${WEB}:v1.4.1`))
  collect()
  const before = process.memoryUsage().heapUsed
  let most = 0
  const onProgress = () => {
    collect()
    most = Math.max(most, process.memoryUsage().heapUsed - before)
  }
  const { report } = await audit({
    ...{ cluster, review: reviewBy(), version: '0.1.0', clock: () => NOW, batch: 500, onProgress },
  })
  t.match(report.totals, { objects: 5_000, images: 5_000, denied: 500 })
  // One page of objects is 4 MB; all of them would be some 90.
  t.ok(most < 40 * 2 ** 20, `${Math.round(most / 2 ** 20)} MiB`)
})

t.test('more findings than are kept are counted and told, the worst first', async (t) => {
  const cluster = pagesOf(12_000, () => `${WEB}:latest`)
  const { report, series, spaces } = await audit({
    ...{ cluster, review: reviewBy(), version: '0.1.0', clock: () => NOW, batch: 500 },
  })
  t.equal(report.totals.denied, 12_000)
  t.equal(report.findings.filter(({ level }) => level === 'deny').length, 10_000)
  t.match(report.notes, [/^2,000 more findings of level deny are counted and not shown/])
  t.equal(series.get('ImagePolicy shop/web\0shop\0LatestTag'), 12_000)
  t.match(spaces.get('shop'), { images: 12_000, denied: 12_000 })
})
