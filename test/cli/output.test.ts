import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { isColourful, isScreen } from '../../src/cli/output.ts'
import { pod } from '../review/review_texts.ts'
import { BIN } from './run.ts'

const MANY = `${pod('web:latest')}---\n`.repeat(2_000)
const COMMAND = `"${process.execPath}" "${BIN}" review --offline many.yaml`

function shell(cwd: string, line: string) {
  const { status, stdout, stderr } = spawnSync('bash', ['-c', line], { cwd, encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

t.test('a reader that has seen enough is no failure', (t) => {
  const cwd = t.testdir({ 'many.yaml': MANY })
  for (const output of ['text', 'json', 'manifests']) {
    const quiet = output === 'manifests' ? ' 2> /dev/null' : ''
    const line = `${COMMAND} --output ${output}${quiet} | head -n 1; exit "\${PIPESTATUS[0]}"`
    t.match(shell(cwd, line), { code: 1, err: '' }, output)
  }
  const both = `${COMMAND} --report json=all.json 2>&1 | head -n 1; exit "\${PIPESTATUS[0]}"`
  t.match(shell(cwd, both), { code: 1, err: '' })
  t.ok(existsSync(`${cwd}/all.json`), 'other reports are written all the same')
  t.end()
})

t.test(
  'a full disk is told, and is no verdict',
  { skip: !existsSync('/dev/full') && 'there is no /dev/full here' },
  (t) => {
    const cwd = t.testdir({ 'many.yaml': MANY })
    for (const output of ['text', 'json', 'manifests']) {
      const quiet = output === 'manifests' ? '.*' : ''
      t.match(
        shell(cwd, `${COMMAND} --output ${output} > /dev/full`),
        {
          code: 2,
          err: new RegExp(
            `^${quiet}tagwarden: ERR_WRITE standard output cannot be written \\(ENOSPC\\)\\. Check`,
            's',
          ),
        },
        output,
      )
    }
    t.match(shell(cwd, `${COMMAND} --report json=/dev/full`), {
      code: 2,
      err: /^tagwarden: ERR_WRITE \/dev\/full: cannot be written \(ENOSPC\)/,
    })
    t.notMatch(shell(cwd, `${COMMAND} > /dev/full`).err, /node:|^ +at /m, 'no stack')
    t.end()
  },
)

t.test('a text that finds room in part is not taken for written', (t) => {
  const cwd = t.testdir({ 'many.yaml': MANY })
  for (const output of ['json', 'manifests']) {
    const line = `trap '' XFSZ; ulimit -f 8; unset NODE_OPTIONS; ${COMMAND} --output ${output} > out.txt`
    t.match(shell(cwd, line), { code: 2, err: /ERR_WRITE standard output cannot be written/ })
  }
  t.match(shell(cwd, `${COMMAND} --output manifests > out.txt`), { code: 1 })
  t.equal(readFileSync(`${cwd}/out.txt`, 'utf8'), MANY)
  t.end()
})

t.test('only a terminal that knows colours gets them', (t) => {
  const rows: [stream: { isTTY?: boolean }, env: Record<string, string>, boolean, boolean][] = [
    [{}, {}, false, false],
    [{ isTTY: true }, { TERM: 'xterm' }, true, true],
    [{ isTTY: true }, { TERM: 'dumb' }, false, false],
    [{ isTTY: true }, { TERM: 'xterm', NO_COLOR: '1' }, true, false],
    [{ isTTY: true }, { TERM: 'xterm', NO_COLOR: '' }, true, true],
  ]
  const { TERM, NO_COLOR } = process.env
  for (const [stream, env, screen, colourful] of rows) {
    delete process.env['NO_COLOR']
    Object.assign(process.env, env)
    t.equal(isScreen(stream), screen, JSON.stringify(env))
    t.equal(isColourful(stream), colourful, JSON.stringify(env))
  }
  for (const [name, value] of Object.entries({ TERM, NO_COLOR })) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  t.end()
})
