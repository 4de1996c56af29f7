import {
  controllerReference,
  createRequest,
  type PreviewedImage,
  preview,
  RECORD_ANNOTATION,
  type ReviewOptions,
  reapply,
} from '../admission/index.ts'
import type { KubernetesObject, ResourceName } from '../cluster/index.ts'
import { type DriftCode, LEVEL_OF, type Level, type ReportFinding } from '../reports/types.ts'

/** An image of a live object, and what is to be said of it. */
export interface JudgedImage {
  readonly occurrence: PreviewedImage['occurrence']
  readonly question: PreviewedImage['question']
  readonly findings: readonly JudgedFinding[]
  /** what it would become if the object were applied again */
  readonly change: { readonly to: string; readonly policy: string } | undefined
}

export interface JudgedFinding {
  readonly level: Level
  readonly reason: ReportFinding['reason'] | DriftCode
  readonly policy: NonNullable<PreviewedImage['question']>['policies'][number] | undefined
  readonly message: string
  readonly use: string | undefined
}

/**
 * Judges a live object as the webhooks would if it were created now, as it stands: with the same
 * code and the same words. What was resolved before may move where its record says what was asked
 * for, as if its manifest were applied again.
 *
 * @param deadline ms since the epoch, for facts that are not in memory
 * @param username of whoever makes it
 */
export async function judge(
  resource: ResourceName,
  object: KubernetesObject,
  options: ReviewOptions,
  deadline: number,
  username: string = makerOf(object),
): Promise<readonly JudgedImage[]> {
  const { namespace = '' } = object.metadata
  const fields = object as object as Readonly<Record<string, unknown>>
  const request = { ...createRequest(resource, namespace, fields), username }
  const { images = [] } = (await preview(request, options, deadline)) ?? {}
  const moves = await movesOf(resource, object, options, images, deadline)
  return images.map(({ occurrence, question, findings, change }) => {
    const move = moves.get(occurrence.name ?? occurrence.field)
    const to = move ?? (change && { to: change.to, policy: change.policy.title })
    return {
      occurrence,
      question,
      findings: findings.map(({ enforcement, reason, policy, message, use }) => ({
        ...{ level: LEVEL_OF[enforcement], reason, policy, message, use },
      })),
      change: to,
    }
  })
}

/** An operator's objects are judged and never changed: any account of a namespace may be one. */
function makerOf({ metadata }: KubernetesObject): string {
  return controllerReference({ metadata }) ? 'system:serviceaccount:' : ''
}

type Moves = ReadonlyMap<string, { readonly to: string; readonly policy: string }>

const NONE: Moves = new Map()

/** What was resolved before carries a digest: only its record tells what was asked for. */
async function movesOf(
  resource: ResourceName,
  object: KubernetesObject,
  options: ReviewOptions,
  images: readonly PreviewedImage[],
  deadline: number,
): Promise<Moves> {
  const { namespace = '', name, annotations } = object.metadata
  const recorded = annotations?.[RECORD_ANNOTATION] !== undefined
  const tracked = images.some(({ question }) =>
    question?.policies.some(({ action }) => action === 'Track'),
  )
  if (!recorded || !tracked) return NONE
  const live = { kind: resource, namespace, name, object: object as never }
  const again = await reapply(live, options, {
    chosen: ({ action, enforcement }) => action === 'Track' && enforcement !== 'Audit',
    deadline,
  })
  if (again.denied.length > 0) return NONE
  return new Map(
    again.images.flatMap(({ container, change, policy }) =>
      change ? [[container, { to: change.to, policy: policy.title }] as const] : [],
    ),
  )
}
