import { randomUUID } from 'node:crypto'
import { type Cluster, ClusterError, type KubernetesObject, LEASES } from '../cluster/index.ts'
import { describeError } from '../errors.ts'
import { NONCE_ANNOTATION, PROBE_LABEL, SEEN_ANNOTATION } from './configuration.ts'

/** Whether the API server calls the webhooks; times in ms since the epoch. */
export interface ProbeState {
  /** since when every probe has passed; undefined: the last one failed, or there was none */
  readonly aliveSince: number | undefined
  readonly lastProbe: number | undefined
  /** why the last one failed, for people */
  readonly problem: string | undefined
}

export const NOT_PROBED: ProbeState = Object.freeze({
  aliveSince: undefined,
  lastProbe: undefined,
  problem: undefined,
})

interface ProbeOptions {
  readonly cluster: Cluster
  readonly namespace: string
  /** of the installation */
  readonly name: string
  readonly clock: () => number
}

/** The proof that the webhooks are called, by a request that the API server keeps nothing of. */
export interface Probe {
  state(): ProbeState
  /** Never rejects. */
  run(): Promise<ProbeState>
}

/**
 * Pretends (`dryRun`) to create a Lease that only the probe's own webhooks match. The mutating one
 * has to write an annotation, and the validating one to let the result pass; any replica may
 * answer. What fails between API server and webhook fails the request, with the reason.
 */
export function createProbe({ cluster, namespace, name, clock }: ProbeOptions): Probe {
  let state = NOT_PROBED

  async function ask(): Promise<string | undefined> {
    const nonce = randomUUID()
    const lease: KubernetesObject = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: LEASES.kind,
      metadata: {
        name: `${name}-probe`,
        namespace,
        labels: { [PROBE_LABEL]: name },
        annotations: { [NONCE_ANNOTATION]: nonce },
      },
    }
    try {
      const answer = await cluster.create(LEASES, lease, { dryRun: true })
      const seen = answer.metadata.annotations?.[SEEN_ANNOTATION]
      return seen === nonce ? undefined : 'the API server did not call the mutating webhook'
    } catch (error) {
      // Its webhooks come before the look whether there is one.
      if (error instanceof ClusterError && error.reason === 'AlreadyExists') {
        return `there is a Lease ${namespace}/${name}-probe. Delete it`
      }
      return describeError(error)
    }
  }

  return {
    state: () => state,
    async run() {
      const problem = await ask()
      const now = clock()
      const aliveSince = problem === undefined ? (state.aliveSince ?? now) : undefined
      state = Object.freeze({ aliveSince, lastProbe: now, problem })
      return state
    },
  }
}
