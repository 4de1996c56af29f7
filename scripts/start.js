// npm start: installs what is missing, builds what is old, then serves. Plain JavaScript that Node 20 runs.
import { build } from './build.js'
import { InstallError, install } from './install.js'

try {
  await install()
  if (build()) process.env.TAGWARDEN_BUILT = '1'
  process.argv.splice(2, 0, 'serve')
  await import('../bin/tagwarden.js')
} catch (error) {
  if (!(error instanceof InstallError)) throw error
  console.error(`tagwarden: ${error.message}`)
  process.exitCode = 2
}
