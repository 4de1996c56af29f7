import type { ReviewOptions } from '../admission/index.ts'
import type { Cluster, ResourceName } from '../cluster/index.ts'
import type { PolicySet } from '../policies/types.ts'
import type { Report } from '../reports/types.ts'

/** What is looked at, and with what. */
export interface AuditOptions {
  /** `count` tells how much there is to look at, for those who watch */
  readonly cluster: Pick<Cluster, 'pages'> & Partial<Pick<Cluster, 'count'>>
  /** policies, facts and defaults, as the webhook has them */
  readonly review: ReviewOptions
  /** policies that are not in force: the report tells what they would change */
  readonly whatIf?: PolicySet | undefined
  /** kinds of `imageFields` that the cluster serves */
  readonly customKinds?: readonly ResourceName[] | undefined
  /** this one only */
  readonly namespace?: string | undefined
  /** labels of the workloads, as kubectl takes them */
  readonly selector?: string | undefined
  /** name or title of a policy: what it says, and of the images that it covers */
  readonly policy?: string | undefined
  /** namespaces that the webhook is never asked about */
  readonly excludedNamespaces?: ReadonlySet<string> | undefined
  /** ends with the first list that fails, as a part is of no use; kinds may be forbidden */
  readonly onlyWhole?: boolean | undefined
  /** of Tagwarden */
  readonly version: string
  /** its end is that of the audit, with what was found so far */
  readonly signal?: AbortSignal | undefined
  /** objects between two pauses; 100 */
  readonly batch?: number | undefined
  /** lets others run; without it, one turn of the event loop */
  readonly pause?: ((signal: AbortSignal | undefined) => Promise<void>) | undefined
  readonly onProgress?: ((progress: AuditProgress) => void) | undefined
  readonly clock?: (() => number) | undefined
}

/** How far an audit is. */
export interface AuditProgress {
  /** what is looked at, such as `deployments` */
  readonly looking: string
  /** objects that count, such as Deployments and not their Pods */
  readonly objects: number
  readonly findings: number
  /** objects that were read, whatever they count to */
  readonly read: number
  /** how many there are to be read; undefined: nobody can say, or not yet */
  readonly all: number | undefined
}

/** Images of one namespace; each by the worst that is said of it. */
export interface SpaceFigures {
  images: number
  denied: number
  warned: number
  audited: number
}

/** What an audit found. */
export interface Audited {
  readonly report: Report
  /** by namespace; '' for what has none */
  readonly spaces: ReadonlyMap<string, Readonly<SpaceFigures>>
  /** how many findings there are by policy, namespace and reason; the parts are joined by NUL */
  readonly series: ReadonlyMap<string, number>
  /** it came to its end, and the API server answered all the time; some kinds may be forbidden */
  readonly isWhole: boolean
}

/** The part of a logger (such as pino) that this room uses. */
export interface AuditLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
