import t from 'tap'
import { startFakeRegistry } from '../fakes/registry.ts'
import { tagwarden } from './run.ts'

t.test('explain', async (t) => {
  const registry = await startFakeRegistry({
    repositories: {
      'acme/web': ['v1.2.3', 'v1.4.1', 'v1.4.2', 'v1.5.0-rc.1', 'v2.0.0', 'nightly', 'latest'],
    },
  })
  t.teardown(() => registry.close())
  const name = `${registry.host}/acme/web`
  const policy = (namespace: string, spec: string) => `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: ${namespace} }
spec: { images: ["${name}"], order: { semver: { range: ">=1.2.3 <2.0.0" } }, ${spec} }
`
  const cwd = t.testdir({
    policies: { 'web.yaml': policy('shop', 'action: Track') },
    more: {
      'web.yaml': policy('shop', 'action: Pin'),
      'other.yaml': policy('other', 'action: Verify'),
    },
    wrong: { 'web.yaml': policy('shop', 'action: Trakc') },
    'tagwarden.yaml': `policies: [policies]\ncatalog: { path: catalog }\nregistries: [{ host: "${registry.host}", insecure: true }]\n`,
  })
  const explain = (...args: string[]) => tagwarden(['explain', ...args], { cwd })
  const json = async (...args: string[]) => {
    const { code, out, err } = await explain(...args, '--output', 'json')
    t.equal(err, '', args.join(' '))
    return { code, ...JSON.parse(out) }
  }

  await t.test(
    'shows the reference, the policies, the funnel, and what the image becomes',
    async (t) => {
      const digest = registry.digest('acme/web', 'v1.4.2')
      t.match(await json(`${name}:v1.2.3`), {
        code: 0,
        reference: {
          registry: registry.host,
          repository: 'acme/web',
          tag: 'v1.2.3',
          digest: null,
          normalized: `${name}:v1.2.3`,
        },
        policies: [
          {
            kind: 'ImagePolicy',
            namespace: 'shop',
            name: 'web',
            action: 'Track',
            permits: 'semver >=1.2.3 <2.0.0',
            counts: { tags: 7, matched: 7, versions: 5, permitted: 3, usable: 3 },
            best: ['v1.4.2', 'v1.4.1', 'v1.2.3'],
          },
        ],
        verdict: 'allowed',
        findings: [],
        change: {
          to: `${name}:v1.4.2@${digest}`,
          tag: 'v1.4.2',
          digest,
          policy: 'ImagePolicy shop/web',
        },
      })
      const { out } = await explain(`${name}:v1.2.3`)
      t.match(out, /7 tags in the index/)
      t.match(out, /-> v1\.4\.2@sha256:/)
      t.match(out, /next best: v1\.4\.1, v1\.2\.3; newest beyond: v2\.0\.0 \(OutOfRange\)/)
      t.match(out, /ALLOWED\n {2}becomes /)
    },
  )

  await t.test('a denial exits 1 and says what to write', async (t) => {
    t.match(await json(name), {
      code: 1,
      verdict: 'denied',
      reference: { tag: null },
      findings: [
        {
          reason: 'LatestTag',
          enforcement: 'Enforce',
          policy: 'ImagePolicy shop/web',
          use: `${name}:v1.4.2`,
        },
      ],
      change: null,
    })
    t.match(await json(`${name}:v9.9.9`), { code: 1, findings: [{ reason: 'OutOfRange' }] })
    t.match(await json(`${name}:v1.9.9`), { code: 1, findings: [{ reason: 'TagNotFound' }] })
  })

  await t.test('policies of several namespaces', async (t) => {
    const both = await json(`${name}:v1.2.3`, '--policies', 'more', '--namespace', 'other')
    t.match(both, {
      policies: [{ namespace: 'other', action: 'Verify' }],
      elsewhere: ['ImagePolicy shop/web'],
      change: null,
    })
    t.match(await json(`${name}:v1.2.3`, '--policies', 'more', '-n', 'shop'), {
      change: { tag: 'v1.2.3' },
    })
  })

  await t.test('no policy: the defaults of the configuration', async (t) => {
    t.match(await json('ghcr.io/other/x:v1'), { code: 0, policies: [], verdict: 'allowed' })
    t.match(await json('ghcr.io/other/x'), {
      code: 1,
      findings: [{ reason: 'LatestTag', policy: null }],
    })
  })

  await t.test('the index is kept: it answers when the registry is gone', async (t) => {
    registry.faults = { statuses: Array(100).fill(500) }
    t.match(await json(`${name}:v1.2.3`), { code: 0, change: { tag: 'v1.4.2' } })
    registry.faults = {}
  })

  await t.test('what is wrong exits 2', async (t) => {
    const rows: [string[], RegExp][] = [
      [['Foo/BAR'], /ERR_INVALID_REFERENCE .*lower case/],
      [[''], /ERR_INVALID_REFERENCE/],
      [['\u001b[2J'], /ERR_INVALID_REFERENCE/],
      [['x'.repeat(5000)], /ERR_INVALID_REFERENCE/],
      [[name, '--policies', 'nowhere'], /nowhere/],
      [[name, '--policies', 'wrong'], /web\.yaml:4:\d+: spec\.action/],
      [[name, '--config', 'nowhere.yaml'], /ERR_INVALID_CONFIG/],
      [[], /missing required argument/],
    ]
    for (const [args, message] of rows) {
      const { code, err } = await explain(...args)
      t.equal(code, 2, args.join(' ').slice(0, 50))
      t.match(err, message)
      t.notMatch(err, /\u001b/)
      t.notMatch(err, /\n\s+at /)
    }
  })
})

t.test('without a configuration, the examples are there to try', async (t) => {
  const cwd = t.testdir({})
  const { code, out } = await tagwarden(['explain', 'registry.example.com/acme/web:v1.3.0'], {
    cwd,
  })
  t.equal(code, 0)
  t.match(out, /becomes registry\.example\.com\/acme\/web:v1\.4\.2@sha256:/)
})

t.test('help and version', async (t) => {
  t.match(await tagwarden(['--help']), { code: 0, out: /serve.*select.*explain.*dev/s })
  t.match(await tagwarden(['--version']), { code: 0, out: /^\d+\.\d+\.\d+\n$/ })
  t.match(await tagwarden(['srve']), { code: 2, err: /Did you mean serve/ })
})

t.test('explain shows exceptions, and what they let through', async (t) => {
  const registry = await startFakeRegistry({ repositories: { 'acme/web': ['v0.9.1', 'v1.4.2'] } })
  t.teardown(() => registry.close())
  const name = `${registry.host}/acme/web`
  const exception = (metadata: string, expires: string, more = '') => `---
apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicyException
metadata: { namespace: shop, ${metadata} }
spec: { images: ["${name}:v0.*"], reason: OPS-123, expires: "${expires}"${more} }
`
  const files = {
    'web.yaml': `apiVersion: tagwarden.io/v1alpha1
kind: ImagePolicy
metadata: { name: web, namespace: shop }
spec: { images: ["${name}"], order: { semver: { range: ^1 } } }
`,
    'past.yaml': exception('name: past', '2020-01-01T00:00:00Z'),
    'some.yaml': exception('name: some', '2099-01-01T00:00:00Z', ', match: { names: [api] }'),
  }
  const cwd = t.testdir({
    without: files,
    with: { ...files, 'x.yaml': exception('name: x', '2099-01-01T00:00:00Z') },
    'tagwarden.yaml': `policies: [with]\ncatalog: { path: catalog }\nregistries: [{ host: "${registry.host}", insecure: true }]\n`,
  })
  const explain = (...args: string[]) => tagwarden(['explain', `${name}:v0.9.1`, ...args], { cwd })

  const through = await explain()
  t.equal(through.code, 0, through.err)
  t.match(through.out, /\nImagePolicyException shop\/x lets it through until 2099-01-01: OPS-123\n/)
  t.match(through.out, /\nImagePolicyException shop\/past expired 2020-01-01: OPS-123\n/)
  t.match(through.out, /shop\/some lets it .* for some workloads only \(not looked at here\): OPS/)
  t.match(
    through.out,
    /WARNED\n {2}Warn \[OutOfRange\] .* Let through by ImagePolicyException shop\/x/,
  )
  const json = JSON.parse((await explain('--output', 'json')).out)
  t.match(json, { verdict: 'warned' })
  t.strictSame(
    json.exceptions.find((each: { name: string }) => each.name === 'past'),
    {
      namespace: 'shop',
      name: 'past',
      reason: 'OPS-123',
      expires: '2020-01-01T00:00:00.000Z',
      expired: true,
      everyWorkload: true,
    },
  )
  const denied = await explain('--policies', 'without')
  t.equal(denied.code, 1)
  t.match(denied.out, /DENIED/)
})
