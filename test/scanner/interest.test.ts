import fc from 'fast-check'
import t from 'tap'
import { tagsToConfirm } from '../../src/scanner/interest.ts'

function known(tag: string, checkedAt: number, asked: boolean) {
  return { tag, checkedAt, asked, platforms: false }
}

function names(list: readonly { tag: string }[]): string[] {
  return list.map(({ tag }) => tag)
}

t.test('what somebody asked for comes first, each the longest unconfirmed first', async (t) => {
  const list = [
    known('a', 3, false),
    known('b', 2, true),
    known('c', 1, false),
    known('d', 1, true),
  ]
  t.strictSame(names(tagsToConfirm(list, 10, 100)), ['d', 'b', 'c', 'a'])
  t.strictSame(names(list), ['a', 'b', 'c', 'd'], 'the list itself is left alone')
})

t.test('what was confirmed since the scan began is left out', async (t) => {
  const list = [known('old', 10, true), known('new', 11, true), known('newer', 12, false)]
  t.strictSame(names(tagsToConfirm(list, 10, 100)), ['old'])
  t.strictSame(tagsToConfirm([], 10, 100), [])
})

t.test('what another clock says of the future is confirmed again', async (t) => {
  const list = [known('soon', 60_000, true), known('far', 90_000, true)]
  t.strictSame(names(tagsToConfirm(list, 10, 20)), ['far'])
})

t.test('fifty at most, ten of those that nobody asked for', async (t) => {
  const one = fc.record({
    tag: fc.string(),
    checkedAt: fc.nat(100),
    asked: fc.boolean(),
    platforms: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 200 }), (list) => {
      const chosen = tagsToConfirm(list, 90, 100)
      const idle = chosen.filter((manifest) => !manifest.asked)
      const left = list.filter((manifest) => !chosen.includes(manifest) && manifest.checkedAt <= 90)
      const complete =
        chosen.length === 50 ||
        (!left.some((one) => one.asked) && idle.length === Math.min(10, idle.length + left.length))
      return chosen.length <= 50 && idle.length <= 10 && complete
    }),
  )
  t.pass('for every list')
})
