import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  asset,
  CONTROL_PLANE,
  CRANE,
  HELM,
  OPERATOR_CRDS,
  REGISTRIES,
  REPORT_CRDS,
  requireAsset,
  skipWithout,
  skipWithoutControlPlane,
} from './assets.ts'

t.beforeEach((t) => {
  const { KUBEBUILDER_ASSETS, TAGWARDEN_TEST_ASSETS, CI } = process.env
  t.teardown(() => {
    for (const [name, value] of Object.entries({ KUBEBUILDER_ASSETS, TAGWARDEN_TEST_ASSETS, CI })) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  })
  delete process.env['CI']
  delete process.env['KUBEBUILDER_ASSETS']
  process.env['TAGWARDEN_TEST_ASSETS'] = '/nowhere'
})

t.test('a machine without the parts is told the command that gets them', (t) => {
  const reason = skipWithoutControlPlane()
  t.match(reason, /^etcd, kube-apiserver, .* missing: run "bash scripts\/test-assets\.sh"/)
  t.throws(() => requireAsset('etcd'), { message: /^etcd is missing: run "bash scripts/ })
  t.end()
})

t.test('CI never skips: it runs, and fails', (t) => {
  process.env['CI'] = 'true'
  t.equal(skipWithoutControlPlane(), false)
  t.throws(() => requireAsset('etcd'), { message: /test-assets\.sh/ })
  t.end()
})

t.test('KUBEBUILDER_ASSETS comes before the cache, the cache has the rest', (t) => {
  const folder = t.testdir({
    own: { etcd: '' },
    cache: { envtest: { '1.36.3': { etcd: '', kwok: '' } }, bin: { 'crane-v0.22.1': '' } },
  })
  process.env['KUBEBUILDER_ASSETS'] = join(folder, 'own')
  process.env['TAGWARDEN_TEST_ASSETS'] = join(folder, 'cache')
  t.equal(asset('etcd'), join(folder, 'own/etcd'))
  t.equal(asset('kwok'), join(folder, 'cache/envtest/1.36.3/kwok'))
  t.equal(asset('crane-v0.22.1'), join(folder, 'cache/bin/crane-v0.22.1'))
  t.equal(asset('kubectl'), undefined)
  t.equal(skipWithout(['etcd', 'kwok']), false)
  t.match(skipWithoutControlPlane(), /^kube-apiserver, .*kubectl, kwok-stages.yaml missing/)
  t.end()
})

t.test('empty variables are as none', (t) => {
  process.env['KUBEBUILDER_ASSETS'] = ''
  process.env['TAGWARDEN_TEST_ASSETS'] = ''
  process.env['CI'] = ''
  const home = process.env['HOME']
  t.teardown(() => {
    if (home !== undefined) process.env['HOME'] = home
  })
  process.env['HOME'] = t.testdir()
  t.match(skipWithout(CONTROL_PLANE), /missing/)
  t.end()
})

t.test('the script gets each part that tests ask for, in the version that they ask for', (t) => {
  const script = readFileSync(join(import.meta.dirname, '../../scripts/test-assets.sh'), 'utf8')
  const versions = Object.fromEntries(
    [...script.matchAll(/^([A-Z_]+)=(\S+)/gm)].map(([, name = '', version = '']) => [
      name,
      version,
    ]),
  )
  const filled = script.replace(/\$\{?([A-Z_]+)\}?/g, (all, name) => versions[name] ?? all)
  for (const name of [
    ...[...CONTROL_PLANE, ...Object.values(REGISTRIES)],
    ...[CRANE, HELM, OPERATOR_CRDS, REPORT_CRDS],
  ]) {
    t.ok(filled.includes(name), name)
  }
  t.end()
})
