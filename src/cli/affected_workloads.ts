import type { Affected, AffectedImage } from '../audit/index.ts'

const SHOWN = 50

/** Who runs images of a repository, the denied ones first; for people. */
export function affectedLines(name: string, affected: Affected): string[] {
  const { total, denied, warned, moved, images, problems } = affected
  const head =
    total === 0
      ? `no workload in the cluster runs ${name}`
      : `${total.toLocaleString('en')} ${total === 1 ? 'image' : 'images'} in the cluster ${total === 1 ? 'is' : 'are'} of ${name}: ${denied} denied, ${warned} with warnings, ${moved} would move`
  const rows = images.toSorted((a, b) => rank(a) - rank(b)).slice(0, SHOWN)
  const titles = rows.map(titleOf)
  const width = Math.max(0, ...titles.map((title) => title.length))
  return [
    head,
    ...rows.map((each, at) => `  ${titles[at]?.padEnd(width)}  ${each.image}  ${wordsOf(each)}`),
    ...(total > rows.length ? [`  and ${(total - rows.length).toLocaleString('en')} more`] : []),
    ...problems.map((problem) => `  not looked at: ${problem}`),
  ]
}

/** The documented JSON form. */
export function affectedJson(affected: Affected | undefined): object | null {
  if (affected === undefined) return null
  const images = affected.images.map(({ namespace, level, reason, becomes, ...each }) => ({
    ...each,
    namespace: namespace ?? null,
    verdict: level === 'deny' ? 'denied' : level === 'warn' ? 'warned' : 'allowed',
    reason: reason ?? null,
    becomes: becomes?.to ?? null,
    policy: becomes?.policy ?? null,
  }))
  return { ...affected, images }
}

function titleOf({ kind, namespace, workload, container }: AffectedImage): string {
  return `${kind} ${namespace === undefined ? '' : `${namespace}/`}${workload} "${container}"`
}

function rank({ level, becomes }: AffectedImage): number {
  return level === 'deny' ? 0 : level === 'warn' ? 1 : becomes ? 2 : 3
}

function wordsOf({ level, reason, becomes }: AffectedImage): string {
  const said = level === undefined ? '' : `${LEVELS[level]} [${reason}]`
  const moves = becomes === undefined ? '' : `becomes ${becomes.to}`
  return [said, moves].filter((part) => part !== '').join(', ') || 'stays as it is'
}

const LEVELS = { deny: 'denied', warn: 'warned', audit: 'noted' } as const
