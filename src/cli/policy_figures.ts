import type { ExceptionState, MetricSources } from '../metrics/index.ts'
import type { PolicySource } from '../sources/index.ts'
import { exceptionStateOf } from '../status/index.ts'

/** How many policies and exceptions of the cluster there are, and how they do, for the metrics. */
export function policyFigures(
  { objects }: Pick<PolicySource, 'objects'>,
  clock: () => number,
): Required<Pick<MetricSources, 'policies' | 'exceptions'>> {
  return {
    policies: () => {
      const counts = { ImagePolicy: [0, 0], ClusterImagePolicy: [0, 0] }
      for (const { resource, problems } of objects()) {
        const count = counts[resource.kind as keyof typeof counts]
        if (count) count[problems.length === 0 ? 1 : 0]! += 1
      }
      return Object.entries(counts).flatMap(([kind, [wrong = 0, right = 0]]) => [
        { kind, ready: true, count: right },
        { kind, ready: false, count: wrong },
      ])
    },
    exceptions: () => {
      const states: Record<ExceptionState, number> = {
        Active: 0,
        ExpiresSoon: 0,
        Expired: 0,
        Invalid: 0,
      }
      for (const object of objects()) {
        if (object.resource.kind !== 'ImagePolicyException') continue
        states[exceptionStateOf(object, clock()).state] += 1
      }
      return states
    },
  }
}
