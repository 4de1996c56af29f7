import { nativePolicy, secretRepository } from './native_object.ts'
import { objectName } from './policy_name.ts'
import type { Converted, Found, Source } from './types.ts'
import { type UpdaterImage, updaterRule } from './updater_image.ts'

/** Where the workloads of an Application are. */
export interface Destination {
  readonly namespace: string | undefined
  readonly notes: readonly string[]
}

/** One image of one Application. */
export interface UpdaterCase {
  readonly application: string
  /** whether it is the only image there */
  readonly alone: boolean
  readonly image: UpdaterImage
  readonly destination: Destination
  /** how Image Updater writes: `argocd`, `git` or `git:<credentials>` */
  readonly method: string
  readonly notes: readonly string[]
  readonly source: Source
}

/** The policy for one image, and the repository that its pull secret asks for. */
export function convertUpdaterImage(given: UpdaterCase): Found {
  const { image, destination, source } = given
  const rule = updaterRule(image)
  if ('refused' in rule) {
    return {
      objects: [],
      leftOut: [{ title: `${source.title}, ${image.name}`, reason: rule.refused }],
    }
  }
  const last = image.name.slice(image.name.lastIndexOf('/') + 1)
  const name = objectName(given.application, given.alone ? '' : image.alias || last)
  const { namespace } = destination
  const secret = pullSecret(image.pullSecret, namespace)
  const moves = rule.spec['promote'] === 'Continuously'
  const policy: Converted = {
    object: nativePolicy('ImagePolicy', namespace, name, { images: [image.name], ...rule.spec }),
    sources: [source],
    notes: [
      ...rule.notes,
      ...destination.notes,
      ...(moves ? [writingNote(given.method)] : []),
      ...given.notes,
      ...(secret.note === undefined ? [] : [secret.note]),
    ],
  }
  if (secret.name === undefined) return { objects: [policy], leftOut: [] }
  const repository = { name, namespace, image: image.name, secret: secret.name, source }
  return { objects: [secretRepository(repository), policy], leftOut: [] }
}

function writingNote(method: string): string {
  return method.startsWith('git')
    ? 'Image Updater writes tags to Git. Here the workload is moved when it is applied and while it runs, and Git keeps what it has: let Argo CD compare by a server-side dry run (docs/gitops.md).'
    : 'Image Updater sets parameters of the Application. Here the workload itself is moved: let Argo CD compare by a server-side dry run (docs/gitops.md).'
}

/** A pull secret can be kept where it is one of the workload's own namespace. */
function pullSecret(
  reference: string | undefined,
  namespace: string | undefined,
): { readonly name?: string; readonly note?: string } {
  if (reference === undefined || reference === '') return {}
  const [, of, name] = /^pullsecret:([^/#]+)\/([^/#]+)$/.exec(reference) ?? []
  if (name !== undefined && of === namespace) return { name }
  const kind = /^(\w+):/.exec(reference)?.[1] ?? 'what it names'
  return {
    note:
      name === undefined
        ? `pull-secret (${kind}) is not converted: an ImageRepository reads a pull secret of its own namespace by secretRef.`
        : `pull-secret ${reference} is one of another namespace: copy it beside the workload, and name it in the secretRef of an ImageRepository.`,
  }
}
