import { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { build } from '../../scripts/build.js'

/** Stands for the compiler: copies, and refuses what says "wrong". */
const COMPILER = `
const { copyFileSync, mkdirSync, readdirSync, readFileSync } = require('node:fs')
const root = process.argv[3].replace('/tsconfig.build.json', '')
mkdirSync(root + '/dist')
for (const file of readdirSync(root + '/src')) {
  if (/wrong/.test(readFileSync(root + '/src/' + file))) {
    console.log(file + ' is wrong')
    process.exit(1)
  }
  copyFileSync(root + '/src/' + file, root + '/dist/' + file.replace('.ts', '.js'))
}
`

t.test('what is older than its sources is built again, what is newer is left alone', async (t) => {
  const root = t.testdir({
    src: { 'a.ts': 'export const a: number = 1\n' },
    'tsconfig.build.json': '{}',
    node_modules: { typescript: { 'package.json': '{}', bin: { tsc: COMPILER } } },
  })
  const said: string[] = []
  const run = () => build({ root, say: (line) => said.push(line) })
  t.equal(run(), true, said.join())
  t.ok(existsSync(join(root, 'dist/a.js')))
  writeFileSync(join(root, 'dist/mine'), '')
  t.equal(run(), true)
  t.ok(existsSync(join(root, 'dist/mine')), 'nothing was built')
  const later = new Date(Date.now() + 60_000)
  utimesSync(join(root, 'src/a.ts'), later, later)
  t.equal(run(), true)
  t.notOk(existsSync(join(root, 'dist/mine')), 'built anew')
  writeFileSync(join(root, 'src/b.ts'), 'wrong')
  utimesSync(join(root, 'src/b.ts'), later, later)
  t.equal(run(), false)
  t.match(said, [/the build failed, running from source: b\.ts is wrong/])
})

t.test('a project without a compiler runs from source', async (t) => {
  t.equal(build({ root: t.testdir({ src: {} }) }), false)
})
