import type { ApiServer } from './api_server.ts'
import { waitFor } from './child.ts'

const GROUP = 'rbac.authorization.k8s.io'
const REVIEWS = '/apis/authorization.k8s.io/v1/subjectaccessreviews'

interface Review {
  readonly status: { readonly allowed: boolean }
}

let count = 0

/**
 * Waits until all roles and bindings that were made so far count. The API server hears of those of
 * a kind in their order, a moment after they are made: once the latest counts, so do the others.
 */
export async function settleRights(api: ApiServer, namespace: string): Promise<void> {
  count += 1
  const name = `settled-${process.pid}-${count}`
  const base = `/apis/${GROUP}/v1`
  for (const [place, prefix, where] of [
    [base, 'Cluster', ''],
    [`${base}/namespaces/${namespace}`, '', namespace],
  ] as const) {
    const kind = `${prefix}Role`
    const paths = `${place}/${kind.toLowerCase()}`
    const rules = [{ apiGroups: ['settled.test'], resources: [kind], verbs: ['get'] }]
    const subjects = [{ apiGroup: GROUP, kind: 'User', name }]
    const roleRef = { apiGroup: GROUP, kind, name }
    const metadata = { name }
    await make(api, `${paths}s`, { metadata, rules })
    await make(api, `${paths}bindings`, { metadata, roleRef, subjects })
    const resourceAttributes = {
      ...{ group: 'settled.test', resource: kind, verb: 'get', namespace: where },
    }
    const spec = { user: name, resourceAttributes }
    await waitFor(
      async () => {
        const { body } = await api.call<Review>('POST', REVIEWS, {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec,
        })
        return body?.status.allowed === true
      },
      { what: `a new ${kind} counts` },
    )
  }
}

async function make(api: ApiServer, path: string, object: object): Promise<void> {
  const { status, body } = await api.call('POST', path, object)
  if (status !== 201) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`)
}
