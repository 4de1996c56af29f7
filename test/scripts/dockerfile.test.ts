import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SHIPPED } from '../../bench/processes.ts'
import { ROOT } from './fixture.ts'

const text = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
/** One instruction a line, without comments. */
const lines = text
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '')
const froms = lines.filter((line) => line.startsWith('FROM '))
const last = lines.slice(lines.lastIndexOf(froms.at(-1) as string))
const of = (instruction: string) => last.filter((line) => line.startsWith(`${instruction} `))

t.test('it is built in one image and run in another, each with its tag', (t) => {
  t.equal(froms.length, 2)
  for (const from of froms) {
    t.match(from, /^FROM \S+:\S+/)
    t.notMatch(from, /:latest/)
  }
  t.match(froms.at(-1), /distroless\/nodejs24/, 'no shell, no package manager, Node 24')
  const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const version = /^ARG NODE_VERSION=(.*)$/m.exec(text)?.[1]
  t.equal(`^${version}`, devDependencies.node, 'the Node that it was tested with')
  t.end()
})

t.test('the image that runs is not root and needs no shell', (t) => {
  t.same(of('USER'), ['USER 65532:65532'])
  t.same(of('RUN'), [], 'there is nothing to run it with')
  for (const instruction of ['ENTRYPOINT', 'CMD', 'VOLUME']) {
    const [line] = of(instruction)
    t.type(JSON.parse(line?.slice(instruction.length) ?? ''), Array, `${instruction} in exec form`)
  }
  t.end()
})

t.test('npm start runs it with the same memory settings', (t) => {
  const { start } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).scripts
  const env = of('ENV').join(' ')
  for (const [name, value] of Object.entries(SHIPPED.env)) {
    if (!name.startsWith('MALLOC_')) continue
    for (const text of [env, start]) t.ok(`${text} `.includes(` ${name}=${value} `), name)
  }
  for (const text of [of('ENTRYPOINT').join(), start]) t.match(text, SHIPPED.flags.join(' '))
  t.end()
})

t.test('what is written to stands on volumes, so that the root may be read-only', (t) => {
  const volumes: string[] = JSON.parse(of('VOLUME')[0]?.slice('VOLUME'.length) ?? '[]')
  const env = of('ENV').join(' ')
  for (const name of ['TAGWARDEN_CATALOG_PATH', 'TAGWARDEN_CERTIFICATES_PATH']) {
    t.ok(volumes.includes(new RegExp(`${name}=(\\S+)`).exec(env)?.[1] ?? ''), name)
  }
  t.end()
})

t.test('the image holds neither sources nor development packages', (t) => {
  const copied = of('COPY').join('\n')
  t.notMatch(copied, /\bsrc\b|\btest\b|\. \./)
  t.match(lines.join('\n'), /npm prune --omit=dev/)
  t.end()
})

t.test('whatever the build copies is there and is let through to it', (t) => {
  const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
  t.ok(ignore.includes('*'), 'all else stays out')
  const sources = lines
    .filter((line) => line.startsWith('COPY ') && !line.includes('--from='))
    .flatMap((line) => line.split(' ').slice(1, -1))
  t.ok(sources.length > 5)
  for (const source of sources) {
    t.ok(existsSync(join(ROOT, source)), source)
    t.ok(ignore.includes(`!${source}`), `${source} in .dockerignore`)
  }
  t.end()
})
