import { matchText } from '../policies/index.ts'
import { convertApplication, destinationOf } from './argo_application.ts'
import { below, type ForeignObject, fieldsOf, listOf, textOf } from './foreign_object.ts'
import type { Converted, Found, LeftOut } from './types.ts'
import { parseImageSpec, type UpdaterImage } from './updater_image.ts'
import { convertUpdaterImage, type Destination } from './updater_policy.ts'

interface Target extends Destination {
  readonly name: string
}

/** An ImageUpdater of Argo CD Image Updater (v1alpha1), for the Applications that it names. */
export function convertImageUpdater(
  updater: ForeignObject,
  applications: readonly ForeignObject[],
): Found {
  const { value, source } = updater
  const spec = fieldsOf(value['spec'])
  const objects: Converted[] = []
  const leftOut: LeftOut[] = []
  const add = ({ objects: more, leftOut: less }: Found) => {
    objects.push(...more)
    leftOut.push(...less)
  }
  for (const reference of listOf(spec['applicationRefs'])) {
    const matching = applications.filter((each) => isNamed(each, reference, updater))
    if (below(reference, 'useAnnotations') === true) {
      matching.map(convertApplication).forEach(add)
      if (matching.length === 0) leftOut.push({ title: source.title, reason: unread(reference) })
      continue
    }
    const images = listOf(below(reference, 'images'))
    for (const entry of images) {
      const image = imageOf(entry, [entry, reference, spec])
      if (image === undefined) {
        const name = String(below(entry, 'imageName'))
        leftOut.push({ title: source.title, reason: `${name} names no image` })
        continue
      }
      for (const { name, ...destination } of targetsOf(matching, reference)) {
        const alone = images.length === 1
        const method = methodOf(reference, spec)
        const notes = notesOf(entry, reference, spec)
        const given = { application: name, alone, image, destination, method, notes, source }
        add(convertUpdaterImage(given))
      }
    }
  }
  if (objects.length === 0 && leftOut.length === 0) {
    leftOut.push({ title: source.title, reason: 'it names no images' })
  }
  return { objects, leftOut }
}

function isNamed(application: ForeignObject, reference: unknown, updater: ForeignObject): boolean {
  const home = textOf(below(updater.value, 'spec', 'namespace')) ?? updater.namespace
  if (home !== undefined && application.namespace !== undefined && application.namespace !== home) {
    return false
  }
  if (!matchText(textOf(below(reference, 'namePattern')) ?? '*', application.name)) return false
  return Object.entries(fieldsOf(below(reference, 'labelSelectors', 'matchLabels'))).every(
    ([key, value]) => application.labels[key] === value,
  )
}

/** One target for each namespace that the Applications deploy to. */
function targetsOf(matching: readonly ForeignObject[], reference: unknown): readonly Target[] {
  const pattern = textOf(below(reference, 'namePattern')) ?? '*'
  if (matching.length === 0) {
    const missing = `The Application ${pattern} is not among what was converted, so it is not known where its workloads run: write that into metadata.namespace.`
    return [{ name: pattern.replaceAll('*', ''), namespace: undefined, notes: [missing] }]
  }
  const targets = new Map<string | undefined, Target>()
  for (const application of matching) {
    const destination = destinationOf(application)
    if (targets.has(destination.namespace)) continue
    targets.set(destination.namespace, { name: application.name, ...destination })
  }
  return [...targets.values()]
}

/** What is said nearest to the image counts. */
function imageOf(entry: unknown, levels: readonly unknown[]): UpdaterImage | undefined {
  const parsed = parseImageSpec(textOf(below(entry, 'imageName')) ?? '')
  if (parsed === undefined) return undefined
  const setting = (name: string) =>
    levels.map((level) => below(level, 'commonUpdateSettings', name)).find((each) => each != null)
  const texts = (name: string) => listOf(setting(name)).flatMap((each) => textOf(each) ?? [])
  return {
    ...parsed,
    alias: textOf(below(entry, 'alias')) ?? '',
    strategy: textOf(setting('updateStrategy')),
    allowTags: textOf(setting('allowTags')),
    ignoreTags: texts('ignoreTags'),
    pullSecret: textOf(setting('pullSecret')),
    platforms: texts('platforms'),
    forceUpdate: setting('forceUpdate') === true,
  }
}

function methodOf(...levels: readonly unknown[]): string {
  const methods = levels.map((level) => textOf(below(level, 'writeBackConfig', 'method')))
  return methods.find((each) => each !== undefined) ?? 'argocd'
}

function notesOf(...levels: readonly unknown[]): string[] {
  const verified = levels.some((level) => below(level, 'imagesVerification') !== undefined)
  return verified ? ['imagesVerification is not converted: signatures are not checked here.'] : []
}

function unread(reference: unknown): string {
  const pattern = textOf(below(reference, 'namePattern')) ?? '*'
  return `it takes its images from annotations of the Application ${pattern}, which is not among what was converted`
}
