import { findImages, type ImageReference, parseReference } from '../images/index.ts'
import { compilePattern } from '../tags/index.ts'
import { type ForeignObject, textOf } from './foreign_object.ts'
import { keelRule } from './keel_rule.ts'
import { nativePolicy, secretRepository } from './native_object.ts'
import { objectName } from './policy_name.ts'
import type { Converted, Fields, Found, LeftOut } from './types.ts'

const PREFIX = 'keel.sh/'
/** What Keel itself writes, and what is read here. */
const SILENT = ['policy', 'matchTag', 'match-tag', 'matchPreRelease', 'update-time', 'digest']
const CONSIDERED = ['initContainers', 'imageVolumes', 'monitorContainers', 'imagePullSecret']

/** The setting of Keel on a workload: annotations go before labels. */
function keelSetting({ annotations, labels }: ForeignObject, name: string) {
  return annotations[PREFIX + name] ?? labels[PREFIX + name]
}

/** Whether Keel has anything to do with an object. */
export function isKeels(object: ForeignObject): boolean {
  return keelSetting(object, 'policy') !== undefined
}

/** A workload with annotations of Keel as policies, one for each of its repositories. */
export function convertKeel(workload: ForeignObject): Found {
  const { source, namespace, name } = workload
  const objects: Converted[] = []
  const leftOut: LeftOut[] = []
  const images = keelImages(workload)
  if (images.length === 0) {
    leftOut.push({ title: source.title, reason: 'it has no image that Keel would update' })
  }
  const repositories = new Set(images.map((image) => image.name))
  const done = new Set<string>()
  for (const image of images) {
    const rule = keelRule(image, {
      policy: (keelSetting(workload, 'policy') ?? '').trim(),
      matchTag:
        (keelSetting(workload, 'matchTag') ?? keelSetting(workload, 'match-tag')) === 'true',
      matchPreRelease: keelSetting(workload, 'matchPreRelease') !== 'false',
    })
    if ('refused' in rule) {
      leftOut.push({ title: `${source.title}, ${image.name}`, reason: rule.refused })
      continue
    }
    const key = JSON.stringify([image.name, rule.spec])
    if (done.has(key)) continue
    done.add(key)
    const { spec, notes } = withApprovals(workload, rule.spec)
    const last = image.name.slice(image.name.lastIndexOf('/') + 1)
    const ownName = objectName(name, repositories.size > 1 ? last : '')
    objects.push({
      object: nativePolicy('ImagePolicy', namespace, ownName, {
        images: [image.name],
        ...spec,
      }),
      sources: [source],
      notes: [...rule.notes, ...notes, ...otherNotes(workload)],
    })
    objects.push(...pullSecret(workload, ownName, image.name))
  }
  return { objects, leftOut }
}

function keelImages(workload: ForeignObject): ImageReference[] {
  const has = (name: string) => keelSetting(workload, name) === 'true'
  const roles = new Set([
    'container',
    ...(has('initContainers') ? ['initContainer'] : []),
    ...(has('imageVolumes') ? ['volume'] : []),
  ])
  const monitored = monitor(keelSetting(workload, 'monitorContainers'))
  return findImages(workload.value, workload, [])
    .filter(({ role, name = '' }) => roles.has(role) && monitored(name))
    .flatMap(({ value }) => {
      try {
        return typeof value === 'string' ? parseReference(value) : []
      } catch {
        return []
      }
    })
}

function monitor(pattern: string | undefined): (container: string) => boolean {
  if (pattern === undefined) return () => true
  try {
    return compilePattern(pattern, 'monitorContainers').test
  } catch {
    return () => false
  }
}

/** Where somebody has to approve, nothing may move by itself. */
function withApprovals(workload: ForeignObject, spec: Fields) {
  const moving = spec['action'] === undefined
  const approvals = Number(keelSetting(workload, 'approvals') ?? 0)
  if (!moving || !(approvals > 0)) {
    return {
      spec: {
        ...spec,
        reference: spec['reference'] ?? 'Tag',
        ...(moving ? { promote: 'Continuously' } : {}),
      },
      notes: [],
    }
  }
  return {
    spec: { ...spec, reference: spec['reference'] ?? 'Tag' },
    notes: [
      `Keel waits for ${approvals} approval${approvals === 1 ? '' : 's'} before each update; there are none here. So a workload moves only when somebody applies it (promote: OnApply).`,
    ],
  }
}

function otherNotes(workload: ForeignObject): string[] {
  const trigger = keelSetting(workload, 'trigger')
  const schedule = keelSetting(workload, 'pollSchedule')
  const notes: string[] = []
  if (workload.namespace === undefined) {
    notes.push('The workload names no namespace: apply this where the workload is applied.')
  }
  if (schedule !== undefined) {
    notes.push(
      `keel.sh/pollSchedule ${schedule} is not converted: tags are read at the interval of the configuration (catalog.interval).`,
    )
  } else if (trigger !== 'poll') {
    notes.push(
      'Keel waits until a registry notifies it; here tags are read at the interval of the configuration (catalog.interval).',
    )
  }
  const known = new Set([...SILENT, ...CONSIDERED, 'approvals', 'trigger', 'pollSchedule'])
  const { annotations, labels } = workload
  const rest = [...Object.keys(annotations), ...Object.keys(labels)]
    .filter((key) => key.startsWith(PREFIX) && !known.has(key.slice(PREFIX.length)))
    .sort()
  if (rest.length > 0) notes.push(`Without a counterpart here: ${rest.join(', ')}.`)
  return notes
}

function pullSecret(workload: ForeignObject, name: string, image: string): Converted[] {
  const { namespace, source } = workload
  const secret = textOf(keelSetting(workload, 'imagePullSecret'))
  return secret === undefined ? [] : [secretRepository({ name, namespace, image, secret, source })]
}
