import {
  createReviewHandlers,
  type ReviewAnswer,
  type ReviewOptions,
} from '../../src/admission/index.ts'
import type { CompiledPolicy } from '../../src/policies/types.ts'
import { DEFAULTS, NOW, source } from '../fakes/facts.ts'

/** Options of handlers with these policies, everything else at its default. */
export function reviewOptions(
  policies: readonly CompiledPolicy[],
  options: Partial<ReviewOptions> = {},
): ReviewOptions {
  const covering = (name: string) => policies.filter((policy) => policy.covers(name))
  const match = ({ name }: { name: string }) => covering(name)
  const set = {
    ...{ policies, repositories: [], allExceptions: [], revision: '1' },
    ...{ match, exceptions: () => [], covering },
  }
  return {
    policies: () => set,
    source: source([]),
    defaults: DEFAULTS,
    fields: [],
    controllers: new Set(),
    prefix: 'fluxcd.io',
    deadline: 10_000,
    clock: () => NOW,
    ...options,
  }
}

/** As much of a Deployment as the tests read. */
export interface Deployment {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace: string; annotations?: Record<string, string> }
  spec: { replicas?: number; template: { spec: PodSpec } }
}

export interface PodSpec {
  containers: { name: string; image: unknown }[]
  initContainers?: { name: string; image: unknown }[]
}

/** A Deployment with one image a container. */
export function deployment(
  images: Record<string, unknown>,
  metadata: Record<string, unknown> = {},
): Deployment {
  const containers = Object.entries(images).map(([name, image]) => ({ name, image }))
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: { template: { spec: { containers } } },
  }
}

/** The body of a webhook call. */
export function review(object: unknown, request: Record<string, unknown> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
        kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        resource: { group: 'apps', version: 'v1', resource: 'deployments' },
        operation: 'CREATE',
        namespace: 'shop',
        name: 'web',
        userInfo: { username: 'jane', groups: ['system:authenticated'] },
        object,
        ...request,
      },
    }),
  )
}

export interface Patch {
  op: string
  path: string
  value?: unknown
}

/** An answer taken apart. */
export interface Answered {
  allowed: boolean
  uid: string
  message: string | undefined
  warnings: string[]
  patch: Patch[]
  audit: Record<string, string>
}

export function answered(answer: ReviewAnswer): Answered {
  const { response } = JSON.parse(answer.body)
  return {
    allowed: response.allowed,
    uid: response.uid,
    message: response.status?.message,
    warnings: response.warnings ?? [],
    patch: response.patch ? JSON.parse(Buffer.from(response.patch, 'base64').toString()) : [],
    audit: response.auditAnnotations ?? {},
  }
}

/** Applies the few patch operations that are in use, as RFC 6902 says. */
export function applied<T>(object: T, patch: readonly Patch[]): T {
  const copy = structuredClone(object)
  for (const { op, path, value } of patch) {
    const keys = path
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = keys.pop() as string
    let place = copy as Record<string, unknown>
    for (const key of keys) {
      place = place[key] as Record<string, unknown>
    }
    if (op === 'remove') {
      delete place[last]
    } else {
      if (op === 'replace' && !Object.hasOwn(place, last)) throw new Error(`nothing at ${path}`)
      place[last] = value
    }
  }
  return copy
}

/** Both hooks, as the API server calls them one after the other. */
export function openHooks(policies: readonly CompiledPolicy[], options: Partial<ReviewOptions>) {
  const handlers = createReviewHandlers(reviewOptions(policies, options))
  const call = { timeoutSeconds: 10, received: NOW }
  const mutate = async (body: Buffer) => answered(await handlers.mutate(body, call))
  return {
    handlers,
    mutate,
    validate: async (body: Buffer) => answered(await handlers.validate(body, call)),
    /** the object as the API server would store it after the mutating hook */
    admit: async <T extends object>(object: T, request: Record<string, unknown> = {}) => {
      const { patch } = await mutate(review(object, request))
      return applied(object, patch as Patch[])
    },
    raw: (body: Buffer) => handlers.validate(body, call),
  }
}
