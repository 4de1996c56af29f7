// Brings node_modules in line with the lock file, and builds what tap needs; does nothing where
// that has been done. Plain JavaScript that Node 20 runs.
//
//   node scripts/install.js      before tests (npm runs it as "pretest")
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Says in its message what to do. */
export class InstallError extends Error {}

/**
 * Installs what is missing, once for all who ask at the same time.
 *
 * @param {{ root?: string, tests?: boolean, npm?: string[], say?: (line: string) => void }} options
 *   tests: whether tap will be needed; npm: the command, for tests of this
 * @throws InstallError
 */
export async function install(options = {}) {
  const { root = ROOT, tests = false, npm = npmCommand(), say = console.error } = options
  if (isInstalled(root) && (!tests || isTapBuilt(root))) {
    return
  }
  await withLock(root, say, async () => {
    if (!isInstalled(root)) {
      say('tagwarden: installing what is needed; this takes half a minute, once')
      await npmCi(root, npm)
    }
    if (tests && !isTapBuilt(root)) {
      await buildTap(root)
    }
  })
}

/** npm itself writes down what it has installed; a broken-off install leaves no such file. */
export function isInstalled(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const present = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (!wanted || !present) {
    return false
  }
  const same = Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const found = present[path]
    return found
      ? found.version === version && found.integrity === integrity
      : path === '' || optional === true
  })
  // npm may be told not to run install scripts; this one brings Node 24.
  return same && (!wanted['node_modules/node'] || existsSync(bundledNode(root)))
}

function bundledNode(root) {
  return join(root, 'node_modules', 'node', 'bin', 'node')
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** The npm that runs this, else the one on the PATH. */
function npmCommand() {
  const { npm_execpath: running } = process.env
  return running?.endsWith('.js') ? [process.execPath, running] : ['npm']
}

async function npmCi(root, [command, ...first]) {
  const args = [...first, 'ci', '--include=dev', '--loglevel=error']
  const code = await runProgram(command, args, root).catch((error) => {
    throw error.code === 'ENOENT'
      ? new InstallError('npm is not there. Install Node 20.19 or newer together with npm')
      : error
  })
  if (code !== 0) {
    throw new InstallError(
      `"npm ci" failed (exit code ${code}); what it said stands above. ` +
        'Check that this machine reaches its npm registry ("npm ping"), then run the same command again',
    )
  }
  if (!isInstalled(root)) {
    throw new InstallError(
      '"npm ci" ended well, yet something is missing: most likely Node 24, which the install ' +
        'script of the package "node" brings. Allow install scripts ("npm config set ' +
        'ignore-scripts false"), then run the same command again',
    )
  }
}

/** npm ci takes the mark away together with what tap had built. */
function tapMark(root) {
  return join(root, 'node_modules', '.tap-built')
}

function isTapBuilt(root) {
  return existsSync(tapMark(root)) && existsSync(join(root, '.tap', 'plugins'))
}

async function buildTap(root) {
  const code = await runProgram(join(root, 'node_modules', '.bin', 'tap'), ['build'], root)
  if (code !== 0) {
    throw new InstallError(`"tap build" failed (exit code ${code}); what it said stands above`)
  }
  writeFileSync(tapMark(root), '')
}

/** Its output goes to stderr: stdout belongs to the command that comes after. */
function runProgram(command, args, cwd) {
  const { NODE_ENV: _, ...env } = process.env
  env.PATH = `${join(cwd, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 2, 2] })
    const pass = (signal) => child.kill(signal)
    process.once('SIGINT', pass).once('SIGTERM', pass)
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass)
      resolve(code ?? signal)
    })
  })
}

/** The lock lies outside node_modules, which npm ci takes away. */
export function lockFile(root) {
  const name = createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 16)
  return join(tmpdir(), `tagwarden-install-${name}.lock`)
}

async function withLock(root, say, work) {
  const lock = lockFile(root)
  for (let told = false; !take(lock); await delay(200)) {
    if (!told) say(`tagwarden: waiting for another install to end (${lock})`)
    told = true
  }
  try {
    await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function take(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') {
      throw new InstallError(
        `${lock} cannot be written (${error.code}). Set TMPDIR to another folder`,
      )
    }
  }
  if (!isRunning(lock)) {
    rmSync(lock, { force: true })
  }
  return false
}

/** Whether the process that holds the lock still lives. */
function isRunning(lock) {
  try {
    const id = Number(readFileSync(lock, 'utf8'))
    // The holder has made the file and not yet written to it.
    if (id === 0) return true
    process.kill(id, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Builds the control plane and the registries that tests run against, where Go is there to do so.
 * Takes a quarter of an hour, once for all clones. What can't be built is skipped by its tests.
 *
 * @param {{ root?: string, env?: NodeJS.ProcessEnv, say?: (line: string) => void }} options
 * @returns {Promise<boolean>} whether all of them are there
 */
export async function buildTestAssets(options = {}) {
  const { root = ROOT, env = process.env, say = console.error } = options
  if (env.TAGWARDEN_SKIP_TEST_ASSETS || !onPath('go', env) || !onPath('bash', env)) {
    return false
  }
  const code = await runProgram('bash', [join(root, 'scripts', 'test-assets.sh')], root)
  if (code !== 0) {
    say('tagwarden: tests against a real control plane and real registries will be skipped')
  }
  return code === 0
}

function onPath(program, { PATH = '' }) {
  return PATH.split(delimiter).some((folder) => existsSync(join(folder, program)))
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await install({ tests: true })
    await buildTestAssets()
  } catch (error) {
    if (!(error instanceof InstallError)) throw error
    console.error(`tagwarden: ${error.message}`)
    process.exitCode = 2
  }
}
