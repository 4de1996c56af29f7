import { chmodSync, cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { asset, HELM, skipWithout } from '../cluster/assets.ts'
import { readPage, section, tableRows } from '../docs/pages.ts'
import { type Parsed, parsed, parsedAll, ROOT, world } from './world.ts'

t.test('the pre-commit hooks run on the files that pre-commit names', async (t) => {
  const hooks: Parsed[] = parsed('.pre-commit-hooks.yaml')
  t.strictSame(
    hooks.map(({ id }) => id),
    ['tagwarden-review', 'tagwarden-fix'],
  )
  const { run } = world(t)
  for (const { entry, language, types_or, require_serial } of hooks) {
    t.strictSame([language, types_or, require_serial], ['script', ['yaml', 'json'], true])
    const [script = '', ...args] = entry.split(' ')
    const policies = ['--policies', 'policies']
    const good = await run(join(ROOT, script), [...args, ...policies, 'good/a b.yaml'])
    t.equal(good.code, 0, good.err)
    const bad = await run(join(ROOT, script), [
      ...args,
      ...policies,
      'bad/bad.yaml',
      'good/a b.yaml',
    ])
    t.match(bad, { code: 1, out: /bad\/bad\.yaml[\s\S]*\[Ignored\]/ })
  }
})

/** The jobs of the component, with these inputs. */
function gitlab(inputs: Record<string, string>): Parsed {
  const [{ spec }, jobs] = parsedAll('templates/review.yml')
  const filled = JSON.stringify(jobs).replace(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_all, name) => {
    if (!(name in spec.inputs)) throw new Error(`there is no input ${name}`)
    return JSON.stringify(inputs[name] ?? spec.inputs[name].default).slice(1, -1)
  })
  return JSON.parse(filled)
}

t.test('the GitLab template reviews, and writes a report that GitLab shows', async (t) => {
  const { cwd, bin, run, read, write } = world(t)
  write('.bin/git', '#!/bin/sh\necho "$@" > cloned\n')
  chmodSync(join(bin, 'git'), 0o755)
  symlinkSync(ROOT, join(cwd, 'home'))
  const review = async (paths: string) => {
    const { 'tagwarden-review': job } = gitlab({ source: 'https://git.example/x.git', paths })
    t.equal(job.artifacts.reports.junit, 'tagwarden.xml')
    const lines = [...job.before_script, ...job.script].join('\n')
    return run('bash', ['-e', '-c', lines], { ...job.variables, TAGWARDEN_HOME: join(cwd, 'home') })
  }
  const good = await review('good')
  t.equal(good.code, 0, good.err)
  t.match(read('cloned'), /^clone .* --branch main https:\/\/git\.example\/x\.git /)
  t.match(await review('good bad'), { code: 1, out: /\[Ignored\]/ })
  t.match(read('tagwarden.xml'), /<testsuites[\s\S]*bad\.yaml/)
})

t.test('kubectl finds its plugin', { skip: skipWithout(['kubectl']) }, async (t) => {
  const { bin, run } = world(t)
  symlinkSync(asset('kubectl') ?? '', join(bin, 'kubectl'))
  const help = await run('kubectl', ['tagwarden', '--help'])
  t.equal(help.code, 0, help.err)
  t.match(help.out, /^Usage: kubectl tagwarden \[options\] \[command\]/)
  t.match(await run('kubectl', ['tagwarden', 'select', '--help']), {
    out: /^Usage: kubectl tagwarden select /,
  })
  t.match(await run('tagwarden', ['select', '--help']), { out: /^Usage: tagwarden select / })
  t.match((await run('kubectl', ['plugin', 'list'])).out, /kubectl-tagwarden/)
  const { code, out } = await run('kubectl', [
    'tagwarden',
    'review',
    'bad',
    '--policies',
    'policies',
  ])
  t.match({ code, out }, { code: 1, out: /\[Ignored\]/ }, 'exit codes come through')
})

t.test('the krew manifest says what krew asks for', (t) => {
  const { apiVersion, kind, metadata, spec } = parsed('contrib/krew/tagwarden.yaml')
  t.equal(apiVersion, 'krew.googlecontainertools.github.com/v1alpha2')
  t.equal(kind, 'Plugin')
  t.match(metadata.name, /^[a-z][a-z0-9-]*$/)
  t.match(spec.version, /^v\d+\.\d+\.\d+$/)
  t.equal(spec.version, `v${JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version}`)
  t.ok(spec.shortDescription.length <= 50)
  for (const line of spec.description.split('\n')) t.ok(line.length <= 80)
  for (const { uri, sha256, bin, selector } of spec.platforms) {
    t.match(uri, /^https:\/\/.*\.tar\.gz$/)
    t.match(sha256, /^[0-9a-f]{64}$/)
    t.ok(existsSync(join(ROOT, bin)))
    t.ok(selector.matchExpressions.length > 0)
  }
  t.end()
})

t.test('package.json names commands that are there', (t) => {
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  t.strictSame(Object.keys(bin), ['tagwarden', 'kubectl-tagwarden'])
  for (const path of Object.values<string>(bin)) t.ok(existsSync(join(ROOT, path)), path)
  t.end()
})

t.test('Helm renders through its plugin, or refuses', { skip: skipWithout([HELM]) }, async (t) => {
  const chart = (file: string) => ({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
    templates: { 'pod.yaml': readFileSync(join(cwd, file), 'utf8') },
  })
  const { cwd, run, write } = world(t, {
    helm: { plugins: {} },
    one: { templates: {} },
    two: { templates: {} },
  })
  cpSync(join(ROOT, 'contrib/helm-post-renderer'), join(cwd, 'helm/plugins/tagwarden'), {
    recursive: true,
  })
  for (const [name, file] of [
    ['one', 'good/a b.yaml'],
    ['two', 'bad/bad.yaml'],
  ] as const) {
    const { 'Chart.yaml': head, templates } = chart(file)
    write(`${name}/Chart.yaml`, head)
    write(`${name}/templates/pod.yaml`, templates['pod.yaml'])
  }
  const env = { HELM_PLUGINS: join(cwd, 'helm/plugins'), HELM_CACHE_HOME: join(cwd, 'helm') }
  const helm = (name: string) =>
    run(asset(HELM) ?? '', ['template', 'x', name, '--post-renderer', 'tagwarden'], env)
  const good = await helm('one')
  t.equal(good.code, 0, good.err)
  t.match(good.out, /image: "registry\.invalid\/acme\/web:v1"/)
  const bad = await helm('two')
  t.match(bad, { code: 1, err: /post-renderer plugin "tagwarden"/ })
  t.notMatch(bad.out, /kind: Pod/)
})

t.test('ci.md has each input with its default', (t) => {
  const page = readPage('docs/ci.md')
  const rows = (heading: string) =>
    tableRows(section(page, heading)).map(([name, own]) => [name, own])
  const tables: [heading: string, inputs: Parsed][] = [
    ['## GitHub', parsed('action.yml').inputs],
    ['## GitLab', parsedAll('templates/review.yml')[0].spec.inputs],
  ]
  for (const [heading, inputs] of tables) {
    const told = rows(heading).slice(0, Object.keys(inputs).length)
    t.strictSame(
      told.map(([name]) => name),
      Object.keys(inputs).map((name) => `\`${name}\``),
      heading,
    )
    for (const [name, own] of told) {
      const input = inputs[String(name).replaceAll('`', '')]
      if (input.default) t.equal(own, `\`${input.default}\``, `${heading} ${name}`)
      else t.notMatch(own, /^`[^.]/, `${heading} ${name} has no default`)
    }
  }
  t.end()
})
