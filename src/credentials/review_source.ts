import type { FactFailure, FactNeed, FactSource } from '../decisions/ports.ts'
import { type GroupKind, pullIdentity } from '../images/index.ts'
import type { RegistryAccess } from '../registry/types.ts'
import type { Scanner } from '../scanner/index.ts'
import { unlessAborted } from '../scheduling/index.ts'
import type { PullSecrets, PullWorkload } from './types.ts'

/** An object with images: one under review, or one that is there. */
export interface PulledObject {
  readonly kind: GroupKind
  readonly namespace: string
  readonly object: unknown
}

/**
 * The facts that a workload may see: those that its own credentials have read, else the
 * installation's. While the Secrets of its namespace are not known yet, whoever gathers a fact
 * waits for them.
 *
 * @example
 *   const sourceFor = createReviewSource(pullSecrets, scanner)
 *   createReviewHandlers({ source: sourceFor, … })
 */
export function createReviewSource(
  secrets: PullSecrets,
  scanner: Pick<Scanner, 'view' | 'snapshot' | 'gather'>,
): (pulled: PulledObject) => FactSource {
  return (pulled) => {
    const { namespace } = pulled
    if (!secrets.reads(namespace)) return scanner
    const workload = pullWorkload(pulled)
    const accessOf = (name: string) => secrets.accessFor(workload, name)
    const view = tryEach(scanner.view(accessOf), accessOf, secrets)
    return secrets.isReady(namespace) ? view : whenReady(secrets, namespace, view)
  }
}

/** As kubelet does: where the registry refuses one pull secret, it is asked with the next. */
function tryEach(
  view: FactSource,
  accessOf: (name: string) => RegistryAccess | undefined,
  secrets: Pick<PullSecrets, 'noteRefused'>,
): FactSource {
  return {
    snapshot: (name) => view.snapshot(name),
    async gather(need, signal) {
      const tried = new Set<string>()
      for (;;) {
        const id = accessOf(need.name)?.id
        const failure = await view.gather(need, signal)
        if (id === undefined || !failure || !isRefusal(need, failure)) return failure
        tried.add(id)
        secrets.noteRefused(id, need.name)
        const next = accessOf(need.name)?.id
        if (next === undefined || tried.has(next) || signal.aborted) return failure
      }
    },
  }
}

/** Many registries say of a repository that may not be read that it is not there. */
function isRefusal({ fact }: FactNeed, { code }: FactFailure): boolean {
  return (
    code === 'ERR_REGISTRY_UNAUTHORIZED' ||
    (code === 'ERR_REGISTRY_NOT_FOUND' && fact === 'repository')
  )
}

/** As whom an object's images are pulled. */
function pullWorkload({ kind, namespace, object }: PulledObject): PullWorkload {
  return { namespace, ...(pullIdentity(object, kind) ?? NOBODY) }
}

const NOBODY = { serviceAccountName: undefined, imagePullSecrets: [] }

function whenReady(secrets: PullSecrets, namespace: string, view: FactSource): FactSource {
  const snapshot = (name: string) => (secrets.isReady(namespace) ? view.snapshot(name) : undefined)
  return {
    snapshot,
    async gather(need, signal) {
      if (!secrets.isReady(namespace)) {
        // what comes after the signal fails by it
        await unlessAborted(secrets.ready(namespace), signal).catch(() => {})
        const known = snapshot(need.name)
        // It was there all the time: only nobody could say for whom.
        if (
          known &&
          (need.fact === 'repository' ? known.scannedAt > 0 : known.manifest(need.tag))
        ) {
          return undefined
        }
      }
      return view.gather(need, signal)
    },
  }
}
