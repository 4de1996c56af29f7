import { accessOfKey, describeKey, repositoryKey } from '../catalog/index.ts'
import { type FactFailure, type FactNeed, hostOf } from '../decisions/ports.ts'
import { TagwardenError } from '../errors.ts'

/** Each access has turns of its own at a host, so that none waits for another's proxy. */
export function queueOf(need: FactNeed): string {
  return describeKey(repositoryKey(hostOf(need), accessOfKey(need.name)))
}

/** What is told of an error. Of one that is not ours only the kind: it may quote anything. */
export function describeFailure(need: FactNeed, error: unknown, at: number): FactFailure {
  if (error instanceof TagwardenError) {
    return Object.freeze({ code: error.code, message: error.message, at })
  }
  const kind = error instanceof Error ? error.name : typeof error
  const message = `${hostOf(need)} could not be asked (${kind})`
  return Object.freeze({ code: 'ERR_REGISTRY_RESPONSE', message, at })
}

export function tooSlow(need: FactNeed, limit: number): TagwardenError {
  const message = `${hostOf(need)} did not answer within ${limit / 1000} s`
  return new TagwardenError('ERR_REGISTRY_TIMEOUT', message)
}

/** Too many wait for the host; says nothing of what was asked for, so nobody should remember it. */
export function tooBusy(need: FactNeed, waiting: number, at: number): FactFailure {
  const message = `${hostOf(need)} answers too slowly: ${waiting} requests wait for it already`
  return { code: 'ERR_REGISTRY_TIMEOUT', message, at }
}

/** Who waited has no more time; the request may still go on. */
export function notYet(need: FactNeed, at: number): FactFailure {
  return { code: 'ERR_REGISTRY_TIMEOUT', message: `${hostOf(need)} has not answered yet`, at }
}

/** The access that a key stands for can't be used now. */
export function withoutAccess(key: string): TagwardenError {
  const message = `${describeKey(key)} cannot be read: there is no such pull secret now, or nothing in it that can be used`
  return new TagwardenError('ERR_REGISTRY_UNAUTHORIZED', message, {
    remedy: 'Make the Secret, or take its name out of what refers to it',
  })
}

export function excluded(name: string, tag: string): TagwardenError {
  const message = `${name} is indexed without ${tag}, which its exclusionList names`
  return new TagwardenError('ERR_REGISTRY_NOT_FOUND', message, {
    remedy: "Use another tag, or change the ImageRepository's exclusionList",
  })
}

export function stopped(at: number): FactFailure {
  return { code: 'ERR_REGISTRY_UNREACHABLE', message: 'Tagwarden is stopping', at }
}
