import t from 'tap'
import { isFault, readManifest } from '../../src/review/manifest.ts'

t.test('YAML and JSON are read as Kubernetes reads them', (t) => {
  const rows: [text: string, value: unknown][] = [
    ['', null],
    ['# nothing\n', null],
    ['---\n', null],
    ['a: 1\n', { a: 1 }],
    ['\ufeffa: 1\r\nb: x\r\n', { a: 1, b: 'x' }],
    ['%YAML 1.2\n---\na: 1\n...\n', { a: 1 }],
    ['{"a": [1, {"b": null}]}', { a: [1, { b: null }] }],
    ['\ufeff {"a": 1}\n', { a: 1 }],
    ['{a: 1, b: [x]}', { a: 1, b: ['x'] }],
    ['{"a": "x\\/y"}', { a: 'x/y' }],
    ['a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n', { a: { b: 1 }, c: { b: 1 }, d: { b: 1, e: 2 } }],
    ['a: {<<: [{b: 1}, {b: 2, c: 3}]}\n', { a: { b: 1, c: 3 } }],
    ['a: !!str 12\nb: !!binary aGk=\n!!binary Yw==: 1\n', { a: '12', b: 'hi', c: 1 }],
  ]
  for (const [text, value] of rows) {
    const read = readManifest(text)
    t.notOk(isFault(read), text)
    if (!isFault(read)) t.strictSame(read.value, value, text)
  }
  const read = readManifest('{"__proto__": {"a": 1}, "constructor": 2}')
  t.strictSame(isFault(read) ? [] : Object.keys(read.value as object), ['__proto__', 'constructor'])
  const yaml = readManifest('__proto__: {a: 1}\nconstructor: 2\n')
  t.strictSame(isFault(yaml) ? [] : Object.keys(yaml.value as object), ['__proto__', 'constructor'])
  t.end()
})

t.test('old line breaks where they make no difference are read', (t) => {
  const rows: [text: string, value: object][] = [
    ['a: 1 # x\u2028\n', { a: 1 }],
    ['a: "x\u2028 y"\n', { a: 'x\u2028 y' }],
    ['# \u0085# y\na: 1\n', { a: 1 }],
    ['{"a": "\u2028b"}', { a: '\u2028b' }],
  ]
  for (const [text, value] of rows) {
    const read = readManifest(text)
    t.strictSame(isFault(read) ? read : read.value, value)
  }
  t.end()
})

t.test('merge keys that all readers agree on are read', (t) => {
  const rows: [text: string, value: object][] = [
    ['x: &c {i: 1}\na: {<<: *c, i: 2}\n', { i: 2 }],
    ['x: &c {i: 1}\na: {n: 2, <<: *c}\n', { i: 1, n: 2 }],
    ['x: &c {i: 1}\ny: &d {i: 2}\na: {<<: [*c, *d]}\n', { i: 1 }],
    ['a: {i: 1, "<<": {i: 2}}\n', { i: 1, '<<': { i: 2 } }],
  ]
  for (const [text, value] of rows) {
    const read = readManifest(text)
    t.match(isFault(read) ? read : (read.value as { a: object }).a, value, text)
  }
  const chain = Array.from(
    { length: 60 },
    (_, at) => `m${at + 1}: &m${at + 1} {<<: [*m${at}, *m${at}]}`,
  )
  const started = performance.now()
  readManifest(`m0: &m0 {i: 1}\n${chain.join('\n')}\n`)
  t.ok(performance.now() - started < 2_000, 'each is looked through once')
  t.end()
})

t.test('what cannot be read is a fault with a place and a remedy', (t) => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x,x]\n${[...'bcdefgh']
    .map((name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefg'[index]}`)}]\n`)
    .join('')}`
  const rows: [text: string, message: RegExp, offset: number | undefined][] = [
    ['a: 1\na: 2\n', /duplicated mapping key/, 5],
    ['a:\n\tb: 1\n', /tab characters/, undefined],
    ['a: b: c\n', /not YAML/, 4],
    ['a: [1\n', /not YAML/, undefined],
    ['{"a": 1,}}', /not YAML/, undefined],
    ['a: *b\n', /unidentified alias/, undefined],
    ['a: {{ .Values.a }}\n', /not YAML/, undefined],
    ['a: !Ref x\n', /unknown scalar tag/, undefined],
    ['a: 1\n--- \nb: 2\n', /more than one document/, 0],
    [bomb, /repeats itself too often/, 0],
    ['a: &a [*a]\n', /repeats itself too often/, 0],
    [`a: ${'['.repeat(50_000)}`, /nesting|nested/, undefined],
    ['a: "\0"\n', /null byte/, 4],
    ['a: 1 # x\u2028b: 2\n', /holds U\+2028, behind which kubectl/, 8],
    ['a: 1 # x\u0085b: 2\n', /holds U\+0085, behind which kubectl/, 8],
    ['a:\n  - b # \u2029  - c\n', /holds U\+2029, behind which kubectl/, 11],
    ['a: |\n  x\u2028y\n', /holds U\+2028/, 8],
    ['x: &c {i: 1}\na: {i: 2, <<: *c}\n', /kubectl takes <</, 23],
    ['x: &c {i: 1}\ny: &d {i: 2}\na:\n  <<: *c\n  <<: *d\n', /kubectl takes <</, 40],
    ['x: &c {i: 1}\ny: &d {<<: [*c]}\na: {i: 1, <<: *d}\n', /kubectl takes <</, 40],
  ]
  for (const [text, message, offset] of rows) {
    const read = readManifest(text)
    const title = JSON.stringify(text.slice(0, 40)).replaceAll(/[^ -~]/g, '?')
    if (!isFault(read)) {
      t.fail(title)
      continue
    }
    t.match(read.message, message, title)
    t.match(read.remedy, /^[A-Z]/)
    if (offset !== undefined) t.equal(read.offset, offset, title)
    t.ok(read.offset <= text.length)
  }
  t.end()
})
