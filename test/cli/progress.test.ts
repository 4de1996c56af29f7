import t from 'tap'
import { createProgress, timeLeft } from '../../src/cli/progress.ts'

function stream(isTTY: boolean, columns = 80) {
  let written = ''
  return {
    stream: {
      isTTY,
      columns,
      write(text: unknown) {
        written += String(text)
        return true
      },
    },
    written: () => written,
  }
}

t.test('a terminal gets one line, ten times a second at most, and none in the end', (t) => {
  const { stream: terminal, written } = stream(true)
  let now = 1_000
  const progress = createProgress(terminal, () => now)
  progress.show(() => 'one')
  progress.show(() => 'too soon')
  now += 100
  progress.show(() => 'x'.repeat(200))
  progress.end()
  t.equal(written(), `\r\u001b[Kone\r\u001b[K${'x'.repeat(79)}\r\u001b[K`)
  t.end()
})

t.test('anything else gets nothing', (t) => {
  const { stream: file, written } = stream(false)
  const progress = createProgress(file)
  progress.show(() => String(t.fail('it is not even made')))
  progress.end()
  t.equal(written(), '')
  t.end()
})

t.test('the time that is left is told when it can be known', (t) => {
  const rows: [done: number, all: number, took: number, text: string][] = [
    [0, 10, 5_000, ''],
    [10, 10, 5_000, ''],
    [5, 10, 500, ''],
    [5, 10, 5_000, 'about 5s left'],
    [1, 101, 2_000, 'about 3m 20s left'],
  ]
  for (const [done, all, took, text] of rows) t.equal(timeLeft(done, all, took), text)
  t.end()
})
