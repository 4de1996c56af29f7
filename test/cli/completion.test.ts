import { execFile, execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { completionScript, SHELLS } from '../../src/cli/completion.ts'
import { createProgram } from '../../src/cli/main.ts'
import { tagwarden } from './run.ts'

const COMMANDS = createProgram().commands.map((command) => command.name())

/** What Tab offers at the end of a line, and what it must offer. */
const ROWS: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ['tagwarden ', COMMANDS],
  ['tagwarden comp', ['completion']],
  ['tagwarden nonsense', []],
  ['tagwarden completion ', [...SHELLS]],
  ['tagwarden completion z', ['zsh']],
  ['tagwarden select --output ', ['text', 'json']],
  ['tagwarden select -o j', ['json']],
  ['tagwarden select --tags - --output js', ['json']],
  ['tagwarden dev --failure-policy ', ['Ignore', 'Fail']],
  ['tagwarden convert --output-d', ['--output-dir']],
  ['tagwarden explain --names', ['--namespace']],
]

function has(shell: string): boolean {
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Why a test cannot be run, and how it can. */
function without(shell: string): string | false {
  return has(shell) ? false : `there is no ${shell}: apt-get install ${shell}`
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

function run(shell: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, HOME: cwd, XDG_CONFIG_HOME: cwd, XDG_DATA_HOME: cwd }
  return new Promise((resolve, reject) => {
    execFile(shell, args, { cwd, env }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stderr}`))
      else resolve(stdout)
    })
  })
}

/** Asks bash as Tab does: the words go into COMP_WORDS, the answer comes in COMPREPLY. */
const BASH = `
source "$1"; shift
COMP_LINE="$1"
read -r -a COMP_WORDS <<< "\${COMP_LINE/=/ = }"
case "$COMP_LINE" in *' '|*=) COMP_WORDS+=('') ;; esac
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_tagwarden
printf '%s\\n' "\${COMPREPLY[@]}"
`

t.test(
  'bash completes commands, options, choices and files',
  { skip: without('bash') },
  async (t) => {
    const cwd = t.testdir({
      'ask.sh': BASH,
      'a b.yaml': '',
      policies: { 'x.yaml': '' },
      'pipe*': '',
    })
    const { out, err } = await tagwarden(['completion', 'bash'])
    t.equal(err, '')
    writeFileSync(join(cwd, 'c.bash'), out)
    const offered = async (line: string) =>
      lines(await run('bash', ['--norc', 'ask.sh', 'c.bash', line], cwd))
    for (const [line, wanted] of ROWS) t.strictSame(await offered(line), wanted, line)
    const rows: readonly (readonly [line: string, offered: readonly string[]])[] = [
      ['tagwarden select --output=j', ['json']],
      ['tagwarden select --output=', ['text', 'json']],
      ['tagwarden select --policy p', ['pipe*', 'policies']],
      ['tagwarden select --name ', []],
      ['tagwarden explain x --policies one p', ['pipe*', 'policies']],
      ['tagwarden explain x ', []],
      ['tagwarden convert --output-dir p', ['policies']],
      ['tagwarden convert one a', ['a b.yaml', 'ask.sh']],
      ['tagwarden completion bash ', []],
      ['tagwarden $(touch${IFS}made) ', COMMANDS],
    ]
    for (const [line, wanted] of rows)
      t.strictSame((await offered(line)).sort(), [...wanted].sort(), line)
  },
)

t.test('fish completes the same', { skip: without('fish') }, async (t) => {
  const cwd = t.testdir({ policies: {}, 'pipe.yaml': '' })
  writeFileSync(join(cwd, 'c.fish'), completionScript(createProgram(), 'fish'))
  const offered = async (line: string) => {
    const text = 'source c.fish; complete -C $argv[1]'
    const out = await run('fish', ['--no-config', '-c', text, '--', line], cwd)
    return lines(out).map((each) => each.split('\t')[0] ?? '')
  }
  for (const [line, wanted] of ROWS) {
    t.strictSame((await offered(line)).sort(), [...wanted].sort(), line)
  }
  t.strictSame(await offered('tagwarden convert --output-dir p'), ['policies/'])
  t.strictSame(await offered('tagwarden select --policy p'), ['pipe.yaml', 'policies/'])
})

t.test('zsh can read its script', { skip: without('zsh') }, async (t) => {
  const cwd = t.testdir({})
  writeFileSync(join(cwd, '_tagwarden'), completionScript(createProgram(), 'zsh'))
  t.equal(await run('zsh', ['-f', '-n', '_tagwarden'], cwd), '')
})

t.test('every command and option is in each script, and nothing breaks out of a quote', (t) => {
  const program = createProgram()
  program.command('evil').description("it's a `$(trap)` [x]: \\").option('--bad <file>', "don't'")
  for (const shell of SHELLS) {
    const script = completionScript(program, shell)
    for (const { commands } of [program]) {
      for (const command of commands) {
        t.ok(script.includes(command.name()), `${shell}: ${command.name()}`)
        for (const { long = '' } of command.options) t.ok(script.includes(long.slice(2)), long)
      }
    }
    if (!has(shell)) continue
    const cwd = t.testdir({ script })
    t.doesNotThrow(() => execFileSync(shell, ['-n', join(cwd, 'script')], { stdio: 'pipe' }), shell)
  }
  t.end()
})

t.test('an unknown shell is refused with those there are', async (t) => {
  const { code, err } = await tagwarden(['completion', 'csh'])
  t.equal(code, 2)
  t.match(err, /bash, zsh, fish/)
})
