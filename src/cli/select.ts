import { readFile } from 'node:fs/promises'
import { doubtsInFiles } from '../admission/index.ts'
import { TagwardenError } from '../errors.ts'
import { type CompiledPolicy, compilePolicies, parsePolicies } from '../policies/index.ts'
import type { Ranking } from '../tags/index.ts'
import type { Streams } from './output.ts'

/** Options of `tagwarden select` as the command line gives them. */
export interface SelectOptions {
  readonly policy: string
  readonly tags: string
  readonly name?: string
  readonly output: 'text' | 'json'
}

/** A list of tags of a repository is never longer than this, in bytes. */
const LARGEST_INPUT = 256 * 1024 * 1024
const LARGEST_TAG = 4096
/** Control characters; several tags in one line, a table, or JSON: an order by alphabet would choose it. */
const NO_TAG = /[\s\u0000-\u001f\u007f"{}[\],]/

/**
 * `tagwarden select`: evaluates one policy over tags given one a line. For digest rules a line may
 * be `tag@sha256:…`.
 *
 * @returns exit code: 0 selected, 1 none
 * @throws TagwardenError, or an AggregateError of them, when the policy or the input is wrong
 */
export async function select(options: SelectOptions, streams: Streams): Promise<number> {
  const policy = await readPolicy(options.policy, options.name)
  const { tags, digests } = parseTags(await readTags(options.tags))
  // which kinds there are depends on a configuration, which is not read
  const doubts = doubtsInFiles({ policies: [policy], allExceptions: [] }, Date.now(), undefined)
  for (const doubt of doubts) streams.err(`tagwarden: ${doubt}\n`)
  const ranking = policy.selector.rank(tags, (tag) => digests.get(tag))
  streams.out(
    options.output === 'json'
      ? `${JSON.stringify(asJson(ranking), null, 2)}\n`
      : asText(policy, ranking),
  )
  return ranking.permitted.length > 0 ? 0 : 1
}

async function readPolicy(file: string, name: string | undefined): Promise<CompiledPolicy> {
  const text = await read('ERR_INVALID_POLICY', file)
  const parsed = parsePolicies(text, file)
  const compiled = compilePolicies(parsed.resources)
  const problems = [...parsed.problems, ...compiled.problems]
  if (problems.length > 0) {
    throw new AggregateError(problems)
  }
  const all = compiled.set.policies
  const wanted = name === undefined ? all : all.filter((policy) => policy.name === name)
  const [only] = wanted
  if (only && wanted.length === 1) {
    return only
  }
  const names = all.map((policy) => policy.name).join(', ')
  throw new TagwardenError(
    'ERR_INVALID_POLICY',
    wanted.length === 0
      ? name === undefined
        ? ['there is no policy in the file', ...compiled.notes].join(': ')
        : `no policy is called ${name}`
      : `there are ${wanted.length} policies in the file: ${names}`,
    { position: { file }, remedy: all.length > 1 ? 'Choose one with --name' : 'Check the file' },
  )
}

async function readTags(file: string): Promise<string> {
  if (file !== '-') {
    return read('ERR_INVALID_TAGS', file)
  }
  const parts: Buffer[] = []
  let length = 0
  for await (const part of process.stdin) {
    length += part.length
    if (length > LARGEST_INPUT) {
      throw new TagwardenError('ERR_INVALID_TAGS', 'the list of tags is longer than 256 MiB')
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

async function read(
  code: 'ERR_INVALID_POLICY' | 'ERR_INVALID_TAGS',
  file: string,
): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    throw new TagwardenError(code, `the file cannot be read (${why})`, {
      position: { file },
      remedy: 'Check the path',
      cause,
    })
  }
}

function parseTags(text: string): { tags: string[]; digests: Map<string, string> } {
  const tags: string[] = []
  const digests = new Map<string, string>()
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim()
    if (line === '') {
      return
    }
    if (line.length > LARGEST_TAG || NO_TAG.test(line)) {
      throw new TagwardenError('ERR_INVALID_TAGS', 'the line is no tag', {
        position: { file: 'tags', line: index + 1 },
        remedy: 'Give one tag a line',
      })
    }
    const at = line.indexOf('@')
    const tag = at < 0 ? line : line.slice(0, at)
    tags.push(tag)
    if (at >= 0) {
      digests.set(tag, line.slice(at + 1))
    }
  })
  return { tags, digests }
}

function asJson(ranking: Ranking): unknown {
  const [selected] = ranking.permitted
  return {
    selected: selected
      ? { tag: selected.tag, version: selected.version, build: selected.build ?? null }
      : null,
    reason: selected ? null : 'NoPermittedTag',
    counts: ranking.counts,
    tags: [
      ...ranking.permitted.map(({ tag }) => ({ tag, permitted: true, reason: null })),
      ...ranking.losers().map(({ tag, reason }) => ({ tag, permitted: false, reason })),
    ],
  }
}

function asText(policy: CompiledPolicy, ranking: Ranking): string {
  const { counts, permitted } = ranking
  const [selected] = permitted
  const losers = ranking.losers()
  const lines = [
    `${policy.title} permits ${policy.selector.description}`,
    `${counted(counts.tags, 'tag')}, ${counts.matched} matched, ${counted(counts.versions, 'version')}, ${counts.permitted} permitted`,
    selected
      ? `-> ${selected.tag}${selected.version === selected.tag ? '' : ` (version ${selected.version})`}${selected.build === undefined ? '' : ` (build ${selected.build})`}`
      : '-> no permitted tag [NoPermittedTag]',
    ...permitted.slice(1, 11).map(({ tag }) => `   ${tag}`),
    ...(permitted.length > 11 ? [`   and ${permitted.length - 11} more`] : []),
    ...losers.slice(0, 20).map(({ tag, reason }) => ` x ${tag} [${reason}]`),
    ...(losers.length > 20 ? [` x and ${losers.length - 20} more`] : []),
  ]
  return `${lines.join('\n')}\n`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
