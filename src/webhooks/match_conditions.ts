import { CONTROLLER_ACCOUNTS } from '../admission/index.ts'
import { builtinKinds, type ImageField, pointerKeys } from '../images/index.ts'

/** A condition in CEL; the webhook is called only when all of its conditions hold. */
export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

/*
 * A condition that fails to evaluate counts as "do not call" where the failurePolicy is Ignore:
 * what it kept out would be let in unseen. So none of them can fail, on no object: fields are read
 * as optional ones, and nothing loops over what a user can make long.
 */

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetes-io-config-mirror */
const MIRROR: MatchCondition = {
  name: 'not-a-mirror-pod',
  expression:
    "!(request.userInfo.?username.orValue('').startsWith('system:node:') && object.?metadata.?annotations[?'kubernetes.io/config.mirror'].hasValue())",
}

/** What is being deleted gets updates only so that finalizers can go. */
const DELETED: MatchCondition = {
  name: 'not-being-deleted',
  expression: 'oldObject == null || !oldObject.?metadata.?deletionTimestamp.hasValue()',
}

/** What Kubernetes' controllers make from reviewed objects is judged, and never changed. */
function notControllers(): MatchCondition {
  const accounts = [...CONTROLLER_ACCOUNTS].map(([owner, account]) => `'${owner}': '${account}'`)
  const owner = "owner.?apiVersion.orValue('') + '/' + owner.?kind.orValue('')"
  const owners = [
    'owner.?controller.orValue(false) == true',
    `accounts[?(${owner})].orValue('') == request.userInfo.username`,
  ]
  return {
    name: 'not-made-by-a-controller',
    expression: `!(request.userInfo.?username.orValue('').startsWith('system:serviceaccount:kube-system:') && object.?metadata.?ownerReferences.orValue([]).exists(owner, ${owners
      .join(' && ')
      .replaceAll('accounts', `{${accounts.join(', ')}}`)}))`,
  }
}

/** Fields of an object that say what runs, other than its metadata. */
const CONTENT = ['spec', 'template']

/** An update that changes neither what runs nor what is said about it needs no look. */
function changed(fields: readonly string[]): MatchCondition {
  const parts = [
    ...fields.map((field) => `[?${text(field)}]`),
    '.?metadata.?labels',
    '.?metadata.?annotations',
  ]
  return {
    name: 'something-changed',
    expression: [
      'oldObject == null',
      ...parts.map((part) => `object${part} != oldObject${part}`),
    ].join(' || '),
  }
}

/**
 * The kinds that are looked at, where custom ones are named: their rules name whole API groups, so
 * that a kind which is installed later, or in another version, is seen without a new rule.
 */
function kinds(fields: readonly ImageField[]): MatchCondition {
  const all = [...builtinKinds, ...fields].map(({ group, kind }) => text(`${group}/${kind}`))
  return {
    name: 'holds-images',
    expression: `(request.kind.group + '/' + request.kind.kind) in [${[...new Set(all)].sort().join(', ')}]`,
  }
}

const BUILT_IN = new Set(builtinKinds.map(({ group, kind }) => `${group}/${kind}`))

/** Those of kinds that are not looked at anyway. */
export function customFields(fields: readonly ImageField[]): ImageField[] {
  return fields.filter(({ group, kind }) => !BUILT_IN.has(`${group}/${kind}`))
}

/** What keeps out of a review what needs none. `fields`: where custom kinds hold images. */
export function reviewConditions(
  hook: 'mutate' | 'validate',
  fields: readonly ImageField[],
): MatchCondition[] {
  const custom = customFields(fields)
  const keys = fields.flatMap(({ paths }) => paths.map((path) => pointerKeys(path)[0] ?? ''))
  return [
    ...(custom.length > 0 ? [kinds(custom)] : []),
    MIRROR,
    DELETED,
    changed([...new Set([...CONTENT, ...keys])].sort()),
    ...(hook === 'mutate' ? [notControllers()] : []),
  ]
}

/** The same for Tagwarden's own kinds, whose status is written often. */
export function policyConditions(): MatchCondition[] {
  const expression = 'oldObject == null || object.?spec != oldObject.?spec'
  return [DELETED, { name: 'something-changed', expression }]
}

/** Only the probe itself, and only a dry run of it. */
export function probeConditions(lease: string): MatchCondition[] {
  return [
    {
      name: 'is-the-probe',
      expression: `request.?dryRun.orValue(false) && object.metadata.name == ${text(lease)}`,
    },
  ]
}

/** A string literal of CEL. */
function text(value: string): string {
  return JSON.stringify(value)
}
