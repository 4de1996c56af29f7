import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generatedFiles } from '../src/policies/schema/generated_files.ts'
import { chartFiles } from './chart/generated_files.ts'
import { pageFiles } from './page/generated_files.ts'

// Usage: node scripts/generate.ts [--check]
// Writes every file that is made from the schemas, the values of the chart, and the parts of the HTML
// report. --check writes nothing and exits 1 when one would change.

const root = new URL('..', import.meta.url)
const check = process.argv.includes('--check')
let stale = 0

for (const [path, text] of [...generatedFiles(), ...chartFiles(), ...pageFiles()]) {
  const file = fileURLToPath(new URL(path, root))
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale += 1
  if (!check) writeFileSync(file, text)
  console.log(`${check ? 'out of date' : 'written'}: ${path}`)
}

if (check && stale > 0) {
  console.log('Run "npm run generate" and commit what it writes')
  process.exitCode = 1
}
