import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

/** Rooms under src/. Each may import only what stands before it. */
const ROOMS = [
  ...[
    'errors',
    'pieces',
    'scheduling',
    'images',
    'tags',
    'policies',
    'convert',
    'decisions',
    'facts',
    'proxies',
    'registry',
    'catalog',
  ],
  ...['cluster', 'certificates', 'config', 'sources', 'embedded', 'scanner', 'credentials'],
  ...['admission', 'repositories', 'status', 'promotion', 'webhooks', 'reports', 'review', 'audit'],
  ...['update', 'metrics', 'server', 'cli'],
]
/** No I/O, nothing asynchronous, no clock, no logger. */
const PURE = ['pieces', 'images', 'tags', 'policies', 'convert', 'decisions', 'reports']
/** Libraries that a pure room may use. */
const PURE_PACKAGES = ['re2js', 'typebox', 'yaml']
const IMPURE_WORDS =
  /\b(?:async|await|Promise|console|process|fetch|performance|setTimeout|setInterval|setImmediate|queueMicrotask|Date\.now|Math\.random|new Date\(\))(?!\w)/
/** What other rooms may import of a room; cluster.ts is what only those load who have a cluster. */
const SURFACE = ['index.ts', 'types.ts', 'ports.ts', 'cluster.ts']
const CLIENT = '@kubernetes/client-node'
const VAGUE = /^(?:utils?|helpers?|commons?|libs?|managers?)$/i
const MAX_LINES = 350

interface Import {
  readonly target: string
  readonly line: number
  /** `import type`, not `import { type … }`, which still loads the module */
  readonly typeOnly: boolean
  readonly dynamic: boolean
}

/** The source with comments, texts and patterns blotted out, at the same length. */
function blot(source: string): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=(?:^|[=(,:;!&|?{}[\n]|=>|return)[ \t]*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g
  return source.replace(token, (text) => {
    const first = text.charAt(0)
    const blank = (part: string, by: string) => part.replace(/[^\n]/g, by)
    return first === '/' ? blank(text, ' ') : first + blank(text.slice(1, -1), 's') + first
  })
}

function importsOf(source: string): Import[] {
  const code = blot(source)
  const found: Import[] = []
  const add = (match: RegExpExecArray, typeOnly: boolean, dynamic: boolean) => {
    const end = match.index + match[0].length
    const length = match[1]?.length ?? 0
    const target = source.slice(end - 1 - length, end - 1)
    found.push({ target, line: code.slice(0, end).split('\n').length, typeOnly, dynamic })
  }
  const from = /^\s*(?:import|export)\b(?:[\w*$\s{},]*?[\s}*]from)?\s*['"](s*)['"]/gm
  for (const match of code.matchAll(from))
    add(match, /^\s*\w+\s+type\s+[\w{*]/.test(match[0]), false)
  for (const match of code.matchAll(/\b(?:import|require)\s*\(\s*['"`](s*)['"`]/g))
    add(match, false, true)
  for (const match of code.matchAll(/\b(?:import|require)\s*\(()\s*[^\s'"`]/g))
    add(match, false, true)
  return found
}

/** `src/images/index.ts` -> `images`; `src/errors.ts` -> `errors`. */
function roomOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? ''
}

function importFault(path: string, { target, typeOnly, dynamic }: Import): string | undefined {
  const room = roomOf(path)
  const pure = PURE.includes(room)
  if (target === '') return 'imports what no literal names'
  if (!target.startsWith('.')) {
    if (target === CLIENT && room !== 'cluster') return `imports ${CLIENT}: only cluster may`
    if (target === CLIENT && !typeOnly && !dynamic) return `imports ${CLIENT}: await import() it`
    const library = target.split('/')[0] ?? ''
    if (pure && !PURE_PACKAGES.includes(library)) return `imports ${target} in a pure room`
    return undefined
  }
  const file = join(dirname(path), target)
  if (!file.endsWith('.ts')) return `imports ${target} without its .ts`
  if (!file.startsWith('src/')) return `imports ${target}, which is not under src`
  const other = roomOf(file)
  if (other === room) return undefined
  if (ROOMS.indexOf(other) > ROOMS.indexOf(room))
    return `imports ${other}, which stands after ${room}`
  const inside = file.split('/').slice(2).join('/')
  if (file === 'src/errors.ts' || SURFACE.includes(inside)) return undefined
  return `imports ${target}: only ${SURFACE.join(', ')} of another room`
}

function fileFaults(path: string, source: string): string[] {
  const faults: string[] = []
  // a credential helper is Docker's own term
  const words = path.replace(/\.\w+$|credential_helper/g, '').split(/[/_.-]|(?<=[a-z])(?=[A-Z])/)
  const vague = words.find((word) => VAGUE.test(word))
  if (vague) faults.push(`${path}: the name ${vague} says nothing`)
  if (!path.startsWith('src/')) return faults

  const room = roomOf(path)
  const code = blot(source)
  const lines = source.trimEnd().split('\n').length
  if (lines > MAX_LINES) faults.push(`${path}: has ${lines} lines, more than ${MAX_LINES}`)
  if (!ROOMS.includes(room)) faults.push(`${path}: ${room} is no room; give it a place in ROOMS`)
  if (path.split('/').length === 2 && path !== 'src/errors.ts') {
    faults.push(`${path}: belongs into a room`)
  }
  if (/^src\/\w+\/index\.ts$/.test(path)) {
    const rest = code.replace(
      /^export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+'s*'/gm,
      '',
    )
    if (rest.trim() !== '')
      faults.push(`${path}: only re-exports; move the rest to a file of its own`)
  }
  for (const each of importsOf(source)) {
    const fault = importFault(path, each)
    if (fault) faults.push(`${path}:${each.line}: ${fault}`)
  }
  // a port is a type: what it promises is done elsewhere
  if (PURE.includes(room) && !path.endsWith('/ports.ts')) {
    for (const [index, line] of code.split('\n').entries()) {
      const word = IMPURE_WORDS.exec(line)?.[0]
      if (word) faults.push(`${path}:${index + 1}: ${word} in a pure room`)
    }
  }
  return faults
}

/** Imports that lead back to the file they start from, each cycle once. Types load nothing. */
function cycles(files: ReadonlyMap<string, string>): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) found.push(`${[...trail.slice(start), path].join(' -> ')}: a cycle`)
    if (start >= 0 || done.has(path)) return
    for (const { target, typeOnly } of importsOf(files.get(path) ?? '')) {
      const next = join(dirname(path), target)
      if (!typeOnly && target.startsWith('.') && files.has(next)) visit(next, [...trail, path])
    }
    done.add(path)
  }
  for (const path of files.keys()) visit(path, [])
  return found
}

function faultsOf(files: ReadonlyMap<string, string>): string[] {
  return [...[...files].flatMap(([path, source]) => fileFaults(path, source)), ...cycles(files)]
}

const root = fileURLToPath(new URL('..', import.meta.url))

function readTree(...folders: string[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const folder of folders.filter((each) => existsSync(join(root, each)))) {
    for (const each of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!each.isFile() || !/\.[jt]s$/.test(each.name)) continue
      const path = join(each.parentPath, each.name)
      files.set(path.slice(root.length), readFileSync(path, 'utf8'))
    }
  }
  return files
}

t.test('every import of the source keeps to the order of the rooms', (t) => {
  const files = readTree('src', 'bin', 'scripts', 'bench', 'test')
  t.ok(files.has('src/errors.ts') && files.has('src/images/index.ts'), 'the source is found')
  t.strictSame(faultsOf(files), [])
  t.end()
})

t.test('an import is found however it is written', (t) => {
  const rows: [source: string, targets: string[]][] = [
    ["import a from 'a'", ['a']],
    ['import a from "a";import', ['a']],
    ["import {\n  a,\n  type B,\n} from './a.ts'\n", ['./a.ts']],
    ["import './a.ts'", ['./a.ts']],
    ["import * as a from 'a'", ['a']],
    ["import type A from 'a'\nexport type { B } from 'b'", ['a', 'b']],
    ["export * from './a.ts'", ['./a.ts']],
    ["export * as a from './a.ts'", ['./a.ts']],
    ["export {a}from'./a.ts'", ['./a.ts']],
    ["const a = await import('a')", ['a']],
    ["type A = import('./a.ts').A", ['./a.ts']],
    ["const a = require('a')", ['a']],
    ['import(name)', ['']],
    ['import(`${name}.ts`)', ['${name}.ts']],
    ["// import a from 'a'", []],
    ["/*\nimport a from 'a'\n*/", []],
    ['const a = "import(\'a\')"', []],
    ["const a = `\nimport a from 'a'\n`", []],
    ["const quote = /['\"`]/\nimport a from 'a'", ['a']],
    ["const half = a / b // '\nimport a from 'a'", ['a']],
    ["export const a = 'a'\nexport function from(a = 'b') {}", []],
    ['import.meta.url', []],
  ]
  for (const [source, targets] of rows) {
    t.strictSame(
      importsOf(source).map((each) => each.target),
      targets,
      JSON.stringify(source),
    )
  }
  t.end()
})

t.test('whatever crosses a boundary is named', (t) => {
  const at = (path: string, source: string, others: Record<string, string> = {}) =>
    faultsOf(new Map([[path, source], ...Object.entries(others)]))
  const rows: [path: string, source: string, fault: RegExp][] = [
    [
      'src/images/a.ts',
      "import '../tags/index.ts'",
      /^src\/images\/a.ts:1: imports tags, which st/,
    ],
    ['src/tags/a.ts', "import type { P } from '../policies/types.ts'", /imports policies, which/],
    ['src/admission/a.ts', "\nawait import('../server/index.ts')", /a.ts:2: imports server, which/],
    [
      'src/tags/a.ts',
      "import '../images/grammar.ts'",
      /only index.ts, types.ts, ports.ts, cluster.ts of an/,
    ],
    [
      'src/tags/a.ts',
      "import '../images/deep/index.ts'",
      /only index.ts, types.ts, ports.ts, cluster.ts of/,
    ],
    ['src/tags/a.ts', "import '../images/index'", /without its \.ts/],
    ['src/tags/a.ts', "import '../../test/x.ts'", /not under src/],
    ['src/tags/a.ts', "import fs from 'node:fs'", /imports node:fs in a pure room/],
    ['src/tags/a.ts', "import fs from 'fs'", /imports fs in a pure room/],
    ['src/tags/a.ts', "import type { Logger } from 'pino'", /imports pino in a pure room/],
    ['src/policies/a.ts', "import 'undici'", /imports undici in a pure room/],
    ['src/decisions/a.ts', 'export async function f() {}', /:1: async in a pure room/],
    ['src/decisions/a.ts', 'const p: Promise<void> = f()', /Promise in a pure room/],
    ['src/decisions/a.ts', '\n\nawait f()', /:3: await in a pure room/],
    ['src/decisions/a.ts', 'const now = Date.now()', /Date\.now in a pure room/],
    ['src/decisions/a.ts', 'const now = new Date()', /new Date\(\) in a pure room/],
    ['src/images/a.ts', 'console.log(1)', /console in a pure room/],
    ['src/server/a.ts', "import('@kubernetes/client-node')", /client-node: only cluster may/],
    ['src/server/a.ts', "import type { V1Pod } from '@kubernetes/client-node'", /only cluster may/],
    ['src/cluster/a.ts', "import k8s from '@kubernetes/client-node'", /client-node: await import/],
    ['src/cluster/a.ts', "import { type A } from '@kubernetes/client-node'", /: await import/],
    ['src/registry/a.ts', 'await import(name)', /imports what no literal names/],
    ['src/engine/a.ts', '', /engine is no room/],
    ['src/main.ts', '', /main is no room/],
    ['src/server.ts', '', /belongs into a room/],
    ['src/tags/index.ts', "export * from './a.ts'\nexport const b = 1", /only re-exports/],
    ['src/tags/utils.ts', '', /the name utils says nothing/],
    ['src/tags/tag_helpers.ts', '', /the name helpers says nothing/],
    ['src/registry/tokenManager.ts', '', /the name Manager says nothing/],
    ['src/common/a.ts', '', /the name common says nothing/],
    ['test/lib/a.test.ts', '', /the name lib says nothing/],
    ['src/tags/a.ts', 'x\n'.repeat(351), /has 351 lines, more than 350/],
    ['src/tags/a.ts', "import './a.ts'", /^src\/tags\/a.ts -> src\/tags\/a.ts: a cycle/],
  ]
  for (const [path, source, fault] of rows) {
    t.ok(
      at(path, source).some((each) => fault.test(each)),
      `${path}: ${source.slice(0, 50)}`,
    )
  }
  const round = { 'src/tags/b.ts': "export * from './c.ts'", 'src/tags/c.ts': "import('./a.ts')" }
  t.strictSame(at('src/tags/a.ts', "import { b } from './b.ts'", round), [
    'src/tags/a.ts -> src/tags/b.ts -> src/tags/c.ts -> src/tags/a.ts: a cycle',
  ])
  t.end()
})

t.test('what keeps to its boundaries is left alone', (t) => {
  const files = new Map([
    ['src/errors.ts', ''],
    [
      'src/images/index.ts',
      "/** re-exports */\nexport { a, type B } from './a.ts'\nexport * from './t.ts'",
    ],
    ['src/images/a.ts', "import { E } from '../errors.ts'\n// await the Promise of console\n"],
    ['src/images/t.ts', `${'x\n'.repeat(350)}`],
    ['src/tags/x.ts', "import './y.ts'"],
    ['src/tags/y.ts', "import type { X } from './x.ts'"],
    ['src/tags/semver.ts', "import { RE2JS } from 're2js'\nconst awaited = 'async'"],
    ['src/decisions/ports.ts', 'export interface Port { gather(): Promise<void> }'],
    ['src/decisions/a.ts', "import type { T } from '../tags/types.ts'\nnew Date(0)"],
    [
      'src/catalog/a.ts',
      "import { readFile } from 'node:fs/promises'\nimport '../registry/index.ts'",
    ],
    [
      'src/cluster/a.ts',
      "import type { V1Pod } from '@kubernetes/client-node'\nimport('@kubernetes/client-node')",
    ],
    ['src/cli/a.ts', "import '../server/index.ts'\nimport '../decisions/ports.ts'"],
    ['bin/tagwarden.js', "import '../src/cli/main.ts'"],
    ['scripts/start.js', "import '../src/server/listen.ts'"],
  ])
  t.strictSame(faultsOf(files), [])
  t.end()
})
