#!/usr/bin/env node
// Runs the command line from a clone, and installs what it needs the first time: for the GitHub
// Action, the pre-commit hook and the GitLab template. Plain JavaScript that Node 20 runs.
import { install } from '../scripts/install.js'

try {
  await install()
} catch (error) {
  console.error(`tagwarden: ${error.message}`)
  process.exit(2)
}
await import('../bin/tagwarden.js')
