import t from 'tap'
import { accepting, readBaseline, writeBaseline } from '../../src/review/index.ts'
import { pod, reviewTexts } from './review_texts.ts'

const BAD = pod('ghcr.io/acme/web:latest')

t.test('what a baseline holds is accepted, and only that', async (t) => {
  const { report: before } = await reviewTexts({ 'a.yaml': BAD })
  const baseline = readBaseline(writeBaseline(before.findings), 'base.json')
  const files = { 'a.yaml': `# more\n${BAD}`, 'b.yaml': `${BAD}---\n${pod('web')}` }
  const { report } = await reviewTexts(files)
  const left = accepting(report, baseline, 'base.json')
  t.strictSame(
    left.findings.map(({ location }) => location?.file),
    ['b.yaml', 'b.yaml'],
  )
  t.match(left.totals, { denied: 2, accepted: 1 })
  t.match(left.accepted, [{ by: 'baseline', justification: 'base.json' }])
  t.match(accepting(before, baseline, 'x'), { findings: [], totals: { denied: 0, accepted: 1 } })
  t.equal(accepting(before, readBaseline(writeBaseline([]), 'x'), 'x'), before)
})

t.test('equal findings give equal text, in whatever order', async (t) => {
  const { report } = await reviewTexts({ 'b.yaml': BAD, 'a.yaml': `${BAD}---\n${BAD}` })
  const text = writeBaseline(report.findings)
  t.equal(writeBaseline(report.findings.toReversed()), text)
  const { findings } = JSON.parse(text)
  t.strictSame(
    findings.map(({ file }: { file: string }) => file),
    ['a.yaml', 'a.yaml', 'b.yaml'],
  )
  t.match(findings[0], {
    object: 'Pod shop web',
    container: 'c0',
    image: 'ghcr.io/acme/web:latest',
    reason: 'LatestTag',
  })
  t.equal(text.split('\n').length, 9, 'a line each')
})

t.test('what is no baseline is refused', (t) => {
  const form = '"form": "tagwarden.io/baseline/v1"'
  for (const text of [
    '',
    '[]',
    'null',
    '{}',
    `{${form}}`,
    `{${form}, "findings": [{}]}`,
    `{${form}, "findings": [null]}`,
    `{${form}, "findings": [{"fingerprint": "x"}]}`,
  ]) {
    t.throws(() => readBaseline(text, 'base.json'), { code: 'ERR_USAGE' }, text)
  }
  t.end()
})
