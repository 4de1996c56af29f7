import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Stands for src/cli/main.ts: says what it got, and ends as it is told. */
const MAIN = `
import { readFileSync } from 'node:fs'
export async function run(argv: string[]): Promise<void> {
  console.log(JSON.stringify({ argv, node: process.execPath }))
  const [, what] = argv
  if (what === 'exit3') process.exitCode = 3
  if (what === 'read') console.log(argv.slice(2).map((path) => readFileSync(path, 'utf8')).join())
  if (what !== 'wait') return
  const alive = setInterval(() => {}, 1000)
  process.on('SIGTERM', () => {
    console.log('ended in good order')
    clearInterval(alive)
  })
  console.log('waiting')
}
`

/** A copy of the project as a fresh clone has it, with a small main of its own. */
export function cloneProject(t: Test): string {
  const root = t.testdir({ bin: {}, scripts: {}, src: { cli: { 'main.ts': MAIN } } })
  for (const file of [
    'bin/tagwarden.js',
    'scripts/start.js',
    'scripts/install.js',
    'scripts/build.js',
  ]) {
    copyFileSync(join(ROOT, file), join(root, file))
  }
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(root, 'package-lock.json'), lock({ 'node_modules/a': '1.0.0' }))
  return root
}

/** The text of a lock file with these packages. */
export function lock(packages: Record<string, string>): string {
  const entries = Object.entries(packages).map(([path, version]) => [
    path,
    { version, integrity: `sha512-${path}-${version}` },
  ])
  return JSON.stringify({ packages: Object.fromEntries([['', {}], ...entries]) })
}

/** What npm leaves in node_modules after it has installed what package-lock.json says. */
export function markInstalled(root: string): void {
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  cpSync(join(root, 'package-lock.json'), join(root, 'node_modules', '.package-lock.json'))
}

/** Puts this Node where the package "node" puts Node 24. */
export function bundleNode(root: string): string {
  const node = join(root, 'node_modules', 'node', 'bin', 'node')
  mkdirSync(dirname(node), { recursive: true })
  symlinkSync(process.execPath, node)
  return node
}

/** Makes a Node take itself for an older one; its children do not. */
export const AS_NODE_20 = [
  '--import',
  `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } })`,
]

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** resolves once stdout holds the text */
  shows(text: string): Promise<void>
}

export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const clean = { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env }
  const child = spawn(process.execPath, args, { env: clean })
  let out = ''
  let err = ''
  const shown = new Map<string, () => void>()
  child.stdout.on('data', (chunk) => {
    out += chunk
    for (const [text, resolve] of shown) if (out.includes(text)) resolve()
  })
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, out, err }))
  })
  const shows = (text: string) =>
    new Promise<void>((resolve) => {
      if (out.includes(text)) resolve()
      else shown.set(text, resolve)
    })
  return { child, ended, shows }
}
