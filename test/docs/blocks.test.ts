import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { VALUES } from '../../scripts/chart/values.ts'
import { valuesSchema } from '../../scripts/chart/values_schema.ts'
import { CONFIG_SCHEMA, loadConfig } from '../../src/config/index.ts'
import { describeError } from '../../src/errors.ts'
import { compilePolicies, parsePolicies, readDocuments } from '../../src/policies/index.ts'
import { ClusterImagePolicySpec } from '../../src/policies/schemas.ts'
import { CHART } from '../chart/helm.ts'
import { type Block, readPage, readPages } from './pages.ts'

const KINDS = [
  ...['ImagePolicy', 'ClusterImagePolicy', 'ImagePolicyException', 'ImageRepository'],
  'Kustomization',
]
const SPEC_FIELDS = Object.keys(ClusterImagePolicySpec.properties ?? {})
/** Where YAML without a kind is values of the chart. */
const PAGES_OF_VALUES = ['docs/install.md']
const validateValues = new Ajv2020({ strict: false }).compile(JSON.parse(valuesSchema(VALUES)))
const DEFAULT_VALUES = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'))
const SETTINGS = Object.keys(CONFIG_SCHEMA.properties ?? {})

/** Values over others, as Helm puts them before it looks at the schema. */
function merged(values: unknown, over: unknown): unknown {
  if (![values, over].every((each) => isPlainObject(each))) return over
  const both: Record<string, unknown> = { ...(values as object) }
  for (const [key, value] of Object.entries(over as object)) both[key] = merged(both[key], value)
  return both
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is wrong with policies, by the real room. */
function policyProblems(text: string): string[] {
  const { resources, problems } = parsePolicies(text, 'policies/web.yaml')
  const compiled = compilePolicies(resources)
  const all = [...problems, ...compiled.problems].map(describeError)
  const { policies, repositories, allExceptions } = compiled.set
  const held = [policies, repositories, allExceptions].some(({ length }) => length > 0)
  return held || all.length > 0 ? all : ['holds no policy']
}

/** A few fields of a spec, put into a policy. */
function completed(spec: string, fields: readonly string[]): string {
  const head =
    'apiVersion: tagwarden.io/v1alpha1\nkind: ImagePolicy\nmetadata: { name: web }\nspec:\n'
  const body = spec.replace(/^(?=.)/gm, '  ')
  const images = fields.includes('images') ? '' : '  images: [ghcr.io/acme/web]\n'
  const order = fields.includes('order') ? '' : '  order: { alphabetical: {} }\n'
  return head + images + order + body
}

async function configProblems(t: Test, text: string): Promise<string[]> {
  const cwd = t.testdir({ 'tagwarden.yaml': text })
  const loading = loadConfig({ file: join(cwd, 'tagwarden.yaml'), env: { HOME: cwd }, cwd })
  return loading.then(
    () => [],
    (error: unknown) => [describeError(error)],
  )
}

/** Hands a block to the room that reads such a thing. */
async function problemsOf(t: Test, { text, place }: Block): Promise<string[]> {
  const { documents, problems } = readDocuments(text, place)
  if (problems.length > 0) return problems.map(describeError)
  const values = documents.map(({ value }) => value as Record<string, unknown>)
  const fields = values.flatMap(Object.keys)
  if (PAGES_OF_VALUES.includes(place.split(':')[0] ?? '') && !fields.includes('kind')) {
    return values.flatMap((each) =>
      validateValues(merged(DEFAULT_VALUES, each)) ? [] : [JSON.stringify(validateValues.errors)],
    )
  }
  if (fields.every((name) => SETTINGS.includes(name))) return configProblems(t, text)
  if (fields.every((name) => SPEC_FIELDS.includes(name))) {
    return policyProblems(completed(text, fields))
  }
  const kinds = values.map(({ kind }) => kind)
  if (kinds.every((kind) => KINDS.includes(String(kind)))) return policyProblems(text)
  const foreign = kinds.some((kind) => KINDS.includes(String(kind)))
  return foreign ? ['mixes policies and other objects'] : []
}

t.test('every policy and configuration in the pages is accepted, or refused as told', async (t) => {
  const blocks = readPages().flatMap((page) =>
    page.blocks.filter((each) => each.language === 'yaml'),
  )
  t.ok(blocks.length > 20, `${blocks.length} blocks`)
  for (const block of blocks) {
    const problems = await problemsOf(t, block)
    if (block.wrong) t.not(problems.length, 0, `${block.place} is refused`)
    else t.strictSame(problems, [], `${block.place} is accepted`)
  }
  t.ok(
    blocks.some(({ wrong }) => wrong),
    'some are wrong on purpose',
  )
})

t.test('every JSON example can be parsed', (t) => {
  const blocks = readPages().flatMap((page) =>
    page.blocks.filter((each) => each.language === 'json'),
  )
  t.ok(blocks.length > 2)
  for (const { text, place } of blocks) t.doesNotThrow(() => JSON.parse(text), place)
  t.end()
})

t.test('a wrong policy is told as the page says', (t) => {
  const text = completed('order: { semver: { range: ">=banana" } }\n', ['order'])
  const page = readPage('docs/policies.md')
  const [problem = ''] = policyProblems(text)
  t.match(problem, /banana/)
  t.ok(page.text.includes(`\n${problem}\n`), problem)
  t.end()
})
