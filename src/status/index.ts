export { type ExceptionState, exceptionStateOf, exceptionStatusOf } from './exception_status.ts'
export {
  type PolicyFacts,
  policyStatusOf,
  type Rivalry,
  type Selected,
} from './policy_status.ts'
export {
  type PolicyStatuses,
  type PolicyStatusOptions,
  startPolicyStatus,
} from './policy_statuses.ts'
export { EXCEPTION_REASONS, POLICY_REASONS, type Reason } from './reasons.ts'
