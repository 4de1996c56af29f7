import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import { CROSS_FIELD_RULES } from '../../src/policies/schema/cross_field.ts'
import { generatedFiles } from '../../src/policies/schema/generated_files.ts'

type Schema = Record<string, unknown> & {
  properties?: Record<string, Schema>
  items?: Schema
  type?: string
  default?: unknown
  required?: string[]
}

const files = generatedFiles()
const crds = files
  .filter(([path]) => path.startsWith('charts/'))
  .map(([, text]) => parse(text) as CustomResourceDefinition)

interface CustomResourceDefinition {
  metadata: { name: string }
  spec: {
    names: { kind: string; plural: string; shortNames: string[]; categories: string[] }
    scope: string
    versions: { subresources: object; schema: { openAPIV3Schema: Schema } }[]
  }
}

function specOf(crd: CustomResourceDefinition): Schema {
  return partOf(crd, 'spec')
}

function partOf(crd: CustomResourceDefinition, part: 'spec' | 'status'): Schema {
  return crd.spec.versions[0]!.schema.openAPIV3Schema.properties![part]!
}

/** Every schema of a kind, with its path. */
function walkAll(crd: CustomResourceDefinition): [path: string, schema: Schema][] {
  return (['spec', 'status'] as const).flatMap((part) => walk(partOf(crd, part), part))
}

/** Every schema below one, with its path. */
function walk(schema: Schema, path = 'spec'): [path: string, schema: Schema][] {
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, part]) =>
    walk(part, `${path}.${name}`),
  )
  return [[path, schema], ...below, ...(schema.items ? walk(schema.items, `${path}[]`) : [])]
}

t.test('what is generated is what is committed: else run "npm run generate"', (t) => {
  for (const [path, text] of files) {
    t.equal(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') === text, true, path)
  }
  t.equal(files.length, 5)
  t.end()
})

t.test('generating twice gives the same', (t) => {
  t.strictSame(generatedFiles(), files)
  t.end()
})

t.test('kinds, scopes and short names, none of which is one of Flux', (t) => {
  t.match(crds, [
    {
      metadata: { name: 'imagepolicies.tagwarden.io' },
      spec: { scope: 'Namespaced', names: { shortNames: ['twp'] } },
    },
    {
      metadata: { name: 'clusterimagepolicies.tagwarden.io' },
      spec: { scope: 'Cluster', names: { shortNames: ['ctwp'] } },
    },
    {
      metadata: { name: 'imagerepositories.tagwarden.io' },
      spec: { scope: 'Namespaced', names: { shortNames: ['twr'] } },
    },
    {
      metadata: { name: 'imagepolicyexceptions.tagwarden.io' },
      spec: { scope: 'Namespaced', names: { shortNames: ['twx'] } },
    },
  ])
  for (const { spec } of crds) {
    t.strictSame(spec.names.categories, ['tagwarden'])
    t.strictSame(spec.versions[0]?.subresources, { status: {} })
  }
  t.end()
})

const NOT_STRUCTURAL = [
  ...['$ref', '$id', 'anyOf', 'patternProperties', 'remedy', 'examples', 'least', 'most'],
  'x-kubernetes-preserve-unknown-fields',
]

t.test('the schemas are structural', (t) => {
  for (const crd of crds) {
    for (const [path, schema] of walkAll(crd)) {
      t.type(schema.type, 'string', `${path} has a type`)
      for (const keyword of NOT_STRUCTURAL) {
        t.notOk(keyword in schema, `${path} has no ${keyword}`)
      }
      t.not(schema['additionalProperties'], false, `${path} is pruned, not closed`)
      for (const name of schema.required ?? []) {
        t.notOk(
          'default' in schema.properties![name]!,
          `${path}.${name} is filled in before it is required`,
        )
      }
    }
  }
  t.end()
})

t.test('kubectl explain has a sentence for every field', (t) => {
  for (const crd of crds) {
    for (const [path, schema] of walkAll(crd)) {
      if (path.endsWith('[]') && schema.type !== 'object') continue
      if (/matchExpressions\[\]$/.test(path)) continue
      t.match(schema['description'], /^[A-Z].*\.$/s, `${crd.spec.names.kind} ${path}`)
    }
  }
  t.end()
})

t.test('everything has a limit, so that the rules in CEL are cheap enough', (t) => {
  for (const crd of crds) {
    for (const [path, schema] of walkAll(crd)) {
      if (schema.type === 'array') t.type(schema['maxItems'], 'number', path)
      const bounded = 'maxLength' in schema || 'enum' in schema
      if (schema.type === 'string') t.ok(bounded, `${crd.spec.names.kind} ${path}`)
    }
  }
  t.end()
})

t.test('conditions are a list by type, as kstatus and kubectl wait read them', (t) => {
  for (const crd of crds) {
    const { properties, default: unobserved } = partOf(crd, 'status') as Schema
    t.strictSame(unobserved, { observedGeneration: -1 })
    t.match(properties!['conditions'], {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    })
    t.strictSame(properties!['conditions']?.items?.required, [
      ...['type', 'status', 'lastTransitionTime', 'reason', 'message'],
    ])
  }
  t.end()
})

t.test('a cluster policy has two fields more', (t) => {
  const [own, cluster] = crds.map((crd) => Object.keys(specOf(crd).properties!))
  t.strictSame(new Set(cluster), new Set([...own!, 'namespaceSelector', 'exceptions']))
  t.end()
})

t.test('each rule between fields is in the CRD, in CEL', (t) => {
  for (const crd of crds.slice(0, 2)) {
    const rules = walk(specOf(crd)).flatMap(([, schema]) =>
      ((schema['x-kubernetes-validations'] ?? []) as { rule: string }[]).map(({ rule }) => rule),
    )
    const between = rules.filter((rule) => !rule.startsWith('duration('))
    t.strictSame(new Set(between), new Set(CROSS_FIELD_RULES.map(({ cel }) => cel)))
  }
  t.end()
})

t.test('enforcement has no default in the cluster: the configuration gives it', (t) => {
  const fields = specOf(crds[0]!).properties!
  t.notOk('default' in fields['enforcement']!)
  t.equal(fields['action']?.default, 'Track')
  t.end()
})
