import { isLatest } from './judge.ts'
import type { Finding, Question } from './types.ts'

const NEXT = 'Add it to the images of an ImagePolicy, or widen the match of one.'

/** What the configured defaults say of an image that no policy covers. */
export function judgeUnmatched(question: Question): Finding[] {
  const { image, defaults } = question
  const findings: Finding[] = []
  const say = (reason: Finding['reason'], enforcement: Finding['enforcement'], message: string) => {
    findings.push({
      reason,
      enforcement,
      policy: undefined,
      message,
      use: undefined,
      cause: undefined,
    })
  }
  if (defaults.unmatched === 'Deny') {
    const message = `No policy for this workload covers ${image.name}, and the defaults deny such images. ${NEXT}`
    say('Unmatched', defaults.enforcement, message)
  } else if (defaults.unmatched === 'Warn') {
    const weaker = defaults.enforcement === 'Audit' ? 'Audit' : 'Warn'
    say('Unmatched', weaker, `No policy for this workload covers ${image.name}. ${NEXT}`)
  }
  if (defaults.latest === 'Deny' && isLatest(image)) {
    const written = image.tag === undefined ? 'No tag means latest, which' : 'latest'
    const message = `${written} can change at any time, and no policy says what is permitted instead. Write a version or a digest.`
    say('LatestTag', defaults.enforcement, message)
  }
  return findings
}
