import t from 'tap'
import { buildTestAssets } from '../../scripts/install.js'

t.test('real parts for tests are built where Go is there', async (t) => {
  const root = t.testdir({
    bin: { go: '', bash: '' },
    good: { scripts: { 'test-assets.sh': 'exit 0' } },
    bad: { scripts: { 'test-assets.sh': 'exit 3' } },
    never: { scripts: { 'test-assets.sh': 'echo it ran; kill -9 $PPID' } },
  })
  const said: string[] = []
  const build = (project: string, env: NodeJS.ProcessEnv) =>
    buildTestAssets({ root: `${root}/${project}`, env, say: (line) => said.push(line) })
  const PATH = `${root}/bin`
  t.equal(await build('good', { PATH }), true)
  t.strictSame(said, [])
  t.equal(await build('bad', { PATH }), false)
  t.match(said, [/real control plane .* will be skipped/])
  t.equal(await build('never', { PATH: root }), false, 'without Go nothing runs')
  t.equal(await build('never', { PATH, TAGWARDEN_SKIP_TEST_ASSETS: '1' }), false)
})
