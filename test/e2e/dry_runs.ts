import type { Admin } from '../cluster/admin.ts'
import { call } from '../server/fixture.ts'
import type { Installation } from './installation.ts'

export const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'

/** What a load of server-side dry runs met. */
export interface LoadResult {
  readonly done: number
  /** every answer that was not 201 with the image resolved, once each */
  readonly wrong: readonly string[]
}

/** Creates Deployments by dry run, one after another in several lanes, until told to stop. */
export function startLoad(
  { admin, image, pinned }: Installation,
  lanes = 4,
): { done(): number; stop(): Promise<LoadResult> } {
  let stopped = false
  let done = 0
  const wrong = new Set<string>()
  const work = Array.from({ length: lanes }, async (_, lane) => {
    while (!stopped) {
      const body = object(`load-${lane}`, `${image('acme/web')}:v1.3.0`)
      const answer = await admin.call('POST', `${DEPLOYMENTS}?dryRun=All`, body)
      done += 1
      const became = imageOf(answer.body)
      const good = answer.status === 201 && became === pinned('acme/web', 'v1.4.2')
      if (!good) wrong.add(`${answer.status} ${became ?? JSON.stringify(answer.body['message'])}`)
    }
  })
  return {
    done: () => done,
    stop: async () => {
      stopped = true
      await Promise.all(work)
      return { done, wrong: [...wrong] }
    },
  }
}

/** A Deployment of one container. */
export function object(name: string, image: string, replicas = 0) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'app', image }] },
      },
    },
  }
}

/** The image of its first container. */
export function imageOf(deployment: unknown): string | undefined {
  type Shape = { spec?: { template?: { spec?: { containers?: { image: string }[] } } } }
  return (deployment as Shape)?.spec?.template?.spec?.containers?.[0]?.image
}

/** What a replica itself would do to a Deployment: the API server asks whom its connection leads to. */
export async function patchOf(
  url: string,
  object: { metadata: { name: string } },
): Promise<string> {
  const request = {
    uid: 'u',
    kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
    resource: { group: 'apps', version: 'v1', resource: 'deployments' },
    ...{ namespace: 'default', name: object.metadata.name, operation: 'CREATE' },
    ...{ userInfo: { username: 'test' }, dryRun: true, object },
  }
  const body = JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request,
  })
  const answer = JSON.parse((await call(`${url}/mutate`, { body })).body)
  return Buffer.from(answer.response.patch ?? '', 'base64').toString()
}

/** Every object of a path, page by page. */
export async function listAll(admin: Admin, path: string): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = []
  let token = ''
  do {
    const { body } = await admin.call('GET', `${path}?limit=500&continue=${token}`)
    items.push(...(body['items'] as Record<string, unknown>[]))
    token = (body['metadata'] as { continue?: string }).continue ?? ''
  } while (token !== '')
  return items
}
