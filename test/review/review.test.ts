import { load } from 'js-yaml'
import t from 'tap'
import { createReviewHandlers } from '../../src/admission/index.ts'
import type { FactNeed } from '../../src/decisions/index.ts'
import { TagwardenError } from '../../src/errors.ts'
import { DEFAULTS, digest, NOW, snapshot, source } from '../fakes/facts.ts'
import { pod, policySet, reviewTexts, WEB, webFacts } from './review_texts.ts'

const LATEST = 'ghcr.io/acme/web:latest'

t.test('a finding says where, what, why and what to write instead', async (t) => {
  const { report } = await reviewTexts({ 'a.yaml': `# é\n---\n${pod('other:v1', `"${LATEST}"`)}` })
  t.match(report, {
    door: 'review',
    interrupted: false,
    totals: { files: 1, objects: 1, images: 2, denied: 1, warned: 0, audited: 0, changed: 0 },
    changes: [],
    problems: [],
  })
  t.match(report.findings, [
    {
      level: 'deny',
      reason: 'LatestTag',
      policy: 'ImagePolicy shop/web',
      subject: { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web' },
      container: 'c1',
      pointer: '/spec/containers/1/image',
      image: LATEST,
      message: /newest is v1\.4\.2/,
      use: 'ghcr.io/acme/web:v1.4.2',
      location: { file: 'a.yaml', line: 11, column: 15, endLine: 11, endColumn: 38 },
      fingerprint: /^[0-9a-f]{32}$/,
    },
  ])
  const [{ funnel = '' } = {}] = report.findings
  t.match(report.funnels[funnel], {
    repository: 'ghcr.io/acme/web',
    policy: 'ImagePolicy shop/web',
    chosen: { tag: 'v1.4.2', digest: digest('b') },
    losers: [{ tag: 'v2.0.0', reason: 'OutOfRange' }],
  })
})

t.test('what a policy would resolve is a change, and no finding', async (t) => {
  const { report } = await reviewTexts({ 'a.yaml': pod('ghcr.io/acme/web:v1.2.3') })
  t.strictSame(report.findings, [])
  t.match(report.changes, [
    {
      from: 'ghcr.io/acme/web:v1.2.3',
      to: `ghcr.io/acme/web:v1.4.2@${digest('b')}`,
      policy: 'ImagePolicy shop/web',
      location: { line: 7, column: 14 },
    },
  ])
  t.equal(report.totals.changed, 1)
})

t.test('objects are found in documents of every form', async (t) => {
  const one = pod(LATEST)
  const json = (image: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'app', image }] },
  })
  const list = { apiVersion: 'v1', kind: 'List', items: [json(LATEST), json('x:v1'), json(LATEST)] }
  const typed = {
    apiVersion: 'v1',
    kind: 'PodList',
    items: [{ ...json(LATEST), kind: undefined, apiVersion: undefined }],
  }
  const rows: [text: string, images: number, lines: number[]][] = [
    [`${one}---\n${one}`, 2, [7, 15]],
    [`---\n---\n# nothing\n--- # c\n${one}...\n`, 1, [11]],
    [JSON.stringify(list, null, 1), 3, [16, 48]],
    [JSON.stringify(typed), 1, [1]],
    [JSON.stringify({ ...list, items: [list] }), 3, [1, 1]],
    [one.replaceAll('\n', '\r\n'), 1, [7]],
    [one.replaceAll('\n', '\r'), 1, [7]],
    [`\ufeff${one}`, 1, [7]],
    [`\ufeff${one}---\n\ufeff${one}---\n\ufeff${JSON.stringify(json(LATEST))}`, 3, [7, 15, 17]],
    [one.replace('spec:', 'x: &i\n  name: c\n  image: web\nspec:'), 1, [10]],
  ]
  for (const [text, images, lines] of rows) {
    const { report } = await reviewTexts({ 'a.yaml': text })
    t.strictSame(report.problems, [])
    t.equal(report.totals.images, images, text.slice(0, 40))
    t.strictSame(
      report.findings.map(({ location }) => location?.line),
      lines,
      text.slice(0, 40),
    )
  }
  const deep = Array.from({ length: 50 }).reduce<object>(
    (inner) => ({ ...list, items: [inner] }),
    json(LATEST),
  )
  const { report } = await reviewTexts({ 'deep.json': JSON.stringify(deep) })
  t.equal(report.totals.images, 0, 'lists in lists have an end')
})

t.test('the namespace is that of the object, else the one that is given', async (t) => {
  const bare = pod(LATEST).replace(', namespace: shop', '')
  const own = await reviewTexts({ 'a.yaml': pod(LATEST) }, { namespace: 'other' })
  t.match(own.report.findings, [{ policy: 'ImagePolicy shop/web' }])
  const given = await reviewTexts({ 'a.yaml': bare }, { namespace: 'shop' })
  t.match(given.report.findings, [
    { policy: 'ImagePolicy shop/web', subject: { namespace: 'shop' } },
  ])
  const other = await reviewTexts({ 'a.yaml': bare }, { namespace: 'other' })
  t.match(other.report.findings, [{ reason: 'LatestTag', policy: undefined }])
})

t.test('what the webhook is not asked about is left out with a note', async (t) => {
  const system = pod(LATEST).replace('namespace: shop', 'namespace: kube-system')
  const bare = pod(LATEST).replace(', namespace: shop', '')
  const values = `image: { repository: ghcr.io/acme/web, tag: latest }\n`
  const list = { apiVersion: 'v1', kind: 'List', items: [load(system), load(pod(LATEST))] }
  const texts = { 'a.yaml': `${system}---\n${pod(LATEST)}`, 'b.json': JSON.stringify(list) }
  const more = { excludedNamespaces: ['kube-system', 'own'] }
  const { report } = await reviewTexts(texts, { more })
  t.strictSame(
    report.findings.map(({ subject, location }) => [subject.namespace, location?.file]),
    [
      ['shop', 'a.yaml'],
      ['shop', 'b.json'],
    ],
  )
  t.match(report.totals, { objects: 4, images: 2, denied: 2 })
  t.match(report.notes, [/^What belongs to kube-system is not judged.*--namespace kube-system/])
  const rest = await reviewTexts({ 'a.yaml': bare }, { more, namespace: 'own' })
  t.match(rest.report, { findings: [], notes: [/^What belongs to own/] })
  const release = await reviewTexts({ 'v.yaml': values }, { more, namespace: 'own', values: true })
  t.match(release.report, { findings: [], notes: [/^What belongs to own/] })

  const fixing = { level: 'deny', pin: true } as const
  let text = ''
  const onText = (part: string) => {
    text += part
  }
  await reviewTexts({ 'a.yaml': texts['a.yaml'] }, { more: { ...more, fixing, onText } })
  t.ok(text.startsWith(`${system}---\n`), 'nor is it changed')
  t.match(text.slice(system.length), /v1\.4\.2@sha256/)

  const request = { uid: '1', operation: 'CREATE', namespace: 'kube-system', object: load(system) }
  const review = {
    ...{ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
    request: { ...request, kind: { group: '', version: 'v1', kind: 'Pod' } },
  }
  const asked = await reviewTexts({ 'r.json': JSON.stringify(review) }, { more })
  t.match(asked.report, { totals: { denied: 1 }, notes: [] }, 'an AdmissionReview asks')
})

t.test('labels of namespaces come from Namespace objects before', async (t) => {
  const policies = WEB.replace('kind: I', 'kind: ClusterI')
    .replace(', namespace: shop', '')
    .replace('spec: {', 'spec: { namespaceSelector: { matchLabels: { tier: front } },')
  const bad = pod('ghcr.io/acme/web:v9.0.0')
  const labelled =
    'apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { tier: front } }\n'
  const without = await reviewTexts({ 'a.yaml': bad }, { policies })
  t.strictSame(without.report.findings, [])
  const more = { isLabelled: () => false }
  const before = await reviewTexts({ 'a.yaml': `${labelled}---\n${bad}` }, { policies, more })
  t.match(before.report.findings, [{ reason: 'OutOfRange', policy: 'ClusterImagePolicy web' }])
  t.strictSame(before.report.notes, [])

  const told = await reviewTexts({ 'a.yaml': bad }, { policies, more })
  t.match(told.report, { findings: [], notes: [/labels shop has is not known.*ImagePolicy web/] })
  const known = await reviewTexts({ 'a.yaml': bad }, { policies, more: { isLabelled: () => true } })
  t.strictSame(known.report.notes, [])
  const other = pod('ghcr.io/acme/other:v9.0.0')
  t.strictSame((await reviewTexts({ 'a.yaml': other }, { policies, more })).report.notes, [])
  const byName = policies.replace('tier: front', 'kubernetes.io/metadata.name: back')
  const named = await reviewTexts({ 'a.yaml': bad }, { policies: byName, more })
  t.strictSame(named.report.notes, [], 'a name is known')
})

t.test('Kustomize images are judged as what they become', async (t) => {
  const text = `namespace: shop
images:
  - name: web
    newName: ghcr.io/acme/web
    newTag: v9.0.0
  - name: ghcr.io/acme/web
    newTag: "v1.4.2"
  - name: ghcr.io/acme/web
    digest: ${digest('c')}
  - { name: web, newName: elsewhere }
  - ghcr.io/acme/web
  - { name: ghcr.io/acme/web, newTag: "" }
`
  const head = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n'
  const component = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n'
  const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: { name: apps }\nspec:\n  targetNamespace: shop\n  images: [{ name: ghcr.io/acme/web, newTag: v9.0.0 }]\n`
  const rows: [file: string, text: string, images: number, first: object][] = [
    ['kustomization.yaml', text, 3, { line: 5, column: 13 }],
    ['x.yaml', head + text, 3, { line: 7, column: 13 }],
    ['x.yaml', flux, 1, { line: 6, column: 46 }],
    ['kustomization.yaml', `${component}${text}`, 3, { line: 7, column: 13 }],
    ['x.yaml', text, 0, {}],
    ['kustomization.yaml', 'resources: [a.yaml]\n', 0, {}],
    ['kustomization.yaml', 'images: x\n', 0, {}],
  ]
  for (const [file, content, images, location] of rows) {
    const { report } = await reviewTexts({ [file]: content }, { namespace: 'other' })
    t.equal(report.totals.images, images, content.slice(0, 60))
    if (images > 0) {
      t.match(report.findings[0], {
        reason: 'OutOfRange',
        image: 'ghcr.io/acme/web:v9.0.0',
        subject: { kind: /^Kustomization$|^Component$/, namespace: 'shop' },
        location,
        use: 'ghcr.io/acme/web:v1.4.2',
      })
    }
  }
})

t.test('images in Helm values are judged where the files are named', async (t) => {
  const text = `image: { repository: ghcr.io/acme/web, tag: v9.0.0 }
worker:
  image:
    registry: ghcr.io
    repository: acme/web
    tag: "v9.0.0"
list: [{ sideImage: "ghcr.io/acme/web:v9.0.0" }]
off: { image: { repository: ghcr.io/acme/web, tag: "" } }
git: { repository: "https://example.com/x.git" }
note: { image: "a picture" }
`
  t.equal((await reviewTexts({ 'values.yaml': text })).report.totals.images, 0)
  const { report } = await reviewTexts({ 'values.yaml': text }, { values: true })
  t.strictSame(
    report.findings.map(({ container, location }) => [container, location?.line, location?.column]),
    [
      ['image', 1, 45],
      ['worker.image', 6, 11],
      ['list[0].sideImage', 7, 22],
    ],
  )
  t.match(report.findings[0]?.subject, { kind: 'HelmValues', namespace: 'shop', name: 'overlay' })
})

t.test(
  'what is no object is passed over, and one bad document does not stop the others',
  async (t) => {
    const review = await reviewTexts({
      'ci.yaml': 'image: nginx:latest\nscript: [make]\n',
      'broken.txt.yaml': 'image: [\n',
      'bad.yaml': `${pod('a:v1')}---\nkind: Pod\napiVersion: v1\n  image: x\n---\n${pod(LATEST)}`,
      'crd.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n',
      'empty.yaml': '',
    })
    t.equal(review.passedOver, 3)
    t.match(review.report.problems, [
      { code: 'ERR_INVALID_MANIFEST', place: 'bad.yaml', line: 11, message: /not YAML/ },
    ])
    t.match(review.report, { findings: [{ image: LATEST }], totals: { objects: 3, files: 5 } })
  },
)

t.test('objects among files of values: a HelmRelease, and any other', async (t) => {
  const release = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: { name: web, namespace: shop }
spec:
  values:
    image: { repository: ghcr.io/acme/web, tag: v9.0.0 }
---
${pod(LATEST)}`
  const { report } = await reviewTexts(
    { 'apps.yaml': release },
    { values: true, namespace: 'other' },
  )
  t.match(report.findings, [
    {
      subject: { kind: 'HelmValues', namespace: 'shop', name: 'web' },
      ...{ container: 'image', pointer: '/spec/values/image/tag' },
      ...{ location: { line: 6, column: 49 }, use: 'ghcr.io/acme/web:v1.4.2' },
    },
    { subject: { kind: 'Pod' }, image: LATEST },
  ])
  t.equal((await reviewTexts({ 'apps.yaml': release })).report.totals.images, 1)
})

t.test('so has an Application of Argo CD, and each in a List', async (t) => {
  const values = (tag: string) => ({
    helm: { valuesObject: { image: { repository: 'ghcr.io/acme/web', tag } } },
  })
  const application = (spec: object) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'argocd' },
    spec: { destination: { namespace: 'shop' }, ...spec },
  })
  const items = [
    application({ source: values('v9.0.0') }),
    application({ sources: [{ ref: 'x' }, values('v8.0.0')] }),
    application({ source: { helm: { parameters: [] } }, sources: 'x' }),
  ]
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 1)
  const { report } = await reviewTexts({ 'apps.json': text }, { values: true })
  t.match(report.findings, [
    {
      subject: { kind: 'HelmValues', namespace: 'shop', name: 'web' },
      pointer: '/items/0/spec/source/helm/valuesObject/image/tag',
      image: 'ghcr.io/acme/web:v9.0.0',
    },
    {
      pointer: '/items/1/spec/sources/1/helm/valuesObject/image/tag',
      use: 'ghcr.io/acme/web:v1.4.2',
      location: { line: text.split('\n').findIndex((line) => line.includes('v8.0.0')) + 1 },
    },
  ])
})

t.test('each AdmissionReview is answered, whatever it is of', async (t) => {
  const review = (request: object) =>
    JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request })
  const kind = { group: '', version: 'v1', kind: 'Secret' }
  const common = { kind, namespace: 'shop', name: 'x' }
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }
  const answers: string[] = []
  const { report } = await reviewTexts(
    {
      'create.json': review({ uid: 'u1', operation: 'CREATE', object: secret, ...common }),
      'delete.json': review({ uid: 'u2', operation: 'DELETE', oldObject: secret, ...common }),
      'wrong.json': review({}),
    },
    { more: { onAnswer: (answer) => answers.push(answer) } },
  )
  t.match(
    answers.map((answer) => JSON.parse(answer).response),
    [
      { uid: 'u1', allowed: true },
      { uid: 'u2', allowed: true },
    ],
  )
  t.match(report.problems, [{ code: 'ERR_INVALID_MANIFEST', place: 'wrong.json' }])
})

t.test('numbers without quotes are what their readers make of them', async (t) => {
  const images = (tag: string) => `images: [{ name: ghcr.io/acme/web, newTag: ${tag} }]\n`
  const kustomized = await reviewTexts({ 'kustomization.yaml': images('1.20') })
  t.match(kustomized.report.findings, [
    {
      reason: 'InvalidReference',
      image: '1.2',
      message: /Put it in quotes/,
      location: { line: 1 },
    },
  ])
  const rows: [tag: string, image: string][] = [
    ['20261101', 'x:2.0261101e+07'],
    ['20261101.1', 'x:2.02611011e+07'],
    ['1234567', 'x:1.234567e+06'],
    ['123456', 'x:123456'],
    ['1.20', 'x:1.2'],
    ['"20261101"', 'x:20261101'],
  ]
  const policies = WEB.replace('ghcr.io/acme/web', '"**"').replace('>=1.2.3 <2.0.0', '9.x')
  for (const [tag, image] of rows) {
    const text = `image: { repository: x, tag: ${tag} }\n`
    const { report } = await reviewTexts({ 'values.yaml': text }, { values: true, policies })
    t.match(report.findings, [{ image }], tag)
  }
})

t.test('progress is told within a file, too', async (t) => {
  const told: object[] = []
  await reviewTexts(
    { 'many.yaml': [pod(LATEST), pod('x:v1'), pod(LATEST)].join('---\n') },
    { more: { onProgress: (progress) => told.push(progress) } },
  )
  t.match(told[0], { files: 0, documents: 1, findings: 1 })
  t.match(told.at(-1), { files: 1, documents: 3, findings: 2 })
})

t.test('findings of a file stand in the order of its lines', async (t) => {
  const text = `apiVersion: v1
kind: Pod
metadata: { name: p, namespace: shop }
spec:
  initContainers: [{ name: a, image: ghcr.io/acme/web }]
  containers: [{ name: b, image: ghcr.io/acme/web }]
`
  const { report } = await reviewTexts({ 'pod.yaml': text })
  t.strictSame(
    report.findings.map(({ location }) => location?.line),
    [5, 6],
  )
})

t.test('templates are left out with a note', async (t) => {
  const { report } = await reviewTexts({
    'chart.yaml': `{{- if .Values.on }}\n${pod('x:v1')}{{- end }}\n`,
    'quoted.yaml': pod('"{{ .Values.image }}"', LATEST),
    'plain.yaml': pod('{{ .Values.image }}'),
    'map.yaml': `${pod('{ a: b }')}# {{\n`,
    'flux.yaml': pod(['$', '{TAG}'].join(''), 'ghcr.io/acme/web:$(TAG)', '"web:#{TAG}#"'),
    'text.yaml': pod('x:v1').replace('metadata:', 'x: "{{ $labels.pod }}"\nmetadata:'),
  })
  t.strictSame(report.problems, [])
  const hidden = `${pod('x:v1')}# {{ \u2028  containers: [{ image: x }]\n`
  const twice = `${pod('x:v1')}      image: x:v2 # {{\n`
  const told = (await reviewTexts({ 'hidden.yaml': hidden, 'twice.yaml': twice })).report
  const messages = [{ message: /^holds U\+2028/ }, { message: /duplicated mapping key/ }]
  t.match(told.problems, messages, 'braces in a comment hide nothing')
  t.match(report.notes, [
    /filled in: chart.yaml, quoted.yaml, plain.yaml, map.yaml, flux.yaml\. Pipe/,
  ])
  t.equal(report.totals.images, 2)
})

t.test('no spelling of a key hides an image', async (t) => {
  const fields = [{ group: 'acme.io', kind: 'App', paths: ['/spec/acme.io~1run', '/spec/~0x'] }]
  const app = (key: string) =>
    `apiVersion: acme.io/v1\nkind: App\nmetadata: { name: a }\nspec:\n  ${key}: ${LATEST}\n`
  const rows = [
    pod(LATEST).replace('image:', '"im\\u0061ge":'),
    pod(LATEST).replace('image:', '!!binary aW1hZ2U=:'),
    `%TAG !b! tag:yaml.org,2002:bin\n---\n${pod(LATEST).replace('image:', '!b!ary aW1hZ2U=:')}`,
    pod('!!binary Z2hjci5pby9hY21lL3dlYjpsYXRlc3Q='),
    app('acme.io/run'),
    app('~x'),
  ]
  for (const text of rows) {
    const { report } = await reviewTexts({ 'a.yaml': text }, { fields })
    t.match(report.findings, [{ reason: 'LatestTag', image: LATEST }], text)
  }
})

t.test('hostile texts are findings or problems, and nothing worse', async (t) => {
  const bomb = `image: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh']
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[index]}`)}]\n`)
    .join('')}`
  const rows: [text: string, findings: number, problems: number][] = [
    [pod('"web\\u001b[2J:latest"'), 1, 0],
    [pod(`"${'x'.repeat(3000)}"`), 1, 0],
    [pod('__proto__'), 1, 0],
    [pod('1.5'), 1, 0],
    [pod('[a]'), 1, 0],
    [pod('null'), 0, 0],
    [pod('!!binary aGk='), 1, 0],
    [`kind: Pod\napiVersion: v1\n${bomb}`, 0, 1],
    [`kind: Pod\napiVersion: v1\nimage: &a [*a]\n`, 0, 1],
    [`kind: Pod\napiVersion: v1\nimage: ${'['.repeat(50_000)}`, 0, 1],
    [`{"kind":"Pod","apiVersion":"v1","image":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 0, 0],
    ['kind: List\napiVersion: v1\nitems: &i [{ kind: List, items: *i, image: x }]\n', 0, 1],
    ['kind: [Pod]\napiVersion: { a: image }\n', 0, 0],
    ['kind: AdmissionReview\napiVersion: admission.k8s.io/v1\nrequest: { image: x }\n', 0, 1],
    ['kind: Pod\napiVersion: v1\nspec: { containers: [image, 5, null, [image]] }\n', 0, 0],
    ['kind: Pod\napiVersion: v1\nmetadata: [image]\nspec: image\n', 0, 0],
  ]
  for (const [text, findings, problems] of rows) {
    const { report } = await reviewTexts({ 'a.yaml': text })
    t.equal(report.findings.length, findings, text.slice(0, 60))
    t.equal(report.problems.length, problems, text.slice(0, 60))
  }
  const { report } = await reviewTexts({ 'a.yaml': `${pod('a:v1')}# \0\n`, 'b.yaml': pod(LATEST) })
  t.match(report, { problems: [{ message: /no.* UTF-8 text/ }], findings: [{ image: LATEST }] })
})

t.test('a fact is asked for once, however many files need it', async (t) => {
  const facts = source([])
  const files = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`${index}.yaml`, pod('ghcr.io/acme/web:v1.2.3')]),
  )
  const { report } = await reviewTexts(files, { source: facts })
  t.strictSame([...new Set(facts.asked)].length, facts.asked.length)
  t.ok(facts.asked.length <= 3, facts.asked.join())
  t.equal(report.totals.images, 200)
})

t.test('a registry that never answers is given up on', async (t) => {
  const facts = source([])
  const policies = WEB.replace('ghcr.io/acme/web', 'ghcr.io/**')
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [
      `${index}.yaml`,
      pod(`ghcr.io/acme/w${index}:v1.2.3`),
    ]),
  )
  await reviewTexts(files, { source: facts, policies })
  t.ok(facts.asked.length < 100, `${facts.asked.length} requests`)
})

t.test('facts that come late are waited for, by all files together', async (t) => {
  const known = snapshot('ghcr.io/acme/web', { 'v1.4.2': { digest: digest('b') } })
  const facts = source([], async (_need: FactNeed) => {
    await new Promise((resolve) => setImmediate(resolve))
    facts.snapshots.set(known.name, known)
    return undefined
  })
  const files = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [
      `${String(index).padStart(3, '0')}.yaml`,
      `${pod(LATEST)}---\n${pod('ghcr.io/acme/web:v1.4.2')}`,
    ]),
  )
  const { report } = await reviewTexts(files, { source: facts })
  t.equal(report.findings.length, 100)
  t.strictSame(
    report.findings.map(({ location }) => location?.file),
    Object.keys(files),
    'and told in order',
  )
  t.ok(report.findings.every(({ use }) => use === 'ghcr.io/acme/web:v1.4.2'))
})

t.test('a review that is stopped tells what it has found', async (t) => {
  const stopping = new AbortController()
  const facts = source([], () => new Promise(() => {}))
  const policies = `${WEB}---\n${WEB.replaceAll('web', 'api')}`
  const running = reviewTexts(
    { 'a.yaml': pod('web'), 'b.yaml': pod('ghcr.io/acme/api:v1.2.3') },
    {
      policies,
      source: facts,
      more: { signal: stopping.signal, onProgress: () => stopping.abort() },
    },
  )
  const { report } = await running
  t.match(report, { interrupted: true, findings: [{ image: 'web' }] })
})

t.test('fingerprints stay when lines are added above, and tell equal findings apart', async (t) => {
  const two = `${pod(LATEST)}---\n${pod(LATEST)}`
  const marks = async (text: string, file = 'a.yaml') =>
    (await reviewTexts({ [file]: text })).report.findings.map(({ fingerprint }) => fingerprint)
  const before = await marks(two)
  t.equal(new Set(before).size, 2)
  t.strictSame(await marks(`# a\n# b\n${two.replaceAll('containers:', 'containers: # c')}`), before)
  t.strictSame(await marks(pod(LATEST)), before.slice(0, 1))
  for (const other of [pod(`${LATEST}1`), pod(LATEST).replace('name: web', 'name: api')]) {
    t.notMatch(await marks(other), before.slice(0, 1))
  }
  t.notMatch(await marks(pod(LATEST), 'b.yaml'), before.slice(0, 1))
})

t.test('law: the verdict is that of the webhooks', async (t) => {
  const policies = [
    WEB,
    WEB.replaceAll('web', 'pinned').replace('Track', 'Pin'),
    WEB.replaceAll('web', 'latest').replace('Track', 'Track, latest: Resolve'),
    WEB.replaceAll('web', 'warned').replace('Track', 'Verify, enforcement: Warn'),
  ].join('---\n')
  const names = ['web', 'pinned', 'latest', 'warned', 'other']
  const tags = ['', ':latest', ':v1.2.3', ':v1.4.2', ':v2.0.0', ':nightly', `@${digest('b')}`]
  const facts = () =>
    source(
      names.map((name) =>
        snapshot(`ghcr.io/acme/${name}`, {
          'v1.2.3': { digest: digest('a') },
          'v1.4.2': { digest: digest('b') },
          'v2.0.0': { digest: digest('c') },
        }),
      ),
    )
  const set = policySet(policies)
  const handlers = createReviewHandlers({
    policies: () => set,
    source: facts(),
    defaults: DEFAULTS,
    fields: [],
    controllers: new Set(),
    prefix: 'fluxcd.io',
    deadline: 1_000,
    clock: () => NOW,
  })
  const post = async (hook: 'mutate' | 'validate', object: object) => {
    const kind = { group: '', version: 'v1', kind: 'Pod' }
    const request = { uid: 'u', kind, operation: 'CREATE', namespace: 'shop', object }
    const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
    const answer = await handlers[hook](Buffer.from(JSON.stringify(body)), {
      timeoutSeconds: 10,
      received: NOW,
    })
    return JSON.parse(answer.body).response
  }
  for (const name of names) {
    for (const tag of tags) {
      const image = `ghcr.io/acme/${name}${tag}`
      const { report } = await reviewTexts({ 'a.yaml': pod(image) }, { policies, source: facts() })
      const object = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web', namespace: 'shop', annotations: {} },
        spec: { containers: [{ name: 'c0', image }] },
      }
      const { patch } = await post('mutate', object)
      const steps = JSON.parse(Buffer.from(patch ?? '', 'base64').toString() || '[]')
      const to = steps.find(({ path }: { path: string }) => path.endsWith('/image'))?.value
      t.equal(report.changes[0]?.to, to, image)
      const container = { name: 'c0', image: to ?? image }
      const annotations = Object.fromEntries(
        steps
          .filter(({ path }: { path: string }) => path.startsWith('/metadata/annotations/'))
          .map((step: { path: string; value: string }) => [
            step.path.slice(22).replaceAll('~1', '/'),
            step.value,
          ]),
      )
      const result = {
        ...object,
        metadata: { ...object.metadata, annotations },
        spec: { containers: [container] },
      }
      const verdict = await post('validate', result)
      const denied = report.findings.filter(({ level }) => level === 'deny')
      t.equal(denied.length === 0, verdict.allowed, image)
      for (const { message, reason } of denied) {
        t.ok(verdict.status.message.includes(`[${reason}] ${message}`), image)
      }
      const warned = report.findings.filter(({ level }) => level === 'warn')
      t.equal(warned.length, verdict.warnings?.length ?? 0, image)
    }
  }
})

t.test(
  'fixes are planned for what is denied, and with pin for what would be resolved',
  async (t) => {
    const text = `${pod(`"${LATEST}" # c`, 'ghcr.io/acme/web:v1.2.3', 'web:latest')}---\n# end`
    const run = async (pin: boolean) => {
      let out = ''
      const { report, fixed } = await reviewTexts(
        { '-': text },
        {
          more: {
            fixing: { level: 'deny', pin },
            onFix: async () => undefined,
            onText: (part) => {
              out += part
            },
          },
        },
      )
      return { out, report, fixed }
    }
    const plain = await run(false)
    t.equal(plain.out, text.replace('web:latest"', 'web:v1.4.2"'))
    t.match(plain, { fixed: { files: 1, images: 1 } })
    t.match(plain.report.findings, [{ image: 'web:latest', use: undefined }])
    t.equal(plain.report.findings.length, 1, 'what is fixed is told no more')
    const pinned = await run(true)
    const newest = `ghcr.io/acme/web:v1.4.2@${digest('b')}`
    t.equal(pinned.out, text.replace(LATEST, newest).replace('ghcr.io/acme/web:v1.2.3', newest))
  },
)

t.test('a fix that cannot be written leaves the finding, and is a problem', async (t) => {
  const failure = new TagwardenError('ERR_WRITE', 'is not fixed', { position: { file: 'a.yaml' } })
  const { report, fixed } = await reviewTexts(
    { 'a.yaml': pod(LATEST) },
    { more: { fixing: { level: 'deny', pin: false }, onFix: async () => failure } },
  )
  t.match(report, { findings: [{ image: LATEST }], problems: [{ code: 'ERR_WRITE' }] })
  t.strictSame(fixed, { files: 0, images: 0 })
})

t.test('what cannot be fixed is told with its reason', async (t) => {
  const shared = `${pod(`&i ${LATEST}`).replace('metadata:', 'x: 1\nmetadata:')}      env: [*i]\n`
  const parts = `namespace: shop\nimages: [{ name: ghcr.io/acme/web, newTag: v9.0.0, digest: "${digest('c')}" }]\n`
  const { report } = await reviewTexts(
    { 'a.yaml': shared, 'kustomization.yaml': parts },
    { more: { fixing: { level: 'deny', pin: false } } },
  )
  t.match(report.notes, [
    /^Not fixed: a\.yaml:8:17 \(it is written once, by an anchor, for other fields too\), kustom.*:2:44 \(its digest stands/,
  ])
})

t.test('an AdmissionReview is answered as the API server would end up', async (t) => {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      containers: [
        { name: 'a', image: 'ghcr.io/acme/web:v1.2.3' },
        { name: 'b', image: 'ghcr.io/acme/web:v9.9.9' },
      ],
    },
  }
  const review = (images: number) => ({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'CREATE',
      namespace: 'shop',
      name: 'web',
      object: { ...object, spec: { containers: object.spec.containers.slice(0, images) } },
    },
  })
  const answers: string[] = []
  const { report } = await reviewTexts(
    {
      'a.json': JSON.stringify(review(2)),
      'b.yaml': JSON.stringify(review(1), null, 2),
      'c.yaml': pod('x:v1'),
    },
    { more: { onAnswer: (answer) => answers.push(answer) } },
  )
  const [denied, allowed, ...more] = answers.map((answer) => JSON.parse(answer))
  t.strictSame(more, [])
  t.match(denied, {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid: 'u1',
      allowed: false,
      patchType: 'JSONPatch',
      status: { code: 403, message: /OutOfRange/ },
    },
  })
  t.match(allowed.response, {
    uid: 'u1',
    allowed: true,
    auditAnnotations: { resolved: /v1\.4\.2/ },
  })
  const patch = JSON.parse(Buffer.from(allowed.response.patch, 'base64').toString())
  t.match(patch[0], {
    path: '/spec/containers/0/image',
    value: `ghcr.io/acme/web:v1.4.2@${digest('b')}`,
  })
  t.match(report.findings, [
    { reason: 'OutOfRange', pointer: '/spec/containers/1/image', location: { file: 'a.json' } },
  ])
})

t.test('an update is judged by what was there before', async (t) => {
  const object = (image: string) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'a', image }] },
  })
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      operation: 'UPDATE',
      namespace: 'shop',
      object: object(LATEST),
      oldObject: object(LATEST),
    },
  }
  const { report } = await reviewTexts({ 'a.json': JSON.stringify(review) })
  t.match(report.findings, [{ level: 'warn', reason: 'LatestTag' }])
})

t.test('however a text arrives, the report is the same', async (t) => {
  const text = `# é😀\n${pod(LATEST)}---\n${pod('ghcr.io/acme/web:v9.0.0')}`
  const reports = []
  for (const piece of [1, 7, 65_536])
    reports.push((await reviewTexts({ 'a.yaml': text }, { piece })).report)
  t.strictSame(reports[0], reports[2])
  t.strictSame(reports[1], reports[2])
  t.equal(webFacts().asked.length, 0)
})
