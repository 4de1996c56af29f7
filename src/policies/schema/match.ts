import Type from 'typebox'
import { labelSelector } from './label_selector.ts'

const names = (description: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 253 }), { description, maxItems: 64 })

/** What narrows a policy or an exception to some workloads. */
export const matchFields = {
  kinds: Type.Optional(
    names(
      'Kinds of workload, such as Deployment; for one API group only, Kind.group, such as Rollout.argoproj.io.',
    ),
  ),
  selector: Type.Optional(
    labelSelector('Labels of the workload object itself, not of its pod template.'),
  ),
  containers: Type.Optional(names('Names of containers and image volumes; * stands for any text.')),
}

/** The same, and which workloads by name. */
export const namedMatchFields = {
  ...matchFields,
  names: Type.Optional(
    names(
      'Names of workloads; * stands for any text. A workload that is named includes the objects that it makes, such as the ReplicaSets and Pods of a Deployment.',
    ),
  ),
}
