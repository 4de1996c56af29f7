import t from 'tap'
import { environmentProxy } from '../../src/proxies/index.ts'

const PROXY = 'http://proxy.corp:3128'
const through = (env: Record<string, string>, url: string) =>
  environmentProxy(env)(new URL(url))?.href

t.test('the variable of the scheme counts, in either case', (t) => {
  t.equal(through({}, 'https://ghcr.io'), undefined)
  t.equal(through({ HTTPS_PROXY: PROXY }, 'https://ghcr.io'), `${PROXY}/`)
  t.equal(through({ https_proxy: PROXY }, 'https://ghcr.io'), `${PROXY}/`)
  t.equal(through({ HTTPS_PROXY: PROXY }, 'http://ghcr.io'), undefined)
  t.equal(through({ HTTP_PROXY: PROXY }, 'http://ghcr.io'), `${PROXY}/`)
  t.equal(through({ HTTP_PROXY: PROXY }, 'https://ghcr.io'), undefined)
  t.equal(through({ HTTPS_PROXY: '', https_proxy: PROXY }, 'https://ghcr.io'), `${PROXY}/`)
  t.equal(through({ HTTPS_PROXY: 'proxy.corp:3128' }, 'https://ghcr.io'), `${PROXY}/`, 'no scheme')
  const login = 'http://ann:p%40ss@proxy.corp:3128'
  t.equal(through({ HTTPS_PROXY: login }, 'https://ghcr.io'), `${login}/`)
  t.end()
})

t.test('this machine is asked directly', (t) => {
  for (const host of ['localhost', 'localhost:5000', '127.0.0.1', '127.9.9.9:1', '[::1]:5000']) {
    t.equal(through({ HTTPS_PROXY: PROXY }, `https://${host}`), undefined, host)
  }
  t.equal(through({ HTTPS_PROXY: PROXY }, 'https://localhost.corp'), `${PROXY}/`)
  t.end()
})

t.test('NO_PROXY names what is asked directly', (t) => {
  const rows: readonly [noProxy: string, url: string, direct: boolean][] = [
    ['*', 'https://ghcr.io', true],
    ['corp.example', 'https://corp.example', true],
    ['corp.example', 'https://registry.corp.example:5000', true],
    ['corp.example', 'https://notcorp.example', false],
    ['.corp.example', 'https://registry.corp.example', true],
    ['.corp.example', 'https://corp.example', false],
    ['*.corp.example', 'https://registry.corp.example', true],
    ['*.corp.example', 'https://corp.example', false],
    ['CORP.example', 'https://registry.Corp.example.', true],
    ['corp.example:5000', 'https://corp.example:5000', true],
    ['corp.example:5000', 'https://corp.example', false],
    ['corp.example:443', 'https://corp.example', true],
    ['10.1.2.3', 'https://10.1.2.3:6443', true],
    ['10.1.2.3:6443', 'https://10.1.2.3:6443', true],
    ['10.1.2.3:6443', 'https://10.1.2.3', false],
    ['1.2.3', 'https://10.1.2.3', false],
    ['2.3', 'https://10.1.2.3', false],
    ['10.0.0.0/8', 'https://10.1.2.3:6443', true],
    ['10.0.0.0/8', 'https://11.1.2.3', false],
    ['10.0.0.0/8', 'https://ghcr.io', false],
    ['fd00::/8', 'https://[fd12::1]:6443', true],
    ['fd12::1', 'https://[fd12::1]:6443', true],
    ['[fd12::1]:6443', 'https://[fd12::1]:6443', true],
    ['[fd12::1]:6443', 'https://[fd12::1]', false],
    ['10.0.0.0/99,ghcr.io', 'https://ghcr.io', true],
    [' a.example , ghcr.io', 'https://ghcr.io', true],
    ['a.example ghcr.io', 'https://ghcr.io', true],
    ['', 'https://ghcr.io', false],
    [',.,:,[,/8,__proto__', 'https://ghcr.io', false],
  ]
  for (const [NO_PROXY, url, direct] of rows) {
    const given = through({ HTTPS_PROXY: PROXY, NO_PROXY }, url)
    t.equal(given, direct ? undefined : `${PROXY}/`, `${NO_PROXY} ${url}`)
  }
  t.end()
})

t.test('what names no HTTP proxy is told without its text', (t) => {
  for (const text of [
    'socks5://ann:secret@proxy:1080',
    'http://',
    'http://a:secret b',
    '://',
    'http://a:secret%zz@b',
  ]) {
    const ask = () => through({ HTTPS_PROXY: text }, 'https://ghcr.io')
    t.throws(ask, { code: 'ERR_INVALID_CONFIG', message: /^HTTPS_PROXY names no HTTP proxy$/ })
    t.equal(through({ HTTPS_PROXY: text, NO_PROXY: 'ghcr.io' }, 'https://ghcr.io'), undefined)
  }
  t.end()
})
