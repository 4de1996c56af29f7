import t from 'tap'
import { createProgram } from '../../src/cli/main.ts'
import { VARIABLES } from '../../src/config/index.ts'
import type { Schema } from '../../src/policies/index.ts'
import { ImagePolicyExceptionStatus } from '../../src/policies/schema/image_policy_exception.ts'
import { ImagePolicyStatus } from '../../src/policies/schema/image_policy_status.ts'
import { ImageRepositoryStatus } from '../../src/policies/schema/image_repository.ts'
import {
  ClusterImagePolicySpec,
  ImagePolicyExceptionSpec,
  ImagePolicySpec,
  ImageRepositorySpec,
} from '../../src/policies/schemas.ts'
import { readPage, section, tableRows } from './pages.ts'

const CODE = /^`([^`]*)`/

function code(cell: string | undefined): string {
  return CODE.exec(cell ?? '')?.[1] ?? ''
}

t.test('cli.md has each command with exactly the options of --help', (t) => {
  const page = readPage('docs/cli.md')
  const { commands } = createProgram()
  const headings = [...page.text.matchAll(/^## tagwarden (.*)$/gm)].map(([, name]) => name)
  t.strictSame(
    headings,
    commands.map((command) => command.name()),
  )
  for (const command of commands) {
    const rows = tableRows(section(page, `## tagwarden ${command.name()}`))
    const options = rows.map(([cell]) => code(cell)).filter((cell) => cell.startsWith('-'))
    t.strictSame(
      options,
      command.options.map(({ flags }) => flags),
      command.name(),
    )
    for (const { flags, defaultValue, mandatory } of command.options) {
      const row = rows.find(([cell]) => code(cell) === flags)
      if (defaultValue !== undefined) t.equal(code(row?.[1]), defaultValue, flags)
      if (mandatory && defaultValue === undefined) t.equal(row?.[1], '', `${flags} has no default`)
    }
  }
  t.end()
})

t.test('configuration.md has each setting with its variable and default', (t) => {
  const rows = tableRows(section(readPage('docs/configuration.md'), '## All settings'))
  t.strictSame(
    rows.map(([setting, variable]) => [code(setting), code(variable)]),
    VARIABLES.map(({ path, name }) => [path.join('.'), name]),
  )
  for (const [index, { name, setting }] of VARIABLES.entries()) {
    const none = setting.default === undefined || Array.isArray(setting.default)
    const fallback = none ? 'none' : `\`${String(setting.default)}\``
    t.equal(rows[index]?.[2], fallback, name)
    for (const choice of setting.enum ?? []) {
      const page = readPage('docs/configuration.md').text
      t.ok(page.includes(`\`${String(choice)}\``), `${name}: ${String(choice)}`)
    }
  }
  t.end()
})

/** Dotted names of what a person writes; the parts of `order` have sections of their own. */
function fieldsOf(schema: Schema, ...skip: string[]): [name: string, fallback: unknown][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    if (skip.includes(name)) return []
    const inner = ['match', 'tags', 'promotion'].includes(name) ? fieldsOf(field) : []
    return inner.length > 0
      ? inner.map(([below, fallback]): [string, unknown] => [`${name}.${below}`, fallback])
      : [[name, field.default]]
  })
}

t.test('policies.md has each field of a policy with its default', (t) => {
  const page = readPage('docs/policies.md')
  const rows = tableRows(section(page, '### Fields'))
  const fields = fieldsOf(ImagePolicySpec)
  t.strictSame(
    rows.map(([name]) => code(name)),
    fields.map(([name]) => name),
  )
  for (const [index, [name, fallback]] of fields.entries()) {
    const cell = rows[index]?.[1] ?? ''
    if (fallback !== undefined) {
      t.equal(code(cell), typeof fallback === 'string' ? fallback : JSON.stringify(fallback), name)
    }
  }
  const cluster = tableRows(section(page, '## ClusterImagePolicy'))
  t.strictSame(
    cluster.map(([name]) => code(name)),
    fieldsOf(ClusterImagePolicySpec, ...fields.map(([name]) => name.split('.')[0] ?? '')).map(
      ([name]) => name,
    ),
  )
  for (const order of Object.keys(ImagePolicySpec.properties?.['order']?.properties ?? {})) {
    t.ok(page.anchors.has(order), `a section for order.${order}`)
  }
  t.end()
})

t.test('each kind has a page with its fields, their defaults, and its status', (t) => {
  for (const [path, spec, status] of [
    ['docs/exceptions.md', ImagePolicyExceptionSpec, ImagePolicyExceptionStatus],
    ['docs/repositories.md', ImageRepositorySpec, ImageRepositoryStatus],
  ] as const) {
    const page = readPage(path)
    const rows = tableRows(section(page, '## Fields'))
    const fields = fieldsOf(spec)
    t.strictSame(
      rows.map(([name]) => code(name)),
      fields.map(([name]) => name),
      path,
    )
    for (const [index, [name, fallback]] of fields.entries()) {
      const shown = code(rows[index]?.[1])
      const wanted = typeof fallback === 'string' ? fallback : (JSON.stringify(fallback) ?? '')
      if (fallback !== undefined || shown !== '') t.equal(shown, wanted, `${path} ${name}`)
    }
    const told = tableRows(section(page, '## Status')).map(([name]) => code(name))
    const names = Object.keys(status.properties)
    t.strictSame(told.slice(0, names.length).sort(), names.sort(), `${path} status`)
  }
  const told = tableRows(section(readPage('docs/policies.md'), '## Status'))
  t.strictSame(
    told
      .slice(0, Object.keys(ImagePolicyStatus.properties).length)
      .map(([name]) => code(name))
      .sort(),
    Object.keys(ImagePolicyStatus.properties).sort(),
  )
  t.end()
})

t.test('registries.md has each field of a registry', (t) => {
  const rows = tableRows(readPage('docs/registries.md').text.split('\n## ')[0] ?? '')
  const { items } = VARIABLES.find(({ name }) => name === 'TAGWARDEN_REGISTRIES')?.setting ?? {}
  const wanted = Object.entries(items?.properties ?? {}).flatMap(([name, { properties }]) =>
    properties ? Object.keys(properties).map((below) => `${name}.${below}`) : [name],
  )
  t.strictSame(
    rows.map(([name]) => code(name)),
    wanted,
  )
  t.end()
})

t.test('architecture.md has the rooms in the order that the boundaries hold', async (t) => {
  const { readdirSync, readFileSync } = await import('node:fs')
  const { ROOT } = await import('./pages.ts')
  const rows = tableRows(section(readPage('docs/architecture.md'), '## Rooms'))
  const rooms = rows.map(([cell]) => code(cell).replace(/\/$|\.ts$/g, ''))
  const there = readdirSync(`${ROOT}/src`).map((name) => name.replace(/\.ts$/, ''))
  t.strictSame([...rooms].sort(), there.sort(), 'the rooms that there are')
  const source = readFileSync(`${ROOT}/test/boundaries.test.ts`, 'utf8')
  const [, list = ''] = /const ROOMS = \[([\s\S]*?)\n\]/.exec(source) ?? []
  const order = [...list.matchAll(/'(\w+)'/g)].map(([, name]) => name)
  t.strictSame(
    rooms,
    order.filter((name) => name && there.includes(name)),
  )
})
