import t from 'tap'
import { createFailureMemory } from '../../src/scanner/failure_memory.ts'

const NOW = 1_800_000_000_000
const NEED = { fact: 'repository', name: 'ghcr.io/acme/web' } as const

t.test(
  'a failure is the answer for some seconds, not longer because the clock is set back',
  (t) => {
    const memory = createFailureMemory()
    const failure = { code: 'ERR_REGISTRY_TIMEOUT', message: 'slow', at: NOW } as const
    memory.remember(NEED, failure)
    t.equal(memory.recall(NEED, NOW + 4_000), failure)
    t.equal(memory.recall(NEED, NOW + 6_000), undefined)
    t.equal(memory.recall(NEED, NOW - 3_600_000), undefined)
    t.end()
  },
)
