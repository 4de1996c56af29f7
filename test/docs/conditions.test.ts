import t from 'tap'
import { createPolicyReviewHandler } from '../../src/admission/index.ts'
import { compilePolicies } from '../../src/policies/index.ts'
import { EXCEPTION_REASONS, POLICY_REASONS } from '../../src/status/index.ts'
import { readPage, section, tableRows } from './pages.ts'

const PAGE = readPage('docs/conditions.md')

t.test('every reason of a condition is on the page, with what to do', (t) => {
  for (const [heading, reasons] of [
    ['## Policies', POLICY_REASONS],
    ['## Exceptions', EXCEPTION_REASONS],
  ] as const) {
    const rows = tableRows(section(PAGE, heading))
    t.strictSame(
      rows.map(([cell]) => cell),
      reasons.map((reason) => `\`${reason}\``),
    )
    for (const [reason = '', status, advice] of rows) {
      t.match(status, /^`(True|False|Unknown)`/, reason)
      t.ok((advice ?? '').length > 5, reason)
    }
  }
  t.end()
})

t.test('a refusal reads as on the page', async (t) => {
  const { set } = compilePolicies([])
  const handler = createPolicyReviewHandler({ policies: () => set })
  const object = {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicy',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { images: ['ghcr.io/acme/web'], order: { semver: { range: '>=banana' } } },
  }
  const request = {
    uid: 'u1',
    kind: { group: 'tagwarden.io', version: 'v1alpha1', kind: 'ImagePolicy' },
    operation: 'CREATE',
    namespace: 'shop',
    name: 'web',
    object,
  }
  const review = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
  const call = { timeoutSeconds: 10, received: Date.now() }
  const { body } = await handler(Buffer.from(JSON.stringify(review)), call)
  const { message } = JSON.parse(body).response.status
  const block = section(PAGE, '## What is refused at once')
  t.ok(block.includes(`denied the request: ${message}\n`), message)
})
