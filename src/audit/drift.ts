import { type FactSource, formatSpan, type RepositorySnapshot } from '../decisions/index.ts'
import { displayImage, type ImageReference } from '../images/index.ts'
import type { DriftCode, Level } from '../reports/types.ts'
import type { RunningImage } from './image_id.ts'
import type { RunningContainer } from './running.ts'

/** What is wrong between a workload, what runs of it, and the registry. */
export interface Drift {
  readonly reason: DriftCode
  readonly level: Level
  readonly message: string
}

/** One image of a workload, and what its pods run. */
export interface DriftQuestion {
  /** name of the container, or undefined */
  readonly container: string | undefined
  /** as it is written */
  readonly written: string
  readonly image: ImageReference
  /** of the workload's pods, all containers */
  readonly running: readonly RunningContainer[]
  /** its rollout is over: every pod should be as it says */
  readonly isSettled: boolean
  readonly snapshot: RepositorySnapshot | undefined
  readonly now: number
}

/** So old an answer of the registry may be, before it is asked what a tag is now. */
const FRESH = 900_000
const MOST_SHOWN = 3

/**
 * Compares what is written with what runs, and what runs with the registry. What only a node knows
 * (the id of an image) proves nothing. A digest that the index has never seen may be the manifest of
 * one platform, as some runtimes name it: that is no more than a note.
 */
export function driftOf(question: DriftQuestion): Drift[] {
  const { container, written, image, isSettled, snapshot } = question
  const own = question.running.filter((each) => each.container === container)
  const same = own.filter((each) => each.image === written).flatMap(({ running }) => running)
  const other = isSettled ? own.filter((each) => each.image !== written) : []
  const found: Drift[] = []
  if (other.length > 0) {
    const shown = other.slice(0, MOST_SHOWN).map(({ image: found }) => displayImage(found))
    const which = same.length > 0 ? 'some pods ask for' : 'its pods ask for'
    const level = same.length > 0 ? 'warn' : 'audit'
    const message = `The rollout is over, and ${which} ${shown.join(', ')}.`
    found.push({ reason: 'NotAsWritten', level, message })
  }
  const digests = same.filter(({ isManifest }) => isManifest)
  if (image.digest !== undefined) {
    const wrong = digests.filter(({ digest }) => digest !== image.digest)
    if (wrong.length > 0) {
      const message = `Pods run ${shortened(wrong)}, and not the digest that is written.`
      found.push({ reason: 'NotAsWritten', level: levelOf(wrong, snapshot), message })
    }
    return found
  }
  const elsewhere = image.tag === undefined ? undefined : snapshot?.manifest(image.tag)
  if (digests.length > 1) {
    const present = elsewhere ? ` ${wordsFor(question, elsewhere)}.` : ''
    const message = `Pods run ${shortened(digests)} under one tag.${present}`
    found.push({ reason: 'MixedDigests', level: levelOf(digests, snapshot), message })
  } else if (elsewhere && digests.some(({ digest }) => digest !== elsewhere.digest)) {
    const message = `Pods run ${shortened(digests)}. ${wordsFor(question, elsewhere)}.`
    found.push({ reason: 'TagElsewhere', level: levelOf(digests, snapshot), message })
  }
  return found
}

/** Certain is only what the index has seen under a tag. */
function levelOf(digests: readonly RunningImage[], snapshot: RepositorySnapshot | undefined) {
  const isKnown = digests.every(({ digest }) => (snapshot?.tagsOf(digest) ?? []).length > 0)
  return isKnown ? 'warn' : 'audit'
}

function wordsFor(
  { image, snapshot, now }: DriftQuestion,
  { digest, checkedAt }: { readonly digest: string; readonly checkedAt: number },
): string {
  const since = snapshot?.history(image.tag ?? '').find((seen) => seen.digest === digest)
  const first = (snapshot?.history(image.tag ?? '').length ?? 0) <= 1
  const changed = since && !first ? ` since ${formatSpan(now - since.firstSeen)} ago` : ''
  const seen = `asked ${formatSpan(now - checkedAt)} ago`
  return `In the registry ${image.tag} is ${digest.slice(0, 19)}…${changed} (${seen})`
}

function shortened(images: readonly RunningImage[]): string {
  const shown = images.slice(0, MOST_SHOWN).map(({ digest }) => `${digest.slice(0, 19)}…`)
  const rest = images.length - shown.length
  return `${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

/** Asks what a tag is now, where pods run it without a digest and nobody has asked for long. */
export async function askPresent(
  { image, container, written, running, snapshot, now }: DriftQuestion,
  source: FactSource,
  signal: AbortSignal,
): Promise<void> {
  const { tag, digest, name } = image
  if (tag === undefined || digest !== undefined) return
  const runs = running.some(
    (each) =>
      each.container === container &&
      each.image === written &&
      each.running.some(({ isManifest }) => isManifest),
  )
  const fact = snapshot?.manifest(tag)
  if (!runs || (fact && now - fact.checkedAt <= FRESH)) return
  await source.gather({ fact: 'manifest', name, tag, platforms: false }, signal)
}
