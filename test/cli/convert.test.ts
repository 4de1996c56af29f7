import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { keel } from '../convert/conversions.ts'
import { tagwarden } from './run.ts'

const MINOR = stringify(keel('acme/web:1.2.3', 'minor'))
const OTHER = stringify(keel('acme/api:1.2.3', 'never'))

t.test('convert reads standard input, and writes policies with comments', async (t) => {
  for (const args of [['convert'], ['convert', '-']]) {
    const { code, out, err } = await tagwarden(args, { input: MINOR })
    t.equal(code, 0, err)
    t.match(out, /^# Converted by tagwarden convert/)
    t.match(out, /# - Keel counts minor/)
    t.match(out, /kind: ImagePolicy\n[\s\S]*range: 1\.x\n/)
    t.match(err, /^tagwarden: converted 1 policy, 0 repositories, 3 comments .*, 0 left out\n$/)
  }
})

t.test('convert reads files and folders, and what is left out gives exit code 1', async (t) => {
  const cwd = t.testdir({ deploy: { 'a.yaml': MINOR, below: { 'b.yml': OTHER } }, 'x.txt': 'no' })
  const both = await tagwarden(['convert', 'deploy'], { cwd })
  t.match(both, { code: 1, err: /left out: Deployment shop\/web \(deploy\/below\/b\.yml:1\), doc/ })
  t.match(both.out, /# Left out: Deployment shop\/web/)
  t.match(await tagwarden(['convert'], { input: 'kind: Pod\napiVersion: v1\n' }), {
    code: 1,
    out: '',
    err: 'tagwarden: found nothing to convert\n',
  })
})

t.test('what kubectl gives of a large cluster is converted', async (t) => {
  const { metadata, ...rest } = keel('acme/web:1.2.3', 'minor') as { metadata: object }
  const items = Array.from({ length: 900 }, (_, index) => ({
    ...rest,
    metadata: { ...metadata, name: `web-${index}`, labels: { x: 'y'.repeat(6_000) } },
  }))
  for (const text of [
    JSON.stringify({ apiVersion: 'v1', items, kind: 'List' }, null, 4),
    stringify({ apiVersion: 'v1', items, kind: 'List' }, { aliasDuplicateObjects: false }),
  ]) {
    t.ok(text.length > 5 * 1024 * 1024)
    const { code, out, err } = await tagwarden(['convert'], { input: text })
    t.equal(code, 0, err)
    t.match(out, /^# From Deployment shop\/web-0 \(stdin:\d+\)/m)
    t.match(out, /web-899\s+(?:# )?\(stdin:\d{4,}\)/)
  }
})

t.test('templates are left out, and what stands beside them is converted', async (t) => {
  const cwd = t.testdir({
    'a.yaml': MINOR,
    'chart.yaml': `{{- if .Values.on }}\n${MINOR}{{- end }}\n---\n${MINOR.replaceAll('acme/web', 'acme/two')}---\na: [\n`,
    'old.yaml': Buffer.from('\xff\xfe', 'latin1'),
  })
  const { code, out, err } = await tagwarden(['convert', '.'], { cwd })
  t.equal(code, 2)
  t.match(out, /# Left out: (?:\.\/)?chart\.yaml: is a template: pipe the\n?.*output/s)
  t.match(out, /acme\/two/)
  t.match(err, /chart\.yaml:3\d:1: is not YAML/, 'the line is that of the file')
  t.match(err, /old\.yaml: is not UTF-8 text/)
})

t.test('one bad file does not stop the others', async (t) => {
  const cwd = t.testdir({
    'a.yaml': MINOR,
    'b.yaml': 'a: [\n',
    'c.yaml': 'x'.repeat(5 * 1024 * 1024),
    'd.yaml': 'a: *a\n',
  })
  const { code, out, err } = await tagwarden(['convert', '.', 'nowhere'], { cwd })
  t.equal(code, 2)
  t.match(out, /range: 1\.x/)
  t.match(err, /ERR_USAGE nowhere: there is no such file or folder\. Check the path\n/)
  t.match(err, /b\.yaml:\d+:\d+: is not YAML/)
  t.match(err, /c\.yaml: is larger than 4 MiB/)
  t.match(err, /d\.yaml:\d+:\d+: names \*a/)
})

t.test('with --output-dir each object has a file, and none is written over', async (t) => {
  const cwd = t.testdir({})
  const first = await tagwarden(['convert', '--output-dir', 'new/policies'], { cwd, input: MINOR })
  t.match(first, { code: 0, out: '' })
  const folder = join(cwd, 'new/policies')
  t.strictSame(readdirSync(folder), ['shop-web.imagepolicy.yaml'])
  t.match(readFileSync(join(folder, 'shop-web.imagepolicy.yaml'), 'utf8'), /^# From Deployment/)
  const again = await tagwarden(['convert', '--output-dir', 'new/policies'], { cwd, input: MINOR })
  t.match(again, { code: 2, err: /shop-web\.imagepolicy\.yaml: is there already/ })
  t.match(
    await tagwarden(['select', '--policy', join(folder, 'shop-web.imagepolicy.yaml')], {
      input: '1.2.9\n2.0.0\n',
    }),
    { code: 0, out: /-> 1\.2\.9/ },
  )
})
