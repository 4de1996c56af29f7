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
  return crd.spec.versions[0]!.schema.openAPIV3Schema.properties!['spec']!
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
  t.equal(files.length, 3)
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
  ])
  for (const { spec } of crds) {
    t.strictSame(spec.names.categories, ['tagwarden'])
    t.strictSame(spec.versions[0]?.subresources, { status: {} })
  }
  t.end()
})

t.test('the schemas are structural', (t) => {
  for (const crd of crds) {
    for (const [path, schema] of walk(specOf(crd))) {
      t.type(schema.type, 'string', `${path} has a type`)
      for (const keyword of ['$ref', '$id', 'anyOf', 'patternProperties', 'remedy', 'examples']) {
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
    for (const [path, schema] of walk(specOf(crd))) {
      if (path.endsWith('[]')) continue
      t.match(schema['description'], /^[A-Z].*\.$/s, path)
    }
  }
  t.end()
})

t.test('a cluster policy has one field more', (t) => {
  const [own, cluster] = crds.map((crd) => Object.keys(specOf(crd).properties!))
  t.strictSame(new Set(cluster), new Set([...own!, 'namespaceSelector']))
  t.end()
})

t.test('each rule between fields is in the CRD, in CEL', (t) => {
  for (const crd of crds) {
    const rules = walk(specOf(crd)).flatMap(([, schema]) =>
      ((schema['x-kubernetes-validations'] ?? []) as { rule: string }[]).map(({ rule }) => rule),
    )
    t.strictSame(new Set(rules), new Set(CROSS_FIELD_RULES.map(({ cel }) => cel)))
  }
  t.end()
})

t.test('enforcement has no default in the cluster: the configuration gives it', (t) => {
  const fields = specOf(crds[0]!).properties!
  t.notOk('default' in fields['enforcement']!)
  t.equal(fields['action']?.default, 'Track')
  t.end()
})
