import { createHash } from 'node:crypto'
import type { Facts } from '../decisions/index.ts'
import { displayImage, groupOf } from '../images/index.ts'
import { compareTexts } from '../pieces/index.ts'
import {
  LEVELS,
  type Level,
  type Report,
  type ReportChange,
  type ReportDifference,
  type ReportFinding,
  type ReportProblem,
  type Subject,
  worstLevel,
} from '../reports/types.ts'
import { createFunnelBook } from '../review/index.ts'
import type { JudgedFinding, JudgedImage } from './judgement.ts'
import type { SpaceFigures } from './types.ts'

/** Of each level, and of changes, so many are kept; all are counted. */
const MOST_KEPT = 10_000
const MOST_GONE = 1_000
const MOST_FUNNELS = 200
const MOST_PROBLEMS = 200
const MOST_SPACES = 20_000
const MOST_SERIES = 2_000

/** What the image of an object counts as. */
export interface Counted {
  readonly subject: Subject
  readonly image: JudgedImage
  readonly facts: Facts
}

/** Counts, and keeps a bounded part of what it counts. */
export interface Tally {
  object(): void
  /** An image, and what of it is to be told. */
  image(counted: Counted, findings: readonly JudgedFinding[], change: JudgedImage['change']): void
  gone(counted: Counted, findings: readonly JudgedFinding[]): void
  differs(what: keyof Omit<ReportDifference, 'gone'>): void
  problem(problem: ReportProblem): void
  note(text: string): void
  /** as it stands now */
  readonly figures: () => { readonly objects: number; readonly findings: number }
  readonly spaces: () => ReadonlyMap<string, SpaceFigures>
  /** findings by policy, namespace and reason, each joined by NUL */
  readonly series: () => ReadonlyMap<string, number>
  report(more: { readonly interrupted: boolean; readonly finishedAt: number }): Report
}

export function createTally(about: {
  readonly version: string
  readonly startedAt: number
  /** what other policies would change is asked */
  readonly isDifference: boolean
}): Tally {
  const kept: Record<Level, ReportFinding[]> = { deny: [], warn: [], audit: [] }
  const found: Record<Level, number> = { deny: 0, warn: 0, audit: 0 }
  const images = { all: 0, deny: 0, warn: 0, audit: 0 }
  const changes: ReportChange[] = []
  const funnels = createFunnelBook(MOST_FUNNELS)
  const spaces = new Map<string, SpaceFigures>()
  const series = new Map<string, number>()
  const problems: ReportProblem[] = []
  const notes = new Set<string>()
  const gone: ReportFinding[] = []
  const differences = {
    ...{ newlyDenied: 0, newlyWarned: 0, noLongerDenied: 0, noLongerWarned: 0, moved: 0 },
  }
  let objects = 0
  let changed = 0

  function findingOf(counted: Counted, finding: JudgedFinding): ReportFinding {
    const { subject, image } = counted
    const { occurrence } = image
    const { level, reason, policy, message, use } = finding
    const { value } = occurrence
    return {
      ...{ level, reason, policy: policy?.title, subject, container: occurrence.name },
      pointer: occurrence.pointer,
      image: typeof value === 'string' ? value : displayImage(value),
      ...{ message, use, location: undefined },
      funnel: funnels.note(image.question, policy, counted.facts),
      fingerprint: fingerprintOf(counted, finding),
    }
  }

  function space(namespace: string | undefined): SpaceFigures | undefined {
    const key = namespace ?? ''
    const known = spaces.get(key)
    if (known || spaces.size >= MOST_SPACES) return known
    const made = { images: 0, denied: 0, warned: 0, audited: 0 }
    spaces.set(key, made)
    return made
  }

  function count({ policy, reason }: JudgedFinding, namespace: string | undefined): void {
    const key = [policy?.title ?? '(defaults)', namespace ?? '', reason].join('\0')
    const before = series.get(key)
    const other = ['(others)', '', reason].join('\0')
    if (before !== undefined || series.size < MOST_SERIES) series.set(key, (before ?? 0) + 1)
    else series.set(other, (series.get(other) ?? 0) + 1)
  }

  return {
    object: () => {
      objects += 1
    },
    image(counted, findings, change) {
      const { subject, image } = counted
      const figures = space(subject.namespace)
      images.all += 1
      if (figures) figures.images += 1
      const worst = worstLevel(findings.map(({ level }) => level))
      if (worst) {
        images[worst] += 1
        if (figures) figures[FIGURE_OF[worst]] += 1
      }
      for (const finding of findings) {
        const { level } = finding
        found[level] += 1
        count(finding, subject.namespace)
        if (kept[level].length < MOST_KEPT) kept[level].push(findingOf(counted, finding))
      }
      if (change) {
        changed += 1
        const { pointer, name, value } = image.occurrence
        const from = String(value)
        if (changes.length < MOST_KEPT) {
          changes.push({ subject, container: name, pointer, from, ...change, location: undefined })
        }
      }
    },
    gone(counted, findings) {
      for (const each of findings) {
        if (gone.length < MOST_GONE) gone.push(findingOf(counted, each))
      }
    },
    differs: (what) => {
      differences[what] += 1
    },
    problem(problem) {
      if (problems.length < MOST_PROBLEMS) problems.push(problem)
    },
    note: (text) => void notes.add(text),
    figures: () => ({ objects, findings: found.deny + found.warn + found.audit }),
    spaces: () => spaces,
    series: () => series,
    report({ interrupted, finishedAt }) {
      for (const level of LEVELS) {
        const more = found[level] - kept[level].length
        if (more > 0) {
          notes.add(
            `${more.toLocaleString('en')} more findings of level ${level} are counted and not shown. Look at one namespace at a time with --namespace`,
          )
        }
      }
      const moreChanges = changed - changes.length
      if (moreChanges > 0)
        notes.add(`${moreChanges.toLocaleString('en')} more changes are not shown`)
      return {
        door: 'audit',
        version: about.version,
        startedAt: about.startedAt,
        finishedAt,
        interrupted,
        totals: {
          files: 0,
          objects,
          images: images.all,
          denied: images.deny,
          warned: images.warn,
          audited: images.audit,
          changed,
          accepted: 0,
        },
        findings: LEVELS.flatMap((level) => kept[level]).sort(byPlace),
        changes: changes.sort(byPlace),
        problems,
        funnels: funnels.funnels(),
        notes: [...notes],
        difference: about.isDifference ? { ...differences, gone: gone.sort(byPlace) } : undefined,
      }
    },
  }
}

const FIGURE_OF = { deny: 'denied', warn: 'warned', audit: 'audited' } as const

/** By namespace, kind, name, and place in the object. */
function byPlace(a: Placed, b: Placed): number {
  return compareTexts(placeText(a), placeText(b))
}

type Placed = Pick<ReportFinding, 'subject' | 'pointer'>

function placeText({ subject: { namespace = '', kind, name }, pointer }: Placed): string {
  return [namespace, kind, name, pointer].join('\0')
}

/** The same for the same fault at the next time, wherever the container stands by then. */
function fingerprintOf(
  { subject, image: { occurrence, question } }: Counted,
  { reason, policy }: JudgedFinding,
): string {
  const { apiVersion, kind, namespace = '', name } = subject
  const place = occurrence.name ?? occurrence.pointer
  const parts = [groupOf(apiVersion), kind, namespace, name, occurrence.role, place]
  const fault = [reason, policy?.title ?? '', question?.image.name ?? '']
  return createHash('sha256')
    .update(JSON.stringify([...parts, ...fault]))
    .digest('hex')
    .slice(0, 16)
}
