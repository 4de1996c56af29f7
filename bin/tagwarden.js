#!/usr/bin/env node
// Starts the command line on Node 24, whatever Node this is. Plain JavaScript that Node 20 runs.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const NEEDED = 24

const inPackage = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url))
const args = process.argv.slice(2)
const bundledNode = inPackage('node_modules/node/bin/node')

if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  module.enableCompileCache?.()
  const source = inPackage('src/cli/main.ts')
  const built = process.env.TAGWARDEN_BUILT === '1' || !existsSync(source)
  const entry = built ? inPackage('dist/cli/main.js') : source
  const { run } = await import(entry)
  await run(args)
} else if (existsSync(bundledNode)) {
  runOn(bundledNode)
} else {
  const advice = existsSync(inPackage('scripts/install.js'))
    ? 'Run "npm ci" here, which brings it, or install it'
    : 'Install it'
  console.error(
    `tagwarden: Node ${NEEDED} or newer is needed, this is ${process.version}. ${advice}`,
  )
  process.exitCode = 2
}

/** As a plugin of kubectl it is called by a link, whose name the help shows. */
function startedAs() {
  const called = process.argv[1] ?? ''
  return basename(called).startsWith('kubectl-') ? called : fileURLToPath(import.meta.url)
}

/** The numbers of the files in `select --tags <(crane ls web)`: they are passed on as well. */
function openedByShell() {
  const numbers = args.map((arg) => Number(/^(?:--[a-z-]+=)?\/dev\/fd\/(\d{1,3})$/.exec(arg)?.[1]))
  return numbers.filter((number) => number > 2)
}

/** Runs the same command on another Node, and passes signals in and the exit code out. */
function runOn(node) {
  const memory = process.execArgv.filter((flag) => flag.startsWith('--max-'))
  const stdio = [0, 1, 2]
  for (const file of openedByShell()) stdio[file] = file
  const child = spawn(node, [...memory, startedAs(), ...args], {
    stdio: Array.from(stdio, (file) => file ?? 'ignore'),
  })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal))
  }
  child.on('error', (error) => {
    console.error(`tagwarden: ${node} cannot be run: ${error.message}`)
    process.exitCode = 2
  })
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0))
  })
}
