import { groupOf } from '../images/index.ts'
import { documentProblem, type ObjectDocument } from './document.ts'
import { quote } from './flaw.ts'
import { readFlux } from './flux.ts'
import { imagePolicyLists, readKustomization } from './kustomization.ts'
import { NATIVE_KINDS, readNative } from './native.ts'
import type { Reading } from './resource.ts'
import { nearestName } from './spelling.ts'

const GROUP = 'tagwarden.io'
const VERSION = 'v1alpha1'
const FLUX_GROUP = 'image.toolkit.fluxcd.io'
const FLUX_VERSIONS = ['v1', 'v1beta2', 'v1beta1']
const KUSTOMIZATION_GROUPS = ['kustomize.config.k8s.io', 'kustomize.toolkit.fluxcd.io']

/** Reads one object by its kind; undefined if it is none of ours. */
export function readObject(document: ObjectDocument): Reading | undefined {
  const { value } = document
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong(document, [], 'is not an object', `Begin with apiVersion: ${GROUP}/${VERSION}`)
  }
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown }
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') {
    // kustomize lets its own files leave both out
    if (imagePolicyLists(value).length > 0) return readKustomization(document)
    if (isKustomizeFile(document.position.file)) return undefined
    const missing = typeof apiVersion === 'string' ? 'kind' : 'apiVersion'
    const remedy = `Add apiVersion: ${GROUP}/${VERSION} and kind: ImagePolicy, or move it out of the policies`
    return wrong(document, [missing], 'is missing', remedy)
  }
  const group = groupOf(apiVersion)
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
  if (group === GROUP) return readOwn(document, kind, version)
  if (group === FLUX_GROUP && (kind === 'ImagePolicy' || kind === 'ImageRepository')) {
    if (FLUX_VERSIONS.includes(version)) return readFlux(document, `Flux${kind}`)
    const remedy = `Write ${FLUX_GROUP}/${FLUX_VERSIONS[0]}`
    return wrong(document, ['apiVersion'], `${quote(apiVersion)} is not known`, remedy)
  }
  if (kind === 'Kustomization' && KUSTOMIZATION_GROUPS.includes(group)) {
    return imagePolicyLists(value).length > 0 ? readKustomization(document) : undefined
  }
  const meant = nearestName(group, [GROUP, FLUX_GROUP])
  if (meant === undefined || !(NATIVE_KINDS as readonly string[]).includes(kind)) return undefined
  const remedy = `Write ${meant}/${meant === GROUP ? VERSION : FLUX_VERSIONS[0]}`
  return wrong(document, ['apiVersion'], `${quote(apiVersion)} is not known`, remedy)
}

function readOwn(document: ObjectDocument, kind: string, version: string): Reading {
  const known = NATIVE_KINDS.find((name) => name === kind)
  if (known === undefined) {
    const near = nearestName(kind, NATIVE_KINDS)
    const remedy = near ? `Write ${near} instead` : `The kinds are ${NATIVE_KINDS.join(', ')}`
    return wrong(document, ['kind'], `${quote(kind)} is not a kind of ${GROUP}`, remedy)
  }
  if (version === VERSION) return readNative(document, known)
  const message = `version ${quote(version)} of ${GROUP} is not known`
  return wrong(document, ['apiVersion'], message, `Write apiVersion: ${GROUP}/${VERSION}`)
}

function isKustomizeFile(file: string): boolean {
  return /(^|[/\\])kustomization(\.ya?ml)?$/i.test(file)
}

function wrong(
  document: ObjectDocument,
  path: readonly string[],
  message: string,
  remedy: string,
): Reading {
  return { resources: [], problems: [documentProblem(document, { path, message, remedy })] }
}
