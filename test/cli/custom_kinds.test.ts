import t from 'tap'
import { customKindsFinder } from '../../src/cli/custom_kinds.ts'
import type { ResourceName } from '../../src/cluster/index.ts'

const ROLLOUTS: ResourceName = {
  ...{ group: 'argoproj.io', version: 'v1alpha1', plural: 'rollouts' },
  ...{ kind: 'Rollout', namespaced: true },
}
const FIELD = {
  ...{ group: 'argoproj.io', kind: 'Rollout' },
  paths: ['/spec/template/spec/containers/*/image'],
}

t.test('a custom kind that comes, changes its version or goes is noticed', async (t) => {
  let served: ResourceName | undefined
  let down = false
  const problems: string[] = []
  const find = async () => {
    if (down) throw new Error('the API server does not answer')
    return served
  }
  const kinds = customKindsFinder({ find }, { imageFields: [FIELD] }, (text) => problems.push(text))
  t.strictSame(await kinds(), [], 'no definition yet')
  served = ROLLOUTS
  t.strictSame(await kinds(), [ROLLOUTS])
  served = { ...ROLLOUTS, version: 'v1' }
  t.strictSame(await kinds(), [served])
  down = true
  t.strictSame(await kinds(), [served], 'as it was last time')
  await kinds()
  t.equal(problems.length, 1, 'told once')
  down = false
  served = undefined
  t.strictSame(await kinds(), [])
  down = true
  t.strictSame(await kinds(), [])
  t.match(problems, [/does not answer/, /does not answer/])
})
