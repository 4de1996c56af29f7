import t from 'tap'
import { parsePlatform, platformOf } from '../../src/images/index.ts'

t.test('a platform is spelled in one way, whoever built the image', (t) => {
  const rows: [
    os: unknown,
    architecture: unknown,
    variant: unknown,
    platform: string | undefined,
  ][] = [
    ['linux', 'amd64', undefined, 'linux/amd64'],
    ['linux', 'amd64', 'v1', 'linux/amd64'],
    ['linux', 'amd64', 'v3', 'linux/amd64/v3'],
    ['linux', 'x86_64', '', 'linux/amd64'],
    ['linux', 'arm64', undefined, 'linux/arm64'],
    ['linux', 'arm64', 'v8', 'linux/arm64'],
    ['linux', 'arm64', '8', 'linux/arm64'],
    ['linux', 'arm64', 'v9', 'linux/arm64/v9'],
    ['linux', 'aarch64', 'v8', 'linux/arm64'],
    ['linux', 'arm', undefined, 'linux/arm/v7'],
    ['linux', 'arm', '6', 'linux/arm/v6'],
    ['linux', 'arm', 'v5', 'linux/arm/v5'],
    ['Linux', 'AMD64', undefined, 'linux/amd64'],
    ['linux', 'i386', undefined, 'linux/386'],
    ['windows', 'amd64', undefined, 'windows/amd64'],
    ['linux', 's390x', null, 'linux/s390x'],
    ['linux', 'riscv64', 7, 'linux/riscv64'],
    ['linux', '__proto__', undefined, 'linux/__proto__'],
    ['linux', 'constructor', undefined, 'linux/constructor'],
    ['unknown', 'unknown', undefined, undefined],
    ['linux', '', undefined, undefined],
    ['linux', undefined, undefined, undefined],
    [undefined, 'amd64', undefined, undefined],
    [1, 2, 3, undefined],
    ['a/b', 'amd64', undefined, undefined],
    ['linux', 'amd64\n', undefined, undefined],
    ['linux', '🦊', undefined, undefined],
    ['linux', 'x'.repeat(300), undefined, undefined],
  ]
  for (const [os, architecture, variant, platform] of rows) {
    t.equal(platformOf({ os, architecture, variant }), platform, `${platform} ${variant}`)
  }
  t.equal(platformOf({}), undefined)
  t.end()
})

t.test('a platform as people write it', async (t) => {
  const rows: [string, string | undefined][] = [
    ['linux/amd64', 'linux/amd64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/x86_64', 'linux/amd64'],
    ['linux', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of rows) t.equal(parsePlatform(text), expected, text)
})
