// Builds dist from src, where that is older: what is built starts faster and needs 25 MiB less
// than sources whose types are stripped while they load. Plain JavaScript that Node 20 runs.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/**
 * @param {{ root?: string, say?: (line: string) => void }} options
 * @returns {boolean} whether dist is there and up to date; false: run from src
 */
export function build({ root = ROOT, say = console.error } = {}) {
  const inRoot = (path) => join(root, path)
  const compiler = inRoot('node_modules/typescript/bin/tsc')
  if (!existsSync(inRoot('tsconfig.build.json')) || !existsSync(compiler)) {
    return false
  }
  const stamp = inRoot('dist/.built')
  if (existsSync(stamp) && statSync(stamp).mtimeMs > newest(inRoot('src'))) {
    return true
  }
  const started = new Date()
  rmSync(inRoot('dist'), { recursive: true, force: true })
  const node = inRoot('node_modules/node/bin/node')
  const args = [compiler, '-p', inRoot('tsconfig.build.json')]
  const { status, stdout, stderr, error } = spawnSync(
    existsSync(node) ? node : process.execPath,
    args,
    {
      encoding: 'utf8',
    },
  )
  if (status !== 0) {
    say(
      `tagwarden: the build failed, running from source: ${`${stdout}${stderr}${error ?? ''}`.slice(0, 500)}`,
    )
    return false
  }
  writeFileSync(stamp, started.toISOString())
  return true
}

/** When anything below a folder was changed last, in ms since the epoch. */
function newest(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true }).reduce(
    (latest, entry) => Math.max(latest, statSync(join(entry.parentPath, entry.name)).mtimeMs),
    statSync(folder).mtimeMs,
  )
}
