// What it costs at least to read a stream of YAML: js-yaml, and nothing else.
//
//   node bench/bare_parse.ts FILE
import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'

let count = 0
loadAll(readFileSync(process.argv[2] ?? '', 'utf8'), () => {
  count += 1
})
console.log(count)
