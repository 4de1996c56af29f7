// npm start: installs what is missing, then serves. Plain JavaScript that Node 20 runs.
import { InstallError, install } from './install.js'

try {
  await install()
  process.argv.splice(2, 0, 'serve')
  await import('../bin/tagwarden.js')
} catch (error) {
  if (!(error instanceof InstallError)) throw error
  console.error(`tagwarden: ${error.message}`)
  process.exitCode = 2
}
