import type { ReasonCode } from '../decisions/types.ts'
import type { ErrorCode } from '../errors.ts'
import type { DriftCode } from './drift_codes.ts'
import type { Level } from './levels.ts'

export type { DriftCode } from './drift_codes.ts'
export { LEVEL_OF, LEVELS, type Level, worstFirst, worstLevel } from './levels.ts'

/** Every form that a report can be written in, as `--output` names them. */
export const FORMS = Object.freeze([
  ...(['text', 'json', 'sarif', 'junit', 'github', 'markdown', 'html'] as const),
])
export type Form = (typeof FORMS)[number]

/** The object that an image stands in. */
export interface Subject {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  /** `web-*` for one whose name is generated */
  readonly name: string
}

/** Where in a file the image's own characters stand; line and column count from 1, columns in UTF-16 units. */
export interface Location {
  /** relative to the working directory, with `/` */
  readonly file: string
  readonly line: number
  readonly column: number
  /** of the character after the last one */
  readonly endLine: number
  readonly endColumn: number
}

/** One thing that is wrong with one image, or worth saying. */
export interface ReportFinding {
  readonly level: Level
  readonly reason: ReasonCode | DriftCode
  /** such as `ImagePolicy shop/web`; undefined: the configured defaults */
  readonly policy: string | undefined
  readonly subject: Subject
  readonly container: string | undefined
  /** JSON pointer of the image in its object */
  readonly pointer: string
  /** as it is written */
  readonly image: string
  /** one sentence or more, as the webhook says it, without image and code */
  readonly message: string
  /** what to write instead */
  readonly use: string | undefined
  /** undefined for what lives in a cluster, and for standard input without a name */
  readonly location: Location | undefined
  /** key into Report.funnels */
  readonly funnel: string | undefined
  /** the same for the same fault in the next run, whatever lines were added above it */
  readonly fingerprint: string
}

/** A finding that does not count, since somebody has accepted it. */
export interface AcceptedFinding {
  readonly finding: ReportFinding
  readonly by: 'baseline' | 'exception'
  /** who or what says so, and why: `baseline.json`, `ImagePolicyException shop/x until …` */
  readonly justification: string
}

/** An image that is permitted and that the webhook would write otherwise. */
export interface ReportChange {
  readonly subject: Subject
  readonly container: string | undefined
  readonly pointer: string
  readonly from: string
  readonly to: string
  readonly policy: string
  readonly location: Location | undefined
}

/** What could not be looked at: a file that is no YAML, a namespace that may not be read. */
export interface ReportProblem {
  readonly code: ErrorCode
  /** file, or object */
  readonly place: string
  readonly line: number | undefined
  readonly column: number | undefined
  readonly message: string
}

/** How a policy narrowed down a repository's tags. */
export interface ReportFunnel {
  readonly repository: string
  readonly policy: string
  /** from all tags to the permitted ones */
  readonly steps: readonly { readonly label: string; readonly count: number }[]
  readonly chosen: { readonly tag: string; readonly digest: string | undefined } | undefined
  /** the best ones that lost, with their reason; ten at most */
  readonly losers: readonly { readonly tag: string; readonly reason: string }[]
  /** ms since the epoch; undefined: never */
  readonly scannedAt: number | undefined
}

/** What policies that are not in force yet would change; each is a number of images. */
export interface ReportDifference {
  readonly newlyDenied: number
  readonly newlyWarned: number
  readonly noLongerDenied: number
  readonly noLongerWarned: number
  /** moved, or to another version than now */
  readonly moved: number
  /** findings that there would be no more, as far as they are kept */
  readonly gone: readonly ReportFinding[]
}

/** What a review or an audit found. Plain data: every form of report is made from it alone. */
export interface Report {
  readonly door: 'review' | 'audit'
  readonly version: string
  /** ms since the epoch */
  readonly startedAt: number
  readonly finishedAt: number
  /** it was stopped before its end */
  readonly interrupted: boolean
  readonly totals: {
    /** files, for a review; 0 for an audit */
    readonly files: number
    readonly objects: number
    readonly images: number
    /** images with a finding of that level, and none above it */
    readonly denied: number
    readonly warned: number
    readonly audited: number
    readonly changed: number
    /** findings that a baseline or an exception has taken out */
    readonly accepted: number
  }
  readonly findings: readonly ReportFinding[]
  /** where they are known; `totals.accepted` counts all */
  readonly accepted?: readonly AcceptedFinding[] | undefined
  readonly changes: readonly ReportChange[]
  readonly problems: readonly ReportProblem[]
  readonly funnels: Readonly<Record<string, ReportFunnel>>
  /** for people: what the figures do not say, such as that there are more findings than are kept */
  readonly notes?: readonly string[] | undefined
  /** of `audit --what-if`: findings and changes are then only those that would be new */
  readonly difference?: ReportDifference | undefined
}
