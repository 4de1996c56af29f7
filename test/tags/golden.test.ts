import { readFileSync } from 'node:fs'
import t from 'tap'
import { compileRule, type TagRule } from '../../src/tags/index.ts'

/** What Go answers; golden/main.go writes it. */
interface Answers {
  readonly versions: readonly string[]
  /** indexes of those that are versions */
  readonly parsed: readonly number[]
  readonly texts: readonly string[]
}
interface RangeAnswer {
  readonly range: string
  /** indexes of the versions in the range; null: Go refuses it */
  readonly admits: readonly number[] | null
}
interface PatternAnswer {
  readonly pattern: string
  readonly template: string
  /** for each text, null where it does not match; null: Go refuses the pattern */
  readonly extracts: readonly (string | null)[] | null
}

const lines = readFileSync(new URL('golden/answers.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line): unknown => JSON.parse(line))
const { versions, parsed, texts } = lines[0] as Answers
const ranges = lines.filter((line) => (line as RangeAnswer).range !== undefined) as RangeAnswer[]
const patterns = lines.filter(
  (line) => (line as PatternAnswer).pattern !== undefined,
) as PatternAnswer[]

function compile(parts: Partial<TagRule>) {
  const order = { alphabetical: { order: 'Ascending' } } as const
  return compileRule({ allow: [], ignore: [], order, ...parts })
}

t.test('a range admits the versions that Masterminds/semver 3.5 admits', (t) => {
  t.ok(ranges.length > 150 && parsed.length > 60, 'the answers are there')
  for (const { range, admits } of ranges) {
    const name = JSON.stringify(range.slice(0, 40))
    if (!admits) {
      t.throws(
        () => compile({ order: { semver: { range } } }),
        { code: 'ERR_INVALID_POLICY', position: { file: '', field: 'order.semver.range' } },
        `${name} is refused`,
      )
      continue
    }
    const selector = compile({ order: { semver: { range } } })
    const permitted = [...versions.keys()].filter((i) => selector.judge(versions[i]!).permitted)
    t.same(permitted, admits, `${name} admits the same`)
  }
  t.end()
})

t.test('a text is a version where the strict parser of Masterminds/semver 3.5 says so', (t) => {
  const selector = compile({ order: { semver: { range: '*-0' } } })
  for (const [i, version] of versions.entries()) {
    const verdict = selector.judge(version)
    const isVersion = verdict.permitted || verdict.reason !== 'NotAVersion'
    t.equal(isVersion, parsed.includes(i), JSON.stringify(version))
  }
  t.end()
})

t.test('a pattern and its extract give what the regexp package of Go gives', (t) => {
  t.ok(patterns.length > 90 && texts.length > 60, 'the answers are there')
  for (const { pattern, template, extracts } of patterns) {
    const name = `${pattern} -> ${template}`
    if (!extracts) {
      t.throws(
        () => compile({ pattern }),
        { code: 'ERR_INVALID_POLICY', position: { file: '', field: 'tags.pattern' } },
        `${name} is refused`,
      )
      continue
    }
    const selector = compile({ pattern, extract: pattern === '' ? undefined : template })
    const found = texts.map((text) => {
      const verdict = selector.judge(text)
      return verdict.permitted ? verdict.version : null
    })
    const expected = pattern === '' ? texts : extracts
    t.same(found, expected, name)
  }
  t.end()
})
