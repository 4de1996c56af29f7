import t from 'tap'
import { createCatalog } from '../../src/catalog/index.ts'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { startControlPlane } from '../cluster/control-plane.ts'
import { installKinds } from '../cluster/kinds.ts'
import { pod, WEB } from '../review/review_texts.ts'
import { tagwarden } from './run.ts'

const OTHER = WEB.replace('name: web', 'name: files').replaceAll('acme/web', 'acme/api')
const GUARD = `apiVersion: tagwarden.io/v1alpha1
kind: ClusterImagePolicy
metadata: { name: guard }
spec:
  images: ["**"]
  namespaceSelector: { matchLabels: { tier: front } }
  order: { alphabetical: {} }
`
const EXCEPTION = `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicyException
metadata: { name: old, namespace: shop }
spec: { images: ["ghcr.io/acme/web:v9.*"], reason: OPS-1, expires: "2099-01-01T00:00:00Z" }
`

t.test('review by the policies in force', { skip: skipWithoutControlPlane() }, async (t) => {
  const plane = await startControlPlane()
  t.teardown(() => plane.stop())
  const kubectl = async (args: string[], input?: string) => {
    const { code, stderr } = await plane.kubectl(args, input === undefined ? {} : { input })
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
  }
  const cwd = t.testdir({
    'files.yaml': OTHER,
    'web.yaml': pod('ghcr.io/acme/web:v9.0.0'),
    'latest.yaml': pod('ghcr.io/acme/web:latest'),
    'api.yaml': pod('ghcr.io/acme/api:v9.0.0'),
    'other.yaml': pod('quay.io/x/y').replace('namespace: shop', 'namespace: other'),
    'front.yaml': pod('quay.io/x/y').replace('namespace: shop', 'namespace: front'),
  })
  const review = (...args: string[]) =>
    tagwarden(['review', '--cluster', '--offline', '--kubeconfig', plane.kubeconfig, ...args], {
      cwd,
    })

  await t.test('a cluster without Tagwarden has none', async (t) => {
    t.match(await review('web.yaml'), { code: 0 })
  })

  await installKinds(plane)
  for (const name of ['shop', 'front']) await kubectl(['create', 'namespace', name])
  await kubectl(['label', 'namespace', 'front', 'tier=front'])
  await kubectl(['apply', '-f', '-'], [WEB, GUARD, EXCEPTION].join('---\n'))

  await t.test('policies, exceptions and labels of namespaces count', async (t) => {
    t.match(await review('latest.yaml'), { code: 1, out: /LatestTag.*ImagePolicy shop\/web/ })
    const excepted = await review('web.yaml')
    t.match(excepted, { code: 0, out: /OutOfRange.*Let through by ImagePolicyException shop\/old/ })
    t.match(await review('front.yaml'), { code: 1, out: /ClusterImagePolicy guard/ })
    t.match(await review('other.yaml'), { code: 1, out: /LatestTag.*no policy says/ })
  })

  await t.test('those of files count too', async (t) => {
    t.match(await review('api.yaml'), { code: 0 })
    t.match(await review('api.yaml', '--policies', 'files.yaml'), { code: 1, out: /shop\/files/ })
  })

  await t.test(
    'what may not be read is told, and the verdict is not taken for whole',
    async (t) => {
      await kubectl(['create', 'serviceaccount', 'nobody', '-n', 'shop'])
      const kubeconfig = await plane.kubeconfigFor('shop', 'nobody')
      const { code, out } = await review('web.yaml', '--kubeconfig', kubeconfig)
      t.equal(code, 2)
      t.match(out, /ERR_CLUSTER .*forbidden|ERR_CLUSTER .*may not/i)
      t.notMatch(out, /\n\s+at /)
    },
  )

  await t.test('what the installation knows of tags counts, to whom it may be shown', async (t) => {
    const share = async (namespace: string, secret: string | undefined, tags: string[]) => {
      const catalog = createCatalog()
      const key = `ghcr.io/acme/web${secret === undefined ? '' : ` ${namespace}/${secret}`}`
      catalog.recordTags(key, tags, Date.now())
      const index = (await catalog.pack(key))?.toString('base64')
      const spec = {
        image: 'ghcr.io/acme/web',
        ...(secret !== undefined && { secretRef: { name: secret } }),
      }
      const metadata = { name: 'web', namespace }
      const own = { apiVersion: 'tagwarden.io/v1alpha1', kind: 'ImageRepository' }
      await kubectl(['apply', '-f', '-'], JSON.stringify({ ...own, metadata, spec }))
      const patch = ['--subresource', 'status', '--type', 'merge', '-p']
      await kubectl(
        ['patch', 'imagerepositories.tagwarden.io', 'web', '-n', namespace, ...patch].concat(
          JSON.stringify({ status: { index } }),
        ),
      )
    }
    await kubectl(['create', 'namespace', 'tagwarden'])
    await share('tagwarden', undefined, ['v1.2.3', 'v1.4.2', 'v2.0.0'])
    t.match(await review('latest.yaml'), { code: 1, out: /Use ghcr\.io\/acme\/web:v1\.4\.2$/m })
    await share('front', 'regcred', ['v9.0.0'])
    t.match(await review('latest.yaml'), { out: /newest is v1\.4\.2/ })
    await share('shop', 'regcred', ['v1.2.3', 'v1.9.9'])
    t.match(await review('latest.yaml'), { out: /newest is v1\.9\.9/ })
    const funnel = await review('latest.yaml', '--output', 'json')
    t.match(JSON.parse(funnel.out).funnels, {
      'ImagePolicy shop/web ghcr.io/acme/web': { chosen: { tag: 'v1.9.9' } },
    })
  })

  await t.test('a cluster that cannot be reached is exit 2', async (t) => {
    await plane.stop()
    const { code, err } = await review('web.yaml')
    t.equal(code, 2)
    t.match(err, /ERR_CLUSTER/)
  })
})
