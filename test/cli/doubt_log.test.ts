import t from 'tap'
import { createDoubtLog, knownKinds } from '../../src/cli/doubt_log.ts'
import { nativePolicy, read } from '../policies/reading.ts'
import { tagwarden } from './run.ts'

const policy = (match: object, tags: object = {}) =>
  nativePolicy({
    images: ['127.0.0.1:1/acme/web'],
    tags,
    order: { semver: { range: '*' } },
    match,
  })

t.test('what is doubtful about policies from files is logged, once while it stays so', (t) => {
  const lines: string[] = []
  const warn = (_fields: object, text?: string) => void lines.push(text ?? '')
  const rollout = { group: 'argoproj.io', kind: 'Rollout', paths: ['/spec/image'] }
  const tell = createDoubtLog({ warn }, knownKinds({ imageFields: [rollout] }))
  const typo = read(policy({ kinds: ['deployment', 'Rollout'] })).set
  tell(typo)
  tell(typo)
  t.match(lines, [/^f\.yaml:1.*: ImagePolicy \S+: spec\.match\.kinds\[0\]: deployment is no kind/])
  tell(read(policy({ kinds: ['Deployment', 'Rollout.argoproj.io'] })).set)
  tell(typo)
  t.equal(lines.length, 2, 'told again when it comes again')
  t.end()
})

t.test('so it is by the commands that read files', async (t) => {
  const cwd = t.testdir({
    'extract.yaml': policy({}, { pattern: '^v(?P<version>.+)$', extract: '$versoin' }),
    'kinds.yaml': policy({ kinds: ['Deployments'] }),
  })
  const selected = await tagwarden(['select', '-p', 'extract.yaml', '-o', 'json'], {
    cwd,
    input: 'v1.0.0\n',
  })
  t.match(selected.err, /extract\.yaml:1.*spec\.tags\.extract: the pattern has no group versoin/)
  t.match(JSON.parse(selected.out), { selected: null, reason: 'NoPermittedTag' })
  t.equal(selected.code, 1)
  const image = '127.0.0.1:1/acme/web:v1.0.0'
  const explained = await tagwarden(['explain', image, '--policies', 'kinds.yaml'], { cwd })
  t.match(explained.err, /kinds\.yaml:1.*spec\.match\.kinds\[0\]: Deployments is no kind/)
})
