import { compileRule, type TagRule } from '../src/tags/index.ts'

/** One figure, and the limit that it must stay under. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly limit: number
}

const COUNT = 100_000
const RUNS = 15
const PATTERN = '^v(?P<version>[0-9.]+(-rc\\.[0-9]+)?)(-build\\.(?P<build>[0-9]+))?$'

/**
 * What a busy repository holds, in byte order as the index has it: releases and release candidates
 * with and without a build number, builds of branches, and tags named for a commit.
 */
export function believableTags(count: number): string[] {
  const tags: string[] = []
  for (let i = 0; i < count; i++) {
    const version = `v${i % 5}.${(i * 7) % 97}.${Math.floor(i / 97)}`
    const commit = Math.imul(i + 1, 0x9e3779b1) >>> 0
    const short = commit.toString(16).padStart(8, '0').slice(0, 7)
    const kinds = [
      version,
      `${version}-build.${i}`,
      `${version}-rc.${i % 4}`,
      version,
      `main-${short}-${1_700_000_000 + i * 61}`,
      `${version}-build.${i}`,
      `feature-login-${short}`,
      `main-${short}-${1_700_000_000 + i * 61}`,
      `${short}${short}${short}${short}${short}${short.slice(0, 5)}`,
      version,
    ]
    tags.push(kinds[i % kinds.length] as string)
  }
  return [...new Set(tags)].sort()
}

/** CPU milliseconds of the best of several runs. */
function best(work: () => void): number {
  let least = Number.POSITIVE_INFINITY
  for (let run = 0; run < RUNS; run++) {
    const start = process.cpuUsage()
    work()
    const { user, system } = process.cpuUsage(start)
    least = Math.min(least, (user + system) / 1000)
  }
  return least
}

function rule(parts: Partial<TagRule> & Pick<TagRule, 'order'>): TagRule {
  return { allow: [], ignore: [], ...parts }
}

/** Measures the selection over 100,000 tags: CPU time of the best of several runs. */
export async function benchSelection(): Promise<Figure[]> {
  const tags = believableTags(COUNT)
  const shuffled = tags.toSorted((a, b) => (a.slice(-3) < b.slice(-3) ? -1 : 1))
  const semver = compileRule(
    rule({
      pattern: PATTERN,
      extract: '$version',
      order: { semver: { range: '>=1.2.3 <4.0.0-0' } },
    }),
  )
  const everything = compileRule(rule({ order: { semver: { range: '*-0' } } }))
  const numerical = compileRule(
    rule({
      pattern: '^(main|v[0-9.]+)-(build\\.)?([a-f0-9]{7}-)?(?P<n>[0-9]+)$',
      extract: '$n',
      order: { numerical: { order: 'Ascending' } },
    }),
  )
  const automaton = compileRule(
    rule({
      pattern: '(?P<version>[0-9]+\\.[0-9]+\\.[0-9]+).*',
      extract: '$version',
      order: { semver: { range: '>=1.2.3 <4.0.0-0' } },
    }),
  )
  const ranking = semver.rank(tags)
  const change = { added: ['v3.96.2000'], removed: [] }
  semver.rerank(ranking, change)
  const figures: [name: string, value: number, limit: number][] = [
    ['semver with pattern and extract', best(() => semver.rank(tags)), 60],
    ['the same, tags in no order', best(() => semver.rank(shuffled)), 60],
    ['semver, every version permitted', best(() => everything.rank(tags)), 60],
    ['semver, a pattern that re2js runs', best(() => automaton.rank(tags)), 250],
    ['numerical with pattern and extract', best(() => numerical.rank(tags)), 80],
    ['a re-scan that adds one tag', best(() => semver.rerank(ranking, change)), 2],
    ['why each tag lost', best(() => ranking.losers()), 150],
  ]
  return figures.map(([name, value, limit]) => ({
    name: `${tags.length} tags: ${name}`,
    value,
    unit: 'ms CPU',
    limit,
  }))
}

if (import.meta.main) {
  for (const { name, value, unit, limit } of await benchSelection()) {
    console.log(`${name}: ${value.toFixed(2)} ${unit} (limit ${limit})`)
  }
}
