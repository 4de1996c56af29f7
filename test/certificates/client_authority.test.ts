import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openClientAuthority } from '../../src/certificates/index.ts'
import { describeError, type TagwardenError } from '../../src/errors.ts'
import { createAuthority } from '../cluster/authority.ts'

const ONE = createAuthority('one').certificate
const TWO = createAuthority('two').certificate
const BROKEN = '-----BEGIN CERTIFICATE-----\nbm8gY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n'

async function open(t: Test, text: string) {
  const file = join(t.testdir({ 'ca.crt': text }), 'ca.crt')
  const problems: string[] = []
  const onProblem = (problem: TagwardenError) => void problems.push(describeError(problem))
  const authority = await openClientAuthority({ file, onProblem, interval: 3_600_000 })
  t.teardown(() => authority.close())
  const texts = () => authority.current().map(String)
  const put = (next: string) => {
    writeFileSync(file, next)
    return authority.refresh()
  }
  return { file, authority, problems, texts, put }
}

t.test('another CA is taken over, and told once', async (t) => {
  const { authority, texts, put } = await open(t, ONE)
  let changes = 0
  const end = authority.subscribe(() => {
    changes += 1
  })
  const before = authority.current()
  await authority.refresh()
  t.equal(authority.current(), before, 'the same as long as the file is')
  await put(`# both, while the old one is on its way out\n${ONE}${TWO}`)
  t.strictSame(
    texts(),
    [ONE, TWO].map((each) => each.replaceAll('\r', '')),
  )
  await put(TWO)
  t.strictSame(texts(), [TWO.replaceAll('\r', '')])
  t.equal(changes, 2)
  end()
  await put(ONE)
  t.equal(changes, 2)
})

t.test('what cannot be used changes nothing, and is told once', async (t) => {
  const { file, authority, problems, texts, put } = await open(t, ONE)
  const good = texts()
  for (const text of ['', 'no certificate', BROKEN, `${TWO}${BROKEN}`, 'x'.repeat(2 ** 20 + 1)]) {
    await put(text)
    await put(text)
    t.strictSame(texts(), good)
  }
  rmSync(file)
  await authority.refresh()
  t.strictSame(texts(), good)
  t.equal(problems.length, 5, problems.join('\n'))
  t.match(problems, [
    /ca\.crt: there is no PEM certificate in it\. Put the CA there that signs/,
    /its certificate 1 is none/,
    /its certificate 2 is none/,
    /it has 1048577 bytes/,
    /cannot be read \(ENOENT\)/,
  ])
})

t.test('without a CA to begin with there is no start', async (t) => {
  const file = join(t.testdir({ 'empty.crt': '', 'broken.crt': BROKEN }), 'empty.crt')
  await t.rejects(openClientAuthority({ file }), { code: 'ERR_CERTIFICATE' })
  const broken = file.replace('empty', 'broken')
  await t.rejects(openClientAuthority({ file: broken }), { message: 'its certificate 1 is none' })
  const missing = file.replace('empty', 'missing')
  await t.rejects(openClientAuthority({ file: missing }), { message: /cannot be read \(ENOENT\)/ })
})
