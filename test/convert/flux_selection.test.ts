import { readFileSync } from 'node:fs'
import t from 'tap'
import { compilePolicies, parsePolicies } from '../../src/policies/index.ts'
import { converted, fluxPair, loaded, selected } from './conversions.ts'

/** What Flux chooses of a list of tags; ../tags/golden/flux.go writes it. */
interface Selection {
  readonly policy: Record<string, Record<string, string>>
  readonly filterTags?: Record<string, string>
  readonly exclusionList?: readonly string[]
  readonly list: string
  /** '': it chooses none */
  readonly tag: string
  /** several candidates are the same version */
  readonly tie?: true
}

const [first, ...others] = readFileSync(
  new URL('../tags/golden/flux.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
const lists = JSON.parse(first!) as Record<string, string[]>
const rows = others.map((line) => JSON.parse(line) as Selection)

function pairOf({ policy, filterTags, exclusionList }: Selection): object[] {
  const filter = filterTags === undefined ? {} : { filterTags }
  return fluxPair({ policy, ...filter }, exclusionList === undefined ? {} : { exclusionList })
}

/** The tag that the pair selects as it is read, or the text of what is wrong with it. */
function read(row: Selection): string | undefined {
  const text = pairOf(row).map((each) => JSON.stringify(each))
  const { set, problems } = compilePolicies(parsePolicies(text.join('\n---\n'), 'f.yaml').resources)
  if (problems.length > 0) return undefined
  return set.policies[0]?.selector.rank(lists[row.list]!, () => undefined).permitted[0]?.tag
}

const numberless = ({ policy, tag, list }: Selection) =>
  policy['numerical'] !== undefined && tag === '' && list !== 'numbers'
const titleOf = ({ policy, filterTags, list }: Selection) =>
  `${list} ${JSON.stringify({ ...policy, ...filterTags })}`

t.test('a pair of Flux selects what Flux selects, read as it is and converted', (t) => {
  const alike = rows.filter((row) => !row.tie && row.list !== 'artifact' && !numberless(row))
  t.ok(alike.length > 300, 'the answers are there')
  for (const row of alike) {
    t.equal(read(row), row.tag || undefined, titleOf(row))
    const conversion = converted(...pairOf(row))
    if (loaded(conversion).policies.length === 0) {
      t.equal(row.tag, '', `${titleOf(row)} is no policy in Flux`)
      continue
    }
    t.equal(selected(conversion, lists[row.list]!), row.tag || undefined, titleOf(row))
  }
  t.end()
})

t.test('where it selects another tag than Flux, the documentation says so', (t) => {
  const of = (list: string, kind: string, value: string) => {
    const found = rows.filter((row) => Object.values(row.policy[kind] ?? {}).includes(value))
    const row = found.find((each) => each.list === list)!
    return [row.tag, read(row)]
  }
  t.strictSame(of('mixed', 'numerical', 'asc'), ['', '30'], 'a tag that is no number')
  t.strictSame(of('artifact', 'alphabetical', 'asc'), ['zzz.sbom', '1.0.0'], 'an SBOM')
  t.strictSame(of('artifact', 'alphabetical', 'desc'), ['1.0.0', '1.0.0'])
  t.strictSame(of('extracts', 'semver', '*'), ['1.4.2-a', '1.4.2-c10'], 'equal extracts')
  t.strictSame(of('same', 'semver', '2025.x'), ['', undefined])
  t.strictSame(of('same', 'semver', '>=5.0.0'), ['2026.1.2', '2026.01.02'], 'equal versions')
  t.end()
})
