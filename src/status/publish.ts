import { type Cluster, changesOf, hasReason, IMAGE_POLICY_EXCEPTIONS } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import type { Work } from '../pieces/index.ts'
import type {
  CompiledPolicy,
  ImagePolicyExceptionStatus,
  ImagePolicyStatus,
} from '../policies/types.ts'
import { backgroundLane, inSlices } from '../scheduling/index.ts'
import type { PolicyObject, PolicySource } from '../sources/index.ts'
import { exceptionStatusOf } from './exception_status.ts'
import type { KnownRepositories } from './known_repositories.ts'
import { policyStatusOf } from './policy_status.ts'
import { rivalryOf } from './rivalry.ts'
import { coveredBy, selectedBy } from './selection.ts'
import { shutOutOf } from './shut_out.ts'

/** The part of a logger (such as pino) that is used. */
export interface StatusLog {
  warn(fields: object, message: string): void
}

export interface PublisherOptions {
  readonly cluster: Pick<Cluster, 'patch'>
  readonly policies: Pick<PolicySource, 'objectOf' | 'current'>
  readonly known: KnownRepositories
  readonly log: StatusLog | undefined
  readonly clock: () => number
}

/** What there is to write: something new, only newer times, or nothing. */
export type Publication = 'news' | 'times' | 'nothing'

type Status = ImagePolicyStatus & ImagePolicyExceptionStatus

/** Makes statuses, and writes those that differ from what the API server has. */
export interface Publisher {
  /**
   * @param times whether it is written too if only times are others
   * @returns what there was to write; rejects when it could not be written now
   */
  publish(object: PolicyObject, times: boolean): Promise<Publication>
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { cluster, policies, known, log, clock } = options
  // what was written and is not told by the watch yet
  const written = new WeakMap<PolicyObject, { readonly over: string; readonly status: Status }>()
  let isRefused = false
  const scopeOf = (policy: CompiledPolicy) => policies.objectOf(policy)?.scope() ?? ''

  function statusBefore(object: PolicyObject): Status | undefined {
    const last = written.get(object)
    if (last?.over === object.statusText) return last.status
    written.delete(object)
    return object.status()
  }

  function* statusNow(object: PolicyObject, before: Status | undefined): Work<Status> {
    const now = clock()
    const { policy, problems } = object
    if (object.resource === IMAGE_POLICY_EXCEPTIONS) {
      return exceptionStatusOf(object, before, now)
    }
    const covered = policy ? coveredBy(policy, known) : []
    const selected = policy ? yield* selectedBy(policy, covered, now) : []
    const looksFor = policy !== undefined && problems.length === 0
    const set = policies.current()
    const rivalry = looksFor
      ? yield* rivalryOf(policy, covered, selected, set, scopeOf, now)
      : undefined
    const shutOut =
      looksFor && !rivalry
        ? yield* shutOutOf(policy, covered, selected, set, scopeOf, now)
        : undefined
    const count = covered.length
    return policyStatusOf({ object, before, selected, count, rivalry, shutOut, now })
  }

  async function write(object: PolicyObject, status: object): Promise<void> {
    const { resource, namespace, name, uid } = object
    const body = { metadata: { uid }, status }
    try {
      const options = { subresource: 'status' } as const
      await cluster.patch(resource, { namespace, name }, { type: 'merge', body }, options)
      isRefused = false
    } catch (error) {
      // It is gone, or another one has its name now, of which the watch tells.
      if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return
      if (hasReason(error, 'Forbidden') && !isRefused) {
        log?.warn({}, `the status of policies is not written: ${describeError(error)}`)
        isRefused = true
      }
      throw error
    }
  }

  return {
    async publish(object, times) {
      const before = statusBefore(object)
      const over = object.statusText
      const lane = backgroundLane(object.namespace)
      const status = await inSlices(lane, statusNow(object, before))
      const changed = changesOf(before ?? {}, status)
      if (Object.keys(changed).length === 0) return 'nothing'
      const news = Object.keys(changesOf(timeless(before ?? {}), timeless(status))).length > 0
      if (news || times) {
        await write(object, changed)
        written.set(object, { over, status })
      }
      return news ? 'news' : 'times'
    },
  }
}

/** A status without the times that change with every scan. */
function timeless(status: ImagePolicyStatus): object {
  const { lastScanTime: _, repositories, ...rest } = status
  return { ...rest, repositories: repositories?.map(({ seen: __, ...entry }) => entry) }
}
