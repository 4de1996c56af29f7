import t from 'tap'
import { createProblemLog } from '../../src/cli/problem_log.ts'
import { TagwardenError } from '../../src/errors.ts'

const problem = (text: string) => new TagwardenError('ERR_INVALID_POLICY', text)

function started() {
  const lines: string[] = []
  const tell = createProblemLog({
    info: (_fields: object, text?: string) => void lines.push(`info ${text}`),
    warn: (_fields: object, text?: string) => void lines.push(`warn ${text}`),
  })
  return { tell, taken: () => lines.splice(0) }
}

t.test('of many policies that are wrong, only what has changed is logged', (t) => {
  const { tell, taken } = started()
  tell([problem('a is wrong'), problem('b is wrong')])
  t.match(taken(), ['warn a is wrong', 'warn b is wrong'])
  tell([problem('a is wrong'), problem('b is wrong'), problem('c is wrong')])
  t.match(taken(), [/^warn c is wrong/])
  tell([problem('c is wrong'), problem('b is wrong otherwise')])
  t.match(taken(), [
    'warn b is wrong otherwise',
    'info solved: a is wrong',
    'info solved: b is wrong',
  ])
  tell([problem('b is wrong otherwise'), problem('c is wrong')])
  t.strictSame(taken(), [], 'another order is no news')
  tell([])
  t.equal(taken().length, 2)
  t.end()
})

t.test('thousands that become wrong at once do not fill the log', (t) => {
  const { tell, taken } = started()
  tell(Array.from({ length: 5_000 }, (_, n) => problem(`policy ${n} is wrong`)))
  const lines = taken()
  t.equal(lines.length, 101)
  t.match(lines.at(-1), /^warn and 4900 more/)
  t.end()
})
