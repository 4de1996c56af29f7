import type { Affected } from '../audit/index.ts'
import {
  type Decision,
  type Funnel,
  formatMoment,
  formatSpan,
  type RepositorySnapshot,
} from '../decisions/index.ts'
import type { ImageReference } from '../images/index.ts'
import type { CompiledException, CompiledPolicy } from '../policies/types.ts'
import { affectedJson, affectedLines } from './affected_workloads.ts'
import { loserLines, type NearestLoser, nearestLosers } from './nearest_losers.ts'
import { type TimelineEvent, timelineJson, timelineLines } from './timeline.ts'

/** All that `explain` found out about one image. */
export interface Explanation {
  readonly image: ImageReference
  readonly decision: Decision
  readonly funnels: readonly { readonly policy: CompiledPolicy; readonly funnel: Funnel }[]
  /** of the namespace, for this image; those that have expired too */
  readonly exceptions: readonly CompiledException[]
  readonly snapshot: RepositorySnapshot | undefined
  /** ms since the epoch */
  readonly now: number
  /** policies for this image in namespaces that were not asked for */
  readonly elsewhere: readonly string[]
  /** the newest first */
  readonly timeline: readonly TimelineEvent[]
  /** workloads of a cluster; undefined: none was asked */
  readonly affected?: Affected | undefined
}

export type Verdict = 'allowed' | 'warned' | 'denied'

/** What a workload with this image would meet. */
export function verdictOf({ findings }: Decision): Verdict {
  if (findings.some(({ enforcement }) => enforcement === 'Enforce')) return 'denied'
  return findings.some(({ enforcement }) => enforcement === 'Warn') ? 'warned' : 'allowed'
}

/** The documented JSON form of an explanation. */
export function explanationJson(explanation: Explanation): unknown {
  const { image, decision, funnels, snapshot } = explanation
  const { registry, repository, tag, digest, normalized } = image
  return {
    reference: { registry, repository, tag: tag ?? null, digest: digest ?? null, normalized },
    index: snapshot
      ? {
          tags: snapshot.tags.length,
          scannedAt: snapshot.scannedAt === 0 ? null : new Date(snapshot.scannedAt).toISOString(),
          revision: snapshot.revision,
          failure: snapshot.failure?.message ?? null,
        }
      : null,
    policies: funnels.map(({ policy, funnel }) => ({
      kind: policy.kind,
      namespace: policy.namespace ?? null,
      name: policy.name,
      action: policy.action,
      reference: policy.reference,
      enforcement: policy.enforcement,
      permits: policy.selector.description,
      counts: { ...funnel.counts, usable: funnel.usable.length },
      best: funnel.usable.slice(0, 5).map((candidate) => candidate.tag),
      losers: funnel.losers.slice(0, 100),
      nearest: nearestOf(explanation, policy, funnel),
    })),
    exceptions: explanation.exceptions.map((exception) => ({
      namespace: exception.namespace,
      name: exception.name,
      reason: exception.reason,
      expires: new Date(exception.expires).toISOString(),
      expired: hasExpired(exception, explanation),
      everyWorkload: !exception.narrowed,
    })),
    elsewhere: explanation.elsewhere,
    timeline: timelineJson(explanation.timeline),
    workloads: affectedJson(explanation.affected),
    verdict: verdictOf(decision),
    findings: decision.findings.map(({ reason, enforcement, policy, message, use }) => ({
      reason,
      enforcement,
      policy: policy?.title ?? null,
      message,
      use: use ?? null,
    })),
    change: decision.change
      ? {
          to: decision.change.to,
          tag: decision.change.tag ?? null,
          digest: decision.change.digest ?? null,
          version: decision.change.version,
          build: decision.change.build ?? null,
          policy: decision.change.policy.title,
        }
      : null,
  }
}

/** The same for people. */
export function explanationText(explanation: Explanation): string {
  const { image, decision, funnels, elsewhere } = explanation
  const lines = [
    image.normalized === image.original
      ? image.normalized
      : `${image.original} is ${image.normalized}`,
  ]
  for (const { policy, funnel } of funnels) {
    lines.push('', ...funnelLines(explanation, policy, funnel))
  }
  if (funnels.length === 0) {
    lines.push('', 'No policy covers this image: the defaults of the configuration apply.')
  }
  for (const exception of explanation.exceptions) {
    lines.push('', exceptionLine(exception, explanation))
  }
  for (const title of elsewhere) {
    lines.push(`${title} covers it too, in another namespace: see --namespace`)
  }
  const timeline = timelineLines(image.name, explanation.timeline)
  if (timeline.length > 0) lines.push('', ...timeline)
  const { affected } = explanation
  if (affected) lines.push('', ...affectedLines(image.name, affected))
  lines.push('', verdictOf(decision).toUpperCase())
  for (const { reason, enforcement, message, use } of decision.findings) {
    lines.push(`  ${enforcement} [${reason}] ${message}${use === undefined ? '' : ` Use ${use}`}`)
  }
  lines.push(decision.change ? `  becomes ${decision.change.to}` : '  stays as it is')
  return `${lines.join('\n')}\n`
}

function hasExpired({ expires }: CompiledException, { now }: Explanation): boolean {
  return now >= expires
}

function exceptionLine(exception: CompiledException, explanation: Explanation): string {
  const { title, reason, expires, narrowed } = exception
  const ended = hasExpired(exception, explanation)
  const end = `${ended ? 'expired' : 'lets it through until'} ${formatMoment(expires)}`
  const some = narrowed && !ended ? ', for some workloads only (not looked at here)' : ''
  return `${title} ${end}${some}: ${reason}`
}

function funnelLines(explanation: Explanation, policy: CompiledPolicy, funnel: Funnel): string[] {
  const { image, snapshot, now } = explanation
  const { counts, usable, losers } = funnel
  const { rule, description } = policy.selector
  const head = `${image.name}  ${policy.title} (${policy.action}, ${policy.reference}, ${policy.enforcement})`
  if (!snapshot) {
    return [head, '  nothing is known of this repository']
  }
  const rows: [number, string, string][] = [
    [
      counts.tags,
      'tags in the index',
      `scanned ${formatSpan(now - snapshot.scannedAt)} ago, revision ${snapshot.revision}${snapshot.failure ? `; last scan failed: ${snapshot.failure.message}` : ''}`,
    ],
    [
      counts.matched,
      rule.pattern === undefined ? 'are candidates' : `match ${rule.pattern}`,
      reasons(losers, ['NotMatched', 'Ignored', 'Artifact']),
    ],
    [
      counts.versions,
      'can be ranked',
      reasons(losers, ['NotAVersion', 'NotANumber', 'DigestUnknown']),
    ],
    [
      counts.permitted,
      `permitted by ${description}`,
      reasons(losers, ['OutOfRange', 'Prerelease', 'NotFollowed', 'DigestNotAllowed']),
    ],
    [
      usable.length,
      'old enough, on every platform, permitted by all policies',
      reasons(losers, ['TooYoung', 'TagMoved', 'PlatformMissing', 'LatestTag', 'OtherPolicy']),
    ],
  ]
  const digits = Math.max(...rows.map(([count]) => count.toLocaleString('en').length))
  const width = Math.max(...rows.map(([, label]) => label.length))
  const lines = rows.map(([count, label, note]) =>
    `  ${count.toLocaleString('en').padStart(digits)} ${label.padEnd(width)}  ${note}`.trimEnd(),
  )
  const nearest = nearestOf(explanation, policy, funnel)
  return [head, ...lines, ...chosenLines(snapshot, funnel), ...loserLines(nearest)]
}

function nearestOf(
  { funnels, snapshot, now }: Explanation,
  policy: CompiledPolicy,
  funnel: Funnel,
): readonly NearestLoser[] {
  const policies = funnels.map((each) => each.policy)
  return nearestLosers(funnel, { policy, policies, snapshot, now })
}

function chosenLines(snapshot: RepositorySnapshot, { usable, losers }: Funnel): string[] {
  const [chosen, ...next] = usable
  if (!chosen) {
    return ['  -> no permitted tag']
  }
  const fact = snapshot.manifest(chosen.tag)
  const seen = snapshot.firstSeen(chosen.tag)
  const notes = [
    seen === undefined ? '' : `first seen ${new Date(seen).toISOString().slice(0, 10)}`,
    fact?.platforms?.join(' ') ?? '',
  ]
  const digest = fact ? `@${fact.digest}` : ''
  const newest = losers.find(({ reason }) => reason === 'OutOfRange' || reason === 'Prerelease')
  const others = [
    next.length > 0
      ? `next best: ${next
          .slice(0, 3)
          .map(({ tag }) => tag)
          .join(', ')}`
      : '',
    newest ? `newest beyond: ${newest.tag} (${newest.reason})` : '',
  ]
  const joined = others.filter((part) => part !== '').join('; ')
  return [
    `  -> ${chosen.tag}${digest}  ${notes.filter((part) => part !== '').join(', ')}`.trimEnd(),
    ...(joined === '' ? [] : [`  ${joined}`]),
  ]
}

/** `2 NotMatched: a, b; 1 Ignored: c`: the first few of each reason. */
function reasons(losers: Funnel['losers'], wanted: readonly string[]): string {
  return wanted
    .flatMap((reason) => {
      const tags = losers.filter((loser) => loser.reason === reason).map(({ tag }) => tag)
      const shown = `${tags.slice(0, 3).join(', ')}${tags.length > 3 ? ', …' : ''}`
      return tags.length === 0 ? [] : [`${tags.length} ${reason}: ${shown}`]
    })
    .join('; ')
}
