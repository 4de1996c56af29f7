import t from 'tap'
import { REASON_CODES, type ReasonCode } from '../../src/decisions/index.ts'
import { readPage, section } from './pages.ts'
import { SCENARIOS, sayOf } from './reason_examples.ts'

const PAGE = readPage('docs/reasons.md')

/** Digests of the examples are one digit again and again. */
function shortened(line: string): string {
  return line.replace(/([0-9a-f])\1{63}/g, '$1$1$1$1…')
}

t.test('every reason code has its section, in the order of the list', (t) => {
  const headings = [...PAGE.text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
  t.strictSame(headings, [...REASON_CODES])
  for (const code of REASON_CODES) {
    t.match(section(PAGE, `## ${code}`), /^\*\*What to do:\*\* .{20,}\.$/m, code)
  }
  t.end()
})

t.test('the example of each is what the webhook says', async (t) => {
  for (const [code, scenario] of Object.entries(SCENARIOS)) {
    const [line = '(nothing)', ...others] = await sayOf(scenario)
    t.match(line, `[${code}]`)
    t.ok(
      others.every((other) => other === line),
      `${code}: one finding`,
    )
    t.ok(
      section(PAGE, `## ${code as ReasonCode}`).includes(
        `\n\`\`\`text\n${shortened(line)}\n\`\`\`\n`,
      ),
      shortened(line),
    )
  }
})

t.test('the example at the top is one of them', async (t) => {
  const [line = '(nothing)'] = await sayOf(SCENARIOS.LatestTag)
  t.equal(PAGE.blocks[0]?.text, `${line}\n`)
})
