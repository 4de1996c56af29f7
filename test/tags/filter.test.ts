import t from 'tap'
import { compileRule, type TagRule, type TagVerdict } from '../../src/tags/index.ts'
import { ASCENDING, rule } from './arbitraries.ts'

const hex = '0123456789abcdef'.repeat(4)

function judge(parts: Partial<TagRule>, tag: string): TagVerdict {
  return compileRule(rule({ alphabetical: ASCENDING }, parts)).judge(tag)
}

t.test('signatures, attestations, SBOMs and referrers are never candidates', (t) => {
  const rows: [tag: string, artifact: boolean][] = [
    [`sha256-${hex}`, true],
    [`sha256-${hex}.sig`, true],
    [`sha256-${hex}.att`, true],
    [`sha256-${hex}-cosign`, true],
    [`sha512-${hex}`, true],
    ['v1.2.3.sig', true],
    ['v1.2.3.att', true],
    ['v1.2.3.sbom', true],
    [`sha256-${hex}0`, false],
    [`sha256-${hex.slice(1)}`, false],
    [`sha256-${hex.toUpperCase()}`, false],
    [`v-sha256-${hex}`, false],
    [hex, false],
    ['sha256-beef', false],
    ['sig', false],
    ['v1.sigma', false],
    ['.SIG', false],
    ['', false],
  ]
  for (const [tag, artifact] of rows) {
    const expected = artifact ? { permitted: false, tag, reason: 'Artifact' } : { permitted: true }
    t.match(judge({ allow: [''] }, tag), expected, tag)
  }
  t.end()
})

t.test('pattern or allow admits, ignore wins', (t) => {
  const parts = {
    pattern: '^v(?P<version>[0-9.]+)(-build\\.(?P<build>[0-9]*))?$',
    extract: '$version',
    allow: ['^v1\\.2\\.3-rc.*$', '^v2'],
    ignore: ['^v1\\.2\\.3-beta.*$', '^v3'],
  }
  const rows: [tag: string, version: string | undefined, detail: string | undefined][] = [
    ['v1.2.3', '1.2.3', undefined],
    ['v1.2.3-build.7', '1.2.3', '7'],
    ['v1.2.3-build.', '1.2.3', undefined],
    ['v1.2.3-rc.1', 'v1.2.3-rc.1', undefined],
    ['v2.0', '2.0', undefined],
    ['v2.0-x', 'v2.0-x', undefined],
    ['v1.2.3-beta.1', undefined, 'Ignored'],
    ['v3.0', undefined, 'Ignored'],
    ['1.2.3', undefined, 'NotMatched'],
    ['latest', undefined, 'NotMatched'],
    ['', undefined, 'NotMatched'],
    ['__proto__', undefined, 'NotMatched'],
    ['x'.repeat(300), undefined, 'NotMatched'],
  ]
  for (const [tag, version, detail] of rows) {
    const expected =
      version === undefined
        ? { permitted: false, tag, reason: detail }
        : { permitted: true, tag, version, build: detail }
    t.strictSame(judge(parts, tag), expected, tag.slice(0, 40))
  }
  t.end()
})

t.test('groups may share a name: the one that took part counts', (t) => {
  const parts = {
    pattern: '^v(?P<version>[0-9.]+)-b(?P<build>\\d+)$|^(?P<build>\\d+)_(?P<version>[0-9.]+)$',
    extract: '$version',
  }
  for (const tag of ['v1.2.3-b7', '7_1.2.3']) {
    t.strictSame(judge(parts, tag), { permitted: true, tag, version: '1.2.3', build: '7' }, tag)
  }
  t.end()
})

t.test('a pattern is unanchored unless it says so, and none admits everything', (t) => {
  const rows: [parts: Partial<TagRule>, tag: string, permitted: boolean][] = [
    [{}, 'anything', true],
    [{ pattern: '' }, 'anything', true],
    [{ pattern: '', extract: '' }, 'anything', true],
    [{ pattern: '^$' }, 'anything', false],
    [{ pattern: '^$' }, '', true],
    [{ pattern: 'thin' }, 'anything', true],
    [{ pattern: '^thin' }, 'anything', false],
    [{ pattern: 'thin$' }, 'anything', false],
    [{ pattern: '^$', allow: ['any'] }, 'anything', true],
    [{ ignore: [''] }, 'anything', false],
    [{ pattern: 'any', allow: ['any'], ignore: ['any'] }, 'anything', false],
  ]
  for (const [parts, tag, permitted] of rows) {
    t.equal(judge(parts, tag).permitted, permitted, JSON.stringify(parts))
  }
  t.end()
})

t.test('groups are looked up by their own names only', (t) => {
  const pattern = '(?P<constructor>a)?(?P<_x>b)'
  t.match(judge({ pattern, extract: '<$constructor$__proto__$toString$_x>' }, 'b'), {
    version: '<b>',
  })
  t.match(judge({ pattern, extract: '<$constructor$_x>' }, 'ab'), { version: '<ab>' })
  t.end()
})
