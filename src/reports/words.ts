import { findingLine } from '../decisions/index.ts'
import { displayImage, fieldAt, groupOf } from '../images/index.ts'
import { plain } from './plain.ts'
import type {
  Location,
  Report,
  ReportChange,
  ReportDifference,
  ReportFinding,
  ReportProblem,
  Subject,
} from './types.ts'

/** Longer than any name that Kubernetes takes, or any path that people look at. */
const LONGEST_NAME = 300
/** No message of ours comes near. */
const LONGEST_LINE = 4000

/** `Deployment shop/web`. */
export function subjectTitle({ kind, namespace, name }: Subject): string {
  const space = namespace === undefined ? '' : `${plain(namespace, LONGEST_NAME)}/`
  return `${plain(kind, LONGEST_NAME)} ${space}${plain(name, LONGEST_NAME)}`
}

/** The finding as the webhook says it, on one line. */
export function lineOf(finding: ReportFinding): string {
  const { image } = finding
  const { field, name } = placeInObject(finding)
  return plain(findingLine({ field, name, image }, finding), LONGEST_LINE)
}

/** The change as a line of the same shape. */
export function changeLine(change: ReportChange): string {
  const { from, to, policy } = change
  const { field, name } = placeInObject(change)
  const where = name === undefined ? field : `${field} ${JSON.stringify(name)}`
  return plain(
    `${where}: ${displayImage(from)} becomes ${displayImage(to)} (${policy})`,
    LONGEST_LINE,
  )
}

/** `containers[0]` and the name of the container. */
export function placeInObject({
  subject,
  pointer,
  container,
}: Pick<ReportFinding, 'subject' | 'pointer' | 'container'>): {
  field: string
  name: string | undefined
} {
  const { apiVersion, kind } = subject
  const field = plain(fieldAt(pointer, { group: groupOf(apiVersion), kind }), LONGEST_NAME)
  return { field, name: container?.slice(0, LONGEST_NAME) }
}

/** What a finding is filed under: its file, or its object where there is no file. */
export function placeOf({
  location,
  subject,
}: Pick<ReportFinding, 'location' | 'subject'>): string {
  return location === undefined ? subjectTitle(subject) : plain(location.file, LONGEST_NAME * 4)
}

/** `12:16`; empty where there is no location. */
export function positionOf(location: Location | undefined): string {
  return location === undefined ? '' : `${location.line}:${location.column}`
}

/**
 * The file that a problem is of; undefined: it is of an object, of the cluster, or of standard input.
 *
 * @param door of its report
 */
export function problemFile(
  { code, place, line }: ReportProblem,
  door: Report['door'],
): string | undefined {
  const isNone = place === '' || place === '-' || code === 'ERR_CLUSTER'
  // `Secret shop/web` is an object, and a review has none
  const isFile = door === 'review' || line !== undefined || !/\s/.test(place)
  return isFile && !isNone ? place : undefined
}

/** `ERR_INVALID_POLICY web.yaml:3:1: what is wrong`. */
export function problemLine({ code, place, line, column, message }: ReportProblem): string {
  const parts = [place, ...(line === undefined ? [] : [line, ...(column ? [column] : [])])]
  return plain(`${code} ${parts.join(':')}: ${message}`, LONGEST_LINE)
}

/** `3 images are denied and 1 is warned of, among 40 images …`: the whole report in a sentence. */
export function summaryOf({ door, totals, problems, interrupted, difference }: Report): string {
  const { files, objects, images, denied, warned, audited, changed, accepted } = totals
  const verdicts = [
    `${numberOf(denied)} denied`,
    `${numberOf(warned)} with warnings`,
    ...(audited > 0 ? [`${numberOf(audited)} noted`] : []),
    ...(changed > 0 ? [`${numberOf(changed)} would change`] : []),
    ...(accepted > 0 ? [`${numberOf(accepted)} accepted`] : []),
  ]
  const among = [
    countOf(images, 'image'),
    countOf(objects, 'object'),
    ...(door === 'review' ? [countOf(files, 'file')] : []),
  ]
  const unseen = problems.length > 0 ? `; ${countOf(problems.length, 'place')} not looked at` : ''
  const stopped = interrupted ? '; stopped before the end' : ''
  const words = difference ? differenceWords(difference) : verdicts
  return `${among.join(' in ')}: ${words.join(', ')}${unseen}${stopped}`
}

function differenceWords(difference: ReportDifference): string[] {
  const { newlyDenied, newlyWarned, noLongerDenied, noLongerWarned, moved } = difference
  return [
    `${numberOf(newlyDenied)} newly denied`,
    `${numberOf(newlyWarned)} newly with warnings`,
    `${numberOf(noLongerDenied)} no longer denied`,
    `${numberOf(noLongerWarned)} no longer with warnings`,
    `${numberOf(moved)} would move`,
  ]
}

/** `1 file`, `2,000 files`. */
export function countOf(count: number, noun: string): string {
  return `${numberOf(count)} ${noun}${count === 1 ? '' : 's'}`
}

function numberOf(count: number): string {
  return count.toLocaleString('en')
}
