import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type Parsed, parsed, ROOT, world } from './world.ts'

const ACTION: Parsed = parsed('action.yml')

/** Runs the shell steps as a runner does: inputs with their defaults, in the environment. */
async function run(t: Test, inputs: Record<string, string>, before: Record<string, string> = {}) {
  const { cwd, run, read, write } = world(t)
  const given = Object.fromEntries(
    Object.entries<Parsed>(ACTION.inputs).map(([name, { default: own }]) => [
      name,
      inputs[name] ?? own,
    ]),
  )
  const files = ['GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY']
  for (const name of files) write(name, '')
  for (const [name, text] of Object.entries(before)) write(name, text)
  let result = { code: 0, out: '', err: '' }
  for (const step of ACTION.runs.steps) {
    const env = Object.entries<string>(step.env).map(([name, text]) => {
      const value = text.replace(
        /\$\{\{ (?:inputs\.([\w-]+)|github\.action_path) \}\}/g,
        (_all, of) => (of === undefined ? ROOT : given[of]),
      )
      return [name, value]
    })
    result = await run('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', step.run], {
      ...Object.fromEntries(env),
      ...Object.fromEntries(files.map((name) => [name, join(cwd, name)])),
    })
  }
  return {
    ...result,
    cwd,
    output: read('GITHUB_OUTPUT'),
    summary: read('GITHUB_STEP_SUMMARY'),
    read,
  }
}

t.test('action.yml is one that GitHub accepts, and documents its inputs', (t) => {
  t.equal(ACTION.runs.using, 'composite')
  for (const step of ACTION.runs.steps) {
    t.ok(step.shell, 'a composite step names its shell')
    t.notMatch(step.run, /\$\{\{/, 'no input is pasted into a script')
  }
  for (const [name, input] of Object.entries<Parsed>(ACTION.inputs)) {
    t.match(name, /^[a-z][a-z-]*$/)
    t.ok(input.description.length > 5, name)
    t.equal(typeof input.default, 'string', name)
    t.ok(JSON.stringify(ACTION.runs).includes(`inputs.${name} `), `${name} is used`)
  }
  t.match(Object.keys(ACTION.outputs), ['sarif-file', 'exit-code'])
  t.end()
})

t.test('the action passes what is permitted', async (t) => {
  const { code, err, output } = await run(t, { paths: 'good' })
  t.equal(code, 0, err)
  t.equal(output, 'exit-code=0\nsarif-file=tagwarden.sarif\n')
})

t.test('the action fails on what is not, with annotations, SARIF and a summary', async (t) => {
  const { code, out, output, summary, read } = await run(t, {
    paths: '  bad \r\ngood/a b.yaml\r\n',
    policies: 'policies',
    'sarif-file': 'out.sarif',
  })
  t.equal(code, 1)
  t.match(out, /^::error .*file=bad\/bad\.yaml,line=4/m)
  t.match(output, /exit-code=1\nsarif-file=out\.sarif\n/)
  t.match(summary, /Ignored/)
  t.match(JSON.parse(read('out.sarif')), {
    version: '2.1.0',
    runs: [{ results: [{ ruleId: 'Ignored' }] }],
  })
})

t.test('inputs reach the command as they are, and no shell', async (t) => {
  const paths = '$(touch made)\n`touch made`\n; touch made\n--fix\n'
  const args = '--no-such-option $(touch made)'
  const { code, err, cwd, output } = await run(t, { paths, args }, { 'tagwarden.sarif': '{}' })
  t.equal(code, 2)
  t.equal(output, 'exit-code=2\n', 'there is no report to upload, nor one of an earlier step')
  t.notOk(existsSync(join(cwd, 'made')))
  t.match(err, /--no-such-option/)
})
