import { describeError, type TagwardenError } from '../errors.ts'
import {
  compilePolicies,
  type ObjectDocument,
  type PolicyResource,
  readObject,
  readObjects,
} from '../policies/index.ts'
import { convertApplication, isImageUpdaters } from './argo_application.ts'
import { convertDrafts } from './flux.ts'
import { type ForeignObject, foreignObject } from './foreign_object.ts'
import { convertImageUpdater } from './image_updater.ts'
import { convertKeel, isKeels } from './keel.ts'
import { merge } from './merge.ts'
import type { Conversion, Converted, Found, LeftOut } from './types.ts'

const UPDATER_GROUP = 'argocd-image-updater.argoproj.io'
const WRITE_BACK = 'writing tags back to Git is not converted'

/**
 * Turns what other tools are told into objects of tagwarden.io: Flux's ImageRepository and
 * ImagePolicy, a Kustomization's `imagePolicies`, annotations of Keel and of Argo CD Image Updater,
 * and its ImageUpdater. What is none of these is passed over. Whatever is returned is accepted by
 * the loader; what can't be said is in `notes`, and what can't be converted in `leftOut`.
 *
 * @param documents of all files together, from readDocuments(): some name each other
 */
export function convertDocuments(documents: readonly ObjectDocument[]): Conversion {
  const resources: PolicyResource[] = []
  const drafted = new Set<ObjectDocument>()
  const problems: TagwardenError[] = []
  const objects: ForeignObject[] = []
  for (const document of documents) {
    const object = foreignObject(document)
    if (object?.group === 'tagwarden.io') continue
    const reading =
      object === undefined && !isKustomization(document) ? undefined : readObject(document)
    if (reading !== undefined) {
      drafted.add(document)
      resources.push(...reading.resources)
      problems.push(...reading.problems)
    } else if (object !== undefined) {
      objects.push(object)
    }
  }
  const applications = objects.filter(({ kind }) => kind === 'Application')
  const drafts = convertDrafts(resources, drafted)
  const found: readonly Found[] = [drafts, ...objects.map((each) => convertOne(each, applications))]
  const merged = merge(found.flatMap((each) => each.objects))
  const { sound, refused } = checked(merged)
  return {
    objects: sound,
    leftOut: [...found.flatMap((each) => each.leftOut), ...refused],
    problems: [...problems, ...drafts.problems],
  }
}

/** kustomize lets its own files leave out what they are. */
function isKustomization({ value }: ObjectDocument): boolean {
  return typeof value === 'object' && value !== null && 'imagePolicies' in value
}

function convertOne(object: ForeignObject, applications: readonly ForeignObject[]): Found {
  const { group, kind, source } = object
  if (group === UPDATER_GROUP && kind === 'ImageUpdater') {
    return convertImageUpdater(object, applications)
  }
  if (kind === 'ImageUpdateAutomation' && group === 'image.toolkit.fluxcd.io') {
    return { objects: [], leftOut: [{ title: source.title, reason: WRITE_BACK }] }
  }
  const found = [
    ...(isKeels(object) ? [convertKeel(object)] : []),
    ...(isImageUpdaters(object) ? [convertApplication(object)] : []),
  ]
  return {
    objects: found.flatMap((each) => each.objects),
    leftOut: found.flatMap((each) => each.leftOut),
  }
}

/** What the loader would refuse is left out with its words. */
function checked(objects: readonly Converted[]) {
  const sound: Converted[] = []
  const refused: LeftOut[] = []
  for (const each of objects) {
    const { resources, problems } = readObjects([each.object])
    const [problem] = [...problems, ...compilePolicies(resources).problems]
    if (problem === undefined) sound.push(each)
    else {
      const title = each.sources.map((source) => source.title).join(', ')
      refused.push({ title, reason: describeError(problem) })
    }
  }
  return { sound, refused }
}
