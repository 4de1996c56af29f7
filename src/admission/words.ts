import {
  type Change,
  type Decision,
  type Finding,
  findingLine,
  REMARKS,
} from '../decisions/index.ts'
import type { Examined } from './examine.ts'
import { type AdmissionRequest, objectAt, own } from './review.ts'

/** A denial names this many images in full; the API server shows it all to whoever applied. */
const MAX_LINES = 100
const MAX_WARNINGS = 20

/** Everything that is to be said of an object, by how much it counts. */
export interface Findings {
  readonly denied: readonly string[]
  readonly warned: readonly string[]
  readonly audited: readonly string[]
  /** how many images are denied */
  readonly images: number
}

/**
 * Whether only the mutating webhook can say a finding on what an image becomes: the other one gets
 * what was kept or chosen.
 */
export function isOfRequest({ reason }: Finding, change: Change | undefined): boolean {
  return reason === 'Downgrade' || (change !== undefined && !REMARKS.has(reason))
}

/** The findings of all images as lines; with `only`, those that it admits. */
export function collectFindings(
  examined: readonly Examined[],
  decisions: readonly Decision[],
  only: (finding: Finding, change: Change | undefined) => boolean = () => true,
): Findings {
  const lines = { Enforce: [] as string[], Warn: [] as string[], Audit: [] as string[] }
  let images = 0
  examined.forEach((image, index) => {
    const findings = (decisions[index]?.findings ?? []).filter((finding) =>
      only(finding, decisions[index]?.change),
    )
    for (const finding of findings) {
      const { field, name, value } = image.occurrence
      lines[finding.enforcement].push(findingLine({ field, name, image: value }, finding))
    }
    images += findings.some(({ enforcement }) => enforcement === 'Enforce') ? 1 : 0
  })
  return { denied: lines.Enforce, warned: lines.Warn, audited: lines.Audit, images }
}

/** The whole denial, as `kubectl` shows it. */
export function denialMessage(request: AdmissionRequest, findings: Findings): string {
  const { images, denied } = findings
  const count = images === 1 ? '1 image that is' : `${images} images that are`
  const rest = denied.length - MAX_LINES
  const more = rest > 0 ? [`and ${rest} more`] : []
  const lines = [...denied.slice(0, MAX_LINES), ...more]
  return `${objectTitle(request)} has ${count} not permitted:\n  ${lines.join('\n  ')}`
}

/** Warnings as the API server passes them on: few, each on one line. */
export function warningsOf(findings: Findings): string[] {
  const { warned } = findings
  const rest = warned.length - MAX_WARNINGS
  return rest > 0 ? [...warned.slice(0, MAX_WARNINGS), `and ${rest} more warnings`] : [...warned]
}

/** `Deployment shop/web`; an object that gets its name later is shown as `web-*`. */
export function objectTitle(request: AdmissionRequest): string {
  const metadata = objectAt(request.object, 'metadata')
  const generated = own(metadata, 'generateName')
  const written = own(metadata, 'name')
  const name =
    request.name !== ''
      ? request.name
      : typeof written === 'string'
        ? written
        : typeof generated === 'string'
          ? `${generated}*`
          : '(no name)'
  const namespace = request.namespace === '' ? '' : `${request.namespace}/`
  return `${request.kind.kind} ${namespace}${name}`
}
