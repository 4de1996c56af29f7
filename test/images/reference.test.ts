import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { describeError, TagwardenError } from '../../src/errors.ts'
import { displayImage, isDigest, isTag, parseReference, respell } from '../../src/images/index.ts'

const HEX = '0123456789abcdef'.repeat(4)
const SHA256 = `sha256:${HEX}`
const SHA384 = `sha384:${HEX}${HEX.slice(32)}`
const SHA512 = `sha512:${HEX}${HEX}`

function failure(text: unknown): TagwardenError {
  try {
    parseReference(text as string)
  } catch (error) {
    if (error instanceof TagwardenError) return error
    throw error
  }
  throw new Error(`${text} was read as a reference`)
}

t.test('a reference is read as the container runtimes read it', (t) => {
  const rows: [
    text: string,
    registry: string,
    repository: string,
    tag?: string | undefined,
    digest?: string,
  ][] = [
    // the default registry and its library
    ['nginx', 'docker.io', 'library/nginx'],
    ['nginx:1.27', 'docker.io', 'library/nginx', '1.27'],
    ['acme/web', 'docker.io', 'acme/web'],
    ['library/nginx', 'docker.io', 'library/nginx'],
    ['library/nginx/extra', 'docker.io', 'library/nginx/extra'],
    ['docker.io/nginx', 'docker.io', 'library/nginx'],
    ['docker.io/nginx:1', 'docker.io', 'library/nginx', '1'],
    ['docker.io/library/nginx', 'docker.io', 'library/nginx'],
    ['docker.io/acme/web', 'docker.io', 'acme/web'],
    ['index.docker.io/nginx', 'docker.io', 'library/nginx'],
    ['index.docker.io/acme/web:v1', 'docker.io', 'acme/web', 'v1'],
    ['docker.io/index.docker.io/web', 'docker.io', 'index.docker.io/web'],
    ['docker.io.example.com/nginx', 'docker.io.example.com', 'nginx'],
    // what makes the first part a registry
    ['ghcr.io/acme/web:v1.4.2', 'ghcr.io', 'acme/web', 'v1.4.2'],
    ['ghcr.io/web', 'ghcr.io', 'web'],
    ['localhost/web', 'localhost', 'web'],
    ['localhost:5000/web', 'localhost:5000', 'web'],
    ['localhost5000/web', 'docker.io', 'localhost5000/web'],
    ['localhost', 'docker.io', 'library/localhost'],
    ['host:80/web', 'host:80', 'web'],
    ['host/web', 'docker.io', 'host/web'],
    ['Host/web', 'Host', 'web'],
    ['HOST/acme/web', 'HOST', 'acme/web'],
    ['GHCR.io/acme/web', 'GHCR.io', 'acme/web'],
    ['a_b.io/web', 'a_b.io', 'web'],
    ['a_b/web', 'docker.io', 'a_b/web'],
    ['1.2.3.4/web', '1.2.3.4', 'web'],
    ['1.2.3.4:65536000/web', '1.2.3.4:65536000', 'web'],
    ['xn--n3h.example/web:xn--n3h', 'xn--n3h.example', 'web', 'xn--n3h'],
    ['[::1]/web', '[::1]', 'web'],
    ['[2001:db8::1]:5000/acme/web:v1', '[2001:db8::1]:5000', 'acme/web', 'v1'],
    [`[2001:DB8::1]:5000/web@${SHA256}`, '[2001:DB8::1]:5000', 'web', undefined, SHA256],
    // a port without a path is a tag, a tag may look like a port
    ['ghcr.io', 'docker.io', 'library/ghcr.io'],
    ['ghcr.io:443', 'docker.io', 'library/ghcr.io', '443'],
    ['localhost:5000', 'docker.io', 'library/localhost', '5000'],
    ['localhost:5000/web:5000', 'localhost:5000', 'web', '5000'],
    // path components
    ['a/b/c/d/e', 'docker.io', 'a/b/c/d/e'],
    ['a.b/c', 'a.b', 'c'],
    ['x/a.b_c__d-e---f', 'docker.io', 'x/a.b_c__d-e---f'],
    ['0/1', 'docker.io', '0/1'],
    // tags
    ['web:latest', 'docker.io', 'library/web', 'latest'],
    ['web:Latest', 'docker.io', 'library/web', 'Latest'],
    ['web:_', 'docker.io', 'library/web', '_'],
    ['web:__proto__', 'docker.io', 'library/web', '__proto__'],
    ['web:1.-', 'docker.io', 'library/web', '1.-'],
    [`web:${'t'.repeat(128)}`, 'docker.io', 'library/web', 't'.repeat(128)],
    // digests
    [`web@${SHA256}`, 'docker.io', 'library/web', undefined, SHA256],
    [`web:v1@${SHA256}`, 'docker.io', 'library/web', 'v1', SHA256],
    [`web@${SHA384}`, 'docker.io', 'library/web', undefined, SHA384],
    [`ghcr.io/a/b:v1@${SHA512}`, 'ghcr.io', 'a/b', 'v1', SHA512],
    // a tag of sha256 that is no id, and one of it by its full name
    ['sha256:v1', 'docker.io', 'library/sha256', 'v1'],
    [`library/${SHA256}`, 'docker.io', 'library/sha256', HEX],
    // a hex name is an image id only if it is 64 digits long and stands alone
    [HEX.slice(1), 'docker.io', `library/${HEX.slice(1)}`],
    [`${HEX}:v1`, 'docker.io', `library/${HEX}`, 'v1'],
    [`acme/${HEX}`, 'docker.io', `acme/${HEX}`],
    // 255 characters of path; the host does not count
    [`x/${'a'.repeat(253)}`, 'docker.io', `x/${'a'.repeat(253)}`],
    [`ghcr.io/${'a'.repeat(255)}`, 'ghcr.io', 'a'.repeat(255)],
    ['a'.repeat(247), 'docker.io', `library/${'a'.repeat(247)}`],
    [`${'h'.repeat(63)}.example/web`, `${'h'.repeat(63)}.example`, 'web'],
  ]
  for (const [text, registry, repository, tag, digest] of rows) {
    const name = `${registry}/${repository}`
    const normalized = `${name}${tag ? `:${tag}` : ''}${digest ? `@${digest}` : ''}`
    t.strictSame(
      { ...parseReference(text) },
      { original: text, registry, repository, name, tag, digest, normalized },
      text.slice(0, 80),
    )
  }
  t.end()
})

t.test('what is no reference is refused with its place and a remedy', (t) => {
  const example = /registry\.example\.com\/team\/app:v1\.2\.3$/
  const path = /lower-case letters and digits, joined by/
  const tag = /at most 128 letters/
  const digest = /^Copy the digest as the registry gives it/
  const host = /^Write a host name, an IPv4 address or an IPv6 address/
  const rows: [text: unknown, message: RegExp, remedy: RegExp][] = [
    ['', /it is empty$/, example],
    [undefined, /^nothing is not.*an image is a text$/, example],
    [{ repository: 'web' }, /^an object is not.*an image is a text$/, example],
    [['web'], /^a list is not/, example],
    [7, /^7 is not/, example],
    ['a'.repeat(1025), /it has 1025 characters, more than 1024$/, example],
    ['web/'.repeat(250_000), /it has 1000000 characters/, example],
    [HEX, /bare id of an image/, /name@sha256:/],
    [`sha256:${HEX}`, /bare id of an image/, /name@sha256:/],
    ['sha256:beef', /bare id of an image/, /name@sha256:/],
    [`sha512:${HEX}${HEX}`, /bare id of an image/, /name@sha256:/],
    ['https://ghcr.io/acme/web', /starts with https:\/\//, /^Leave that out: ghcr.io\/acme\/web$/],
    ['docker://Web', /starts with docker:\/\//, /^Leave that out$/],
    // characters that stand nowhere
    ['web:v1 ', /" " at character 7 may not stand$/, /^Remove it: web:v1$/],
    ['web:v1\n', /"\\n" at character 7 /, /^Remove it: web:v1$/],
    ['we b', /" " at character 3 /, /^Remove it$/],
    ['web\0', /"\\u0000" at character 4 /, /^Remove it$/],
    ['web\u001b[31m', /"\\u001b" at character 4 /, /^Remove it$/],
    ['аcme/web', /^"\\u0430cme\/web" .*"\\u0430" at character 1 /, /^Remove it$/],
    ['web:🚀', /"\\ud83d" at character 5 /, /^Remove it$/],
    ['web:$TAG', /"\$" at character 5 /, /^Fill in the placeholder$/],
    ['{{ .Values.image }}', /"{" at character 1 /, /^Fill in the placeholder$/],
    ['[fe80::1%eth0]:5000/web', /"%" at character 9 /, /^Remove it$/],
    ['web*', /"\*" at character 4 /, /^Remove it$/],
    // no repository
    [':v1', /it has no repository$/, example],
    [`@${SHA256}`, /it has no repository$/, example],
    ['[::1]', /no repository after the host/, /such as \[::1]:5000\/app$/],
    ['[::1]:5000', /no repository after the host/, /such as/],
    // digests
    ['web@', /no known digest algorithm stands at character 5/, digest],
    ['web@:', /no known digest algorithm/, digest],
    [`web@${HEX}`, /no known digest algorithm/, digest],
    [`web@md5:${HEX.slice(32)}`, /no known digest algorithm/, digest],
    [`web@sha256+b64:${HEX}`, /no known digest algorithm/, digest],
    [`web@__proto__:${HEX}`, /no known digest algorithm/, digest],
    [`web@SHA256:${HEX}`, /no known digest algorithm/, new RegExp(`: web@${SHA256}$`)],
    ['web@sha256:', /sha256 digest has 64 hex digits, this one has 0$/, digest],
    [`web@${SHA256.slice(0, -1)}`, /64 hex digits, this one has 63$/, digest],
    [`web@${SHA256}0`, /64 hex digits, this one has 65$/, digest],
    [`web@sha512:${HEX}`, /sha512 digest has 128 hex digits, this one has 64$/, digest],
    [`web@sha384:${HEX}`, /sha384 digest has 96 hex digits, this one has 64$/, digest],
    [
      `web@${SHA256.slice(0, -1)}F`,
      /"F" at character 75 may not stand in a digest/,
      new RegExp(`: web@${SHA256}$`),
    ],
    [`web@${SHA256.slice(0, -1)}g`, /"g" at character 75 may not stand in a digest/, digest],
    [`web@${SHA256}@${SHA256}`, /"@" at character 76 may not stand in a digest/, digest],
    [`web@${SHA256}:v1`, /":" at character 76 may not stand in a digest/, digest],
    // hosts
    ['fc00::1:5000/web', /fc00::1:5000 is not the host of a registry/, host],
    ['host:/web', /host: is not the host/, host],
    ['host:http/web', /host:http is not the host/, host],
    [':5000/web', /:5000 is not the host/, host],
    ['-host.io/web', /-host.io is not the host/, host],
    ['host-.io/web', /host-.io is not the host/, host],
    ['host..io/web', /host..io is not the host/, host],
    ['host.io./web', /host.io. is not the host/, host],
    ['[::1/web', /\[::1 is not the host/, host],
    ['[::ffff:1.2.3.4]/web', /is not the host/, host],
    ['a_b.io:5000/web', /a_b.io:5000 is not the host/, host],
    ['Foo_Bar/web', /Foo_Bar is not the host/, /in lower case: foo_bar\/web$/],
    // tags
    ['web:', /no tag follows ":" at character 4/, /or leave ":" out/],
    ['ghcr.io/web:v1:v2', /":" at character 15 may not stand in a tag/, tag],
    ['web:-v1', /"-" at character 5 may not stand in a tag/, tag],
    ['web:.v1', /"." at character 5 may not stand in a tag/, tag],
    ['web:v1+build', /"\+" at character 7 may not stand in a tag/, tag],
    ['ghcr.io/b:[x]', /"\[" at character 11 may not stand in a tag/, tag],
    [`web:${'t'.repeat(129)}`, /the tag has 129 characters, more than 128/, tag],
    [`web:${'t'.repeat(300)}`, /the tag has 300 characters/, tag],
    // repositories
    ['Web', /"W" at character 1 may not stand in a repository/, /in lower case: web$/],
    ['ghcr.io/acme/Web:V1', /"W" at character 14 /, /in lower case: ghcr.io\/acme\/web:V1$/],
    ['GHCR.io/Acme/web', /"A" at character 9 /, /in lower case: GHCR.io\/acme\/web$/],
    ['acme/Web..x', /"W" at character 6 /, /in lower case$/],
    ['acme//web', /an empty part at character 6/, /: acme\/web$/],
    ['acme/', /an empty part at character 6/, /: acme$/],
    ['/acme', /an empty part at character 1/, /: acme$/],
    ['ghcr.io/', /an empty part at character 9/, /^Remove a "\/"/],
    ['///', /an empty part at character 1/, /or add what is missing$/],
    ['-web', /"-" at character 1 /, path],
    ['acme/web-', /"-" at character 9 /, path],
    ['web..x', /"." at character 4 /, path],
    ['web___x', /"_" at character 4 /, path],
    ['web._x', /"." at character 4 /, path],
    ['acme/web_-x:v1', /"_" at character 9 /, path],
    ['acme/[web]', /"\[" at character 6 /, path],
    ['__proto__', /"_" at character 1 /, path],
    [`x/${'a'.repeat(254)}`, /longer than 255 characters/, /^Shorten it$/],
    ['a'.repeat(248), /longer than 255 characters/, /^Shorten it$/],
    [`a_b.io/${'a'.repeat(249)}`, /longer than 255 characters/, /^Shorten it$/],
  ]
  for (const [value, message, remedy] of rows) {
    const error = failure(value)
    const title = displayImage(value)
    t.equal(error.code, 'ERR_INVALID_REFERENCE', title)
    t.match(error.message, message, title)
    t.match(error.remedy, remedy, title)
  }
  t.end()
})

t.test('a reference cannot be changed', (t) => {
  t.ok(Object.isFrozen(parseReference('web')))
  t.end()
})

t.test('an image keeps the spelling of its name when it gets a tag and a digest', (t) => {
  const rows: [text: string, tag: string | undefined, digest: string | undefined, to: string][] = [
    ['web', 'v1', undefined, 'web:v1'],
    ['web', undefined, undefined, 'web'],
    ['web:v1', undefined, SHA256, `web@${SHA256}`],
    ['web:v1', 'v1', SHA256, `web:v1@${SHA256}`],
    [`web@${SHA256}`, 'v2', undefined, 'web:v2'],
    [`web:v1@${SHA256}`, 'v2', SHA512, `web:v2@${SHA512}`],
    [`web:v1@${SHA256}`, undefined, undefined, 'web'],
    ['docker.io/library/web:v1', 'v2', undefined, 'docker.io/library/web:v2'],
    ['index.docker.io/web', 'v2', undefined, 'index.docker.io/web:v2'],
    ['GHCR.io/acme/web:v1', 'v2', undefined, 'GHCR.io/acme/web:v2'],
    ['localhost:5000/web', 'v2', undefined, 'localhost:5000/web:v2'],
    ['[::1]:5000/web:v1', 'v2', undefined, '[::1]:5000/web:v2'],
    ['localhost:5000', 'v2', undefined, 'localhost:v2'],
  ]
  for (const [text, tag, digest, to] of rows) {
    t.equal(respell(parseReference(text), { tag, digest }), to, to)
  }
  t.equal(respell(parseReference('web:v1'), {}), 'web')
  t.end()
})

t.test('an image never gets a tag or digest that is none', (t) => {
  const web = parseReference('web')
  for (const tag of ['', ' ', '-v', 'v1@x', 'a/b', 'v1\n', 't'.repeat(129), 'v1+2']) {
    t.notOk(isTag(tag), `tag ${JSON.stringify(tag)}`)
    t.throws(() => respell(web, { tag }), { code: 'ERR_INVALID_REFERENCE', message: /not a tag$/ })
  }
  for (const digest of ['', HEX, `sha256:${HEX}0`, `${SHA256}\n`, SHA256.toUpperCase(), 'md5:00']) {
    t.notOk(isDigest(digest), `digest ${JSON.stringify(digest)}`)
    t.throws(() => respell(web, { digest }), { code: 'ERR_INVALID_REFERENCE', message: /digest$/ })
  }
  t.end()
})

const alnum = fc.stringMatching(/^[a-z0-9]{1,8}$/)
const component = fc
  .tuple(alnum, fc.constantFrom('', '.x', '_x', '__x', '-x', '---x'))
  .map(([head, tail]) => head + tail)
const host = fc.constantFrom(
  ...['', 'localhost/', 'ghcr.io/', 'docker.io/', 'index.docker.io/', 'h:1/', '[::1]:5/', 'Up/'],
)
const tags = fc.stringMatching(/^\w[\w.-]{0,127}$/)
const digests = fc.constantFrom(SHA256, SHA384, SHA512)
const parts = fc.record({
  name: fc
    .tuple(host, fc.array(component, { minLength: 1, maxLength: 4 }))
    .map(([registry, path]) => registry + path.join('/')),
  tag: fc.option(tags, { nil: undefined }),
  digest: fc.option(digests, { nil: undefined }),
})
const images = parts.map(({ name, tag, digest }) =>
  [name, tag && `:${tag}`, digest && `@${digest}`].join(''),
)

t.test('laws of references', (t) => {
  fc.assert(
    fc.property(images, (text) => {
      const { original, ...first } = parseReference(text)
      const { original: normalized, ...second } = parseReference(first.normalized)
      assert.equal(normalized, first.normalized)
      assert.deepEqual(second, first)
      assert.equal(respell(parseReference(text), first), original)
    }),
    { numRuns: 300 },
  )
  t.pass('the normalized form is a fixed point, and respelling with its own parts is too')

  fc.assert(
    fc.property(images, parts, (text, { tag, digest }) => {
      const before = parseReference(text)
      const after = parseReference(respell(before, { tag, digest }))
      assert.deepEqual([after.tag, after.digest], [tag, digest])
      assert.equal(after.name, before.name)
    }),
    { numRuns: 300 },
  )
  t.pass('a respelled image has the tag, the digest and the same name')
  t.end()
})

t.test('no text makes the parser fail otherwise, or its message unsafe', (t) => {
  const pieces = fc.constantFrom(
    ...[
      'a',
      'A',
      '/',
      ':',
      '@',
      '.',
      '-',
      '_',
      '[',
      ']',
      '5',
      SHA256,
      '\u001b',
      ' ',
      'é',
      '\ud800',
    ],
  )
  const nearly = fc.array(pieces, { maxLength: 12 }).map((each) => each.join(''))
  const broken = fc
    .tuple(images, fc.nat(40), fc.string({ unit: 'binary', maxLength: 2 }))
    .map(([text, at, piece]) => text.slice(0, at) + piece + text.slice(at + 1))
  let refused = 0
  fc.assert(
    fc.property(fc.oneof(nearly, broken, fc.string({ unit: 'binary' }), fc.anything()), (value) => {
      try {
        const { normalized } = parseReference(value as string)
        assert.equal(parseReference(normalized).normalized, normalized)
      } catch (error) {
        if (!(error instanceof TagwardenError)) throw error
        refused++
        const words = describeError(error)
        if (!/^[\x20-\x7e…]{1,800}$/.test(words) || error.remedy === '') throw new Error(words)
      }
    }),
    { numRuns: 3000 },
  )
  t.ok(refused > 1000, 'most of them are refused')
  t.end()
})

t.test('texts built to make a pattern backtrack are answered like any other', (t) => {
  const hostile = [
    `${'a-'.repeat(500)}!`,
    `a${'-'.repeat(1000)}!`,
    `${'a.'.repeat(500)}!/x`,
    `${'A-'.repeat(500)}_/x`,
    `${'a__'.repeat(300)}_`,
    `${'a/'.repeat(500)}!`,
    `[${':'.repeat(1000)}/x`,
    `x@sha256:${'a'.repeat(900)}`,
    `${'@'.repeat(1000)}`,
    `${':'.repeat(1000)}`,
  ]
  // 20,000 runs take a second if each is linear, and never end if one is exponential
  for (let run = 0; run < 1000; run++) for (const text of hostile) failure(text)
  t.pass('10,000 hostile texts were refused')
  t.end()
})
