import t from 'tap'
import { createPatience } from '../../src/webhooks/patience.ts'

const NOW = 1_800_000_000_000

t.test('what others change is undone at once, then ever more slowly', (t) => {
  const patience = createPatience()
  for (let repair = 0; repair < 4; repair += 1) {
    t.equal(patience.wait(NOW), repair < 3 ? 0 : 1_000)
    patience.noteRepair(NOW)
  }
  t.equal(patience.wait(NOW), 2_000)
  t.equal(patience.quarrelling(NOW), true)
  t.equal(patience.wait(NOW - 6 * 3_600_000), 2_000, 'also when the clock was set back')
  t.equal(patience.wait(NOW + 700_000), 0, 'and after some peace at once again')
  t.end()
})
