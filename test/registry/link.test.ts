import t from 'tap'
import { nextLink } from '../../src/registry/link.ts'

t.test('the next page is found however RFC 8288 lets it be written', (t) => {
  const rows: [header: string | string[] | undefined, next: string | undefined][] = [
    ['</v2/a/tags/list?n=2&last=b>; rel="next"', '/v2/a/tags/list?n=2&last=b'],
    ['</p>;rel=next', '/p'],
    ['</p>; REL=NEXT', '/p'],
    ['</p> ; rel = "next"', '/p'],
    ['</p>; title="a, <b>; rel=prev"; rel="next"', '/p'],
    ['</p>; title="say \\"x\\""; rel="next"', '/p'],
    ['</first>; rel="first", </p>; rel="next"', '/p'],
    [', ,</first>; rel="first",,</p>; rel="next"', '/p'],
    ['</p>; rel="last next"', '/p'],
    ['</p>; rel="next"; rel="prev"', '/p'],
    ['</p>; crossorigin; rel="next"', '/p'],
    [['</a>; rel="prev"', '</p>; rel="next"'], '/p'],
    ['</a>; rel="next", </b>; rel="next"', '/a'],
    ['<>; rel="next"', ''],
    ['<https://other.example/p>; rel="next"', 'https://other.example/p'],
    ['</p>; rel="prev"; rel="next"', undefined],
    ['</p>; rel="nextish"', undefined],
    ['</p>', undefined],
    ['/p; rel="next"', undefined],
    ['</p; rel="next"', undefined],
    ['</p>; title="open; rel="next', undefined],
    ['', undefined],
    ['__proto__', undefined],
    ['\0', undefined],
    ['🦊', undefined],
    [[], undefined],
    [undefined, undefined],
  ]
  for (const [header, next] of rows) t.equal(nextLink(header), next, JSON.stringify(header))
  t.end()
})

t.test('a header built to be slow is read in no time', (t) => {
  const hostile = [
    '<'.repeat(16_000),
    `</p>${'; rel'.repeat(4_000)}`,
    `</p>; title="${'\\'.repeat(16_000)}`,
    `</p>${' '.repeat(16_000)}x`,
    ', '.repeat(8_000),
  ]
  for (const header of hostile) {
    t.equal(nextLink(header), undefined)
  }
  t.end()
})
