import type { ReviewOptions } from '../admission/index.ts'
import { apiVersionOf, type KubernetesObject, type ResourceName } from '../cluster/index.ts'
import type { FactSource, Facts, Question } from '../decisions/index.ts'
import type { CompiledPolicy } from '../policies/types.ts'
import { type Subject, worstLevel } from '../reports/types.ts'
import { askPresent, type DriftQuestion, driftOf } from './drift.ts'
import { FACTS_WITHIN, judgeRunning } from './injected.ts'
import type { JudgedFinding, JudgedImage } from './judgement.ts'
import type { RunningContainer } from './running.ts'
import { isSettled } from './settled.ts'
import type { Counted, Tally } from './tally.ts'
import type { AuditOptions } from './types.ts'
import type { Look } from './walk.ts'

export function createLook(options: AuditOptions, tally: Tally): Look {
  const { review, whatIf } = options
  const { clock = Date.now } = review
  const then: ReviewOptions | undefined = whatIf && { ...review, policies: () => whatIf }
  const isNamed = ({ name, title }: CompiledPolicy) =>
    name === options.policy || title === options.policy
  const isAsked = (question: Question | undefined) =>
    options.policy === undefined || question?.policies.some(isNamed) === true
  const isTold = ({ policy }: JudgedFinding) =>
    options.policy === undefined || (policy !== undefined && isNamed(policy))

  return async (resource, object, running) => {
    tally.object()
    const subject = subjectOf(resource, object)
    const source = sourceOf(review, resource, object)
    const settled = isSettled(resource, object)
    const images = await judgeRunning(resource, object, running, review)
    const next = then && (await judgeRunning(resource, object, running, then))
    for (const [index, image] of images.entries()) {
      const facts: Facts = {
        snapshot: (name) => source.snapshot(name),
        failure: () => undefined,
        now: clock(),
      }
      const counted: Counted = { subject, image, facts }
      const changed = next?.[index]
      if (next) {
        if (changed && (isAsked(image.question) || isAsked(changed.question))) {
          compare(counted, changed)
        }
      } else if (isAsked(image.question)) {
        const drifts = await driftsOf(image, running, settled, source)
        tally.image(counted, [...image.findings.filter(isTold), ...drifts], image.change)
      }
    }
  }

  async function driftsOf(
    { occurrence, question }: JudgedImage,
    running: readonly RunningContainer[],
    settled: boolean,
    source: FactSource,
  ): Promise<JudgedFinding[]> {
    if (!question || running.length === 0 || typeof occurrence.value !== 'string') return []
    const { image, policies } = question
    const asked = (): DriftQuestion => ({
      ...{ container: occurrence.name, written: occurrence.value as string, image, running },
      ...{ isSettled: settled, snapshot: source.snapshot(image.name), now: clock() },
    })
    // Registries are asked about what policies cover, and about nothing else.
    if (policies.length > 0) {
      await askPresent(asked(), source, AbortSignal.timeout(FACTS_WITHIN))
    }
    return driftOf(asked()).map((drift) => ({ ...drift, policy: undefined, use: undefined }))
  }

  /** Only what would be other than it is now is told. */
  function compare(now: Counted, then: JudgedImage): void {
    const before = now.image.findings
    const after = then.findings
    const fresh = after.filter((each) => isTold(each) && !before.some((old) => isSame(old, each)))
    const gone = before.filter((each) => isTold(each) && !after.some((one) => isSame(one, each)))
    const was = worstLevel(before.map(({ level }) => level))
    const is = worstLevel(after.map(({ level }) => level))
    if (is === 'deny' && was !== 'deny') tally.differs('newlyDenied')
    if (is === 'warn' && was !== 'deny' && was !== 'warn') tally.differs('newlyWarned')
    if (was === 'deny' && is !== 'deny') tally.differs('noLongerDenied')
    if (was === 'warn' && is !== 'deny' && is !== 'warn') tally.differs('noLongerWarned')
    const moves = then.change !== undefined && then.change.to !== now.image.change?.to
    if (moves) tally.differs('moved')
    tally.image({ ...now, image: then }, fresh, moves ? then.change : undefined)
    tally.gone(now, gone)
  }
}

function isSame(a: JudgedFinding, b: JudgedFinding): boolean {
  return a.level === b.level && a.reason === b.reason && a.policy?.title === b.policy?.title
}

function subjectOf(resource: ResourceName, { apiVersion, metadata }: KubernetesObject): Subject {
  const { namespace, name } = metadata
  return { apiVersion: apiVersion ?? apiVersionOf(resource), kind: resource.kind, namespace, name }
}

function sourceOf(
  { source }: ReviewOptions,
  kind: ResourceName,
  object: KubernetesObject,
): FactSource {
  const { namespace = '' } = object.metadata
  return typeof source === 'function'
    ? source({ kind, namespace, object: object as object as Record<string, unknown> })
    : source
}
