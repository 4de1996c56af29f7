import { DRIFT_CODES } from './drift_codes.ts'
import { FINDING_CODES, REASON_HELP } from './reason_help.ts'

/** GitHub takes no longer description. */
const LONGEST = 1024
/** Warnings whatever the policy says, or most often. */
const MILD: ReadonlySet<string> = new Set([
  ...['Downgrade', 'TagMoved', 'RegistryUnavailable'],
  ...DRIFT_CODES,
])

/** One rule for each reason code, in their order. */
export function sarifRules(): unknown[] {
  return FINDING_CODES.map((code) => {
    const { short, meaning, remedy } = REASON_HELP[code]
    const mild = MILD.has(code)
    return {
      id: code,
      shortDescription: { text: `${short}.` },
      fullDescription: { text: withoutMarks(meaning).slice(0, LONGEST) },
      help: {
        text: `${withoutMarks(meaning)}\n\nWhat to do: ${withoutMarks(remedy)}`,
        markdown: `${meaning}\n\n**What to do:** ${remedy}`,
      },
      defaultConfiguration: { level: mild ? 'warning' : 'error' },
      properties: {
        tags: ['kubernetes', 'container-images', 'supply-chain'],
        precision: 'very-high',
        'problem.severity': mild ? 'warning' : 'error',
      },
    }
  })
}

function withoutMarks(markdown: string): string {
  return markdown.replaceAll('`', '')
}
