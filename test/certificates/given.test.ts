import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  folderStore,
  issueAuthority,
  issueServing,
  openCertificates,
} from '../../src/certificates/index.ts'
import { DAY, FILES, folder, isTrusted, open, write } from './fixture.ts'

const now = Date.now()
const names = ['localhost']
const authority = await issueAuthority(now)
const serving = await issueServing(authority, { names, now })
const other = await issueServing(authority, { names, now })
const ended = await issueServing(authority, { names, now: now - 100 * DAY })
const GIVEN = { 'ca.crt': authority.cert, 'tls.crt': serving.cert, 'tls.key': serving.key }

t.test('a certificate without ca.key is used as it is and never written over', async (t) => {
  const path = folder(t, GIVEN)
  const { certificates, problems, advance } = await open(t, path, { names: ['other.name'] })
  t.match(certificates.current(), { key: serving.key, cert: serving.cert, ca: authority.cert })
  advance(80)
  await certificates.refresh()
  t.equal(certificates.current().cert, serving.cert)
  t.same(problems, [])
  advance(20)
  await certificates.refresh()
  t.match(problems, [{ code: 'ERR_CERTIFICATE', message: /its validity ended/ }])
  t.equal(certificates.current().cert, serving.cert, 'the last good one stays')
})

t.test(
  'without a CA file there is no bundle, but for a certificate that signed itself',
  async (t) => {
    const issued = folder(t, { 'tls.crt': serving.cert, 'tls.key': serving.key })
    t.equal((await open(t, issued)).certificates.current().ca, '')
    const self = folder(t, { 'tls.crt': authority.cert, 'tls.key': authority.key })
    t.equal((await open(t, self)).certificates.current().ca, authority.cert)
  },
)

t.test("a CA that a person brings signs Tagwarden's certificates", async (t) => {
  const path = folder(t, { 'ca.crt': authority.cert, 'ca.key': authority.key })
  const { certificates } = await open(t, path)
  const { key, cert, ca } = certificates.current()
  t.equal(ca, authority.cert)
  t.ok(await isTrusted({ key, cert }, authority.cert))
})

t.test(
  'a folder that a person got wrong is an error with file and remedy; nothing is written',
  async (t) => {
    const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const ec = ecKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const rows: [title: string, files: Record<string, string>, file: string, message: RegExp][] = [
      ['key of another', { ...GIVEN, 'tls.key': other.key }, 'tls.key', /not the key of tls\.crt/],
      ['key is missing', { 'tls.crt': serving.cert }, 'tls.key', /is missing/],
      ['certificate is missing', { 'tls.key': serving.key }, 'tls.crt', /is missing/],
      ['ended', { 'tls.crt': ended.cert, 'tls.key': ended.key }, 'tls.crt', /validity ended/],
      [
        'garbage for a certificate',
        { ...GIVEN, 'tls.crt': 'hello' },
        'tls.crt',
        /no PEM certificate/,
      ],
      ['garbage for a key', { ...GIVEN, 'tls.key': 'hello' }, 'tls.key', /no PEM private key/],
      ['empty certificate', { ...GIVEN, 'tls.crt': '' }, 'tls.crt', /no PEM certificate/],
      ['cut certificate', { ...GIVEN, 'tls.crt': serving.cert.slice(0, 300) }, 'tls.crt', /no PEM/],
      ['garbage for a CA', { ...GIVEN, 'ca.crt': '\0' }, 'ca.crt', /no PEM certificate/],
      ['CA key of another', { ...GIVEN, 'ca.key': other.key }, 'ca.key', /not the key of ca\.crt/],
      ['CA alone', { 'ca.crt': authority.cert }, 'ca.crt', /without ca\.key/],
      ['CA key alone', { 'ca.key': authority.key }, 'ca.key', /without ca\.crt/],
      ['EC key for the CA', { 'ca.crt': authority.cert, 'ca.key': ec }, 'ca.key', /not the key/],
    ]
    for (const [title, files, file, message] of rows) {
      const path = folder(t, {})
      for (const name of FILES) {
        rmSync(join(path, name), { force: true })
        if (files[name] !== undefined) write(path, name, files[name])
      }
      const opening = openCertificates({ store: folderStore(path), names })
      await t.rejects(
        opening,
        {
          code: 'ERR_CERTIFICATE',
          message,
          remedy: /^[A-Z]/,
          position: { file: join(path, file) },
        },
        title,
      )
      for (const name of FILES) {
        t.equal(readOrNothing(path, name), files[name], `${title}: ${name} is as it was`)
      }
    }
  },
)

function readOrNothing(path: string, name: string): string | undefined {
  const file = join(path, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

t.test('a broken pair that appears later is told once; the good one serves on', async (t) => {
  const path = folder(t, GIVEN)
  const { certificates, problems } = await open(t, path)
  write(path, 'tls.key', other.key)
  await certificates.refresh()
  await certificates.refresh()
  t.match(problems, [{ code: 'ERR_CERTIFICATE', message: /not the key of tls\.crt/ }])
  t.equal(problems.length, 1)
  t.equal(certificates.current().key, serving.key)

  write(path, 'tls.crt', other.cert)
  await certificates.refresh()
  t.match(certificates.current(), { key: other.key, cert: other.cert })

  write(path, 'tls.key', 'garbage')
  await certificates.refresh()
  t.equal(problems.length, 2, 'the next problem is told again')
  t.equal(certificates.current().key, other.key)
})

t.test('a problem names no key material', async (t) => {
  const path = folder(t, { ...GIVEN, 'tls.key': serving.key.slice(0, 500) })
  const error = await openCertificates({ store: folderStore(path), names }).catch(
    (cause: unknown) => cause,
  )
  t.notMatch(JSON.stringify([String(error), error]), serving.key.slice(60, 120))
})
