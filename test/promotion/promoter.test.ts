import t from 'tap'
import { IMAGE_POLICIES } from '../../src/cluster/index.ts'
import { deploy, SECOND, storePolicy, trackAll, WEB, world } from './world.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']
const NEW = ['v1.3.0', 'v1.4.1', 'v1.4.2', 'v1.4.3']

t.test('a newer version moves every workload of the policy, each once', async (t) => {
  const w = world(t)
  storePolicy(w)
  deploy(w, NAMES)
  w.lead()
  await w.pass(10 * SECOND)
  t.strictSame(w.moved(), [], 'nothing is newer')
  w.scan(NEW)
  await w.pass(10 * SECOND)
  t.strictSame(w.moved(), NAMES)
  t.strictSame(Object.values(w.tags()), Array(5).fill('v1.4.3'))
  t.strictSame(
    w.told('Deployment'),
    NAMES.map((name) => `${name} Promoted`),
  )
  t.match(w.events[0], {
    type: 'Normal',
    about: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'a' },
    message: 'app: v1.4.2 -> v1.4.3 by ImagePolicy shop/web',
  })
  const words = new Set(
    w.events.filter(({ about }) => about.kind === 'ImagePolicy').map(({ message }) => message),
  )
  t.equal(words.size, 1, 'events on the policy have equal words, so that they become one')
  const [stored] = w.cluster.all(IMAGE_POLICIES) as unknown as { status: object }[]
  t.match(stored?.status, { lastPromotion: { image: WEB, tag: 'v1.4.3', count: 5 } })
  w.scan(NEW)
  await w.pass(60 * SECOND)
  t.equal(w.moved().length, 5)
})

t.test('what runs a version that is ignored by now moves to something newer', async (t) => {
  const ignoring = trackAll({ rule: { ignore: ['^v1\\.4\\.2$'] } })
  const w = world(t, [ignoring])
  deploy(w, NAMES)
  w.lead()
  await w.pass(10 * SECOND)
  t.strictSame(w.moved(), [], 'never to something older')
  w.scan(NEW)
  await w.pass(10 * SECOND)
  t.strictSame(w.moved(), NAMES)
})

t.test('nothing is listed while there is nothing to do', async (t) => {
  const w = world(t)
  deploy(w, NAMES)
  w.lead()
  await w.pass(10 * SECOND)
  const lists = () => w.cluster.calls.filter(({ verb }) => verb === 'list').length
  const before = lists()
  for (let scan = 0; scan < 10; scan += 1) {
    w.scan(['v1.3.0', 'v1.4.1', 'v1.4.2', 'v2.0.0', `main-${scan}`])
    await w.pass(600 * SECOND)
  }
  t.equal(lists(), before)
  w.setPolicies([trackAll({ promote: 'OnApply' })])
  w.scan(NEW)
  await w.pass(600 * SECOND)
  t.equal(lists(), before)
  t.strictSame(w.moved(), [])
})
