import { EventEmitter } from 'node:events'
import t from 'tap'
import { TagwardenError } from '../../src/errors.ts'
import { digest, listWeb, manifestOf, PATIENT, setStage, unreachable, WEB } from './stage.ts'

t.test('the list of tags is read at first use', async (t) => {
  const { scanner, client } = setStage()
  t.equal(scanner.snapshot(WEB), undefined)
  t.equal(await scanner.gather(listWeb, PATIENT), undefined)
  t.strictSame(scanner.snapshot(WEB)?.tags, ['v1', 'v2'])
  t.strictSame(client.taken(), ['list web'])
})

t.test('a manifest is read with platforms only where they are asked for', async (t) => {
  const { scanner, client } = setStage()
  t.equal(await scanner.gather(manifestOf('v1'), PATIENT), undefined)
  t.equal(await scanner.gather(manifestOf('v2', true), PATIENT), undefined)
  t.strictSame(client.taken(), ['head web:v1', 'platforms web:v2'])
  t.match(scanner.snapshot(WEB)?.manifest('v1'), { digest: digest('1'), platforms: undefined })
  t.match(scanner.snapshot(WEB)?.manifest('v2'), {
    digest: digest('2'),
    platforms: ['linux/amd64'],
  })
})

t.test('the time of a list is when it was asked for, of a manifest when it came', async (t) => {
  const { scanner, client, time } = setStage()
  const asked = time.now
  client.listTags = async () => {
    time.now += 300
    return ['v1']
  }
  await scanner.gather(listWeb, PATIENT)
  t.equal(scanner.snapshot(WEB)?.scannedAt, asked)
  client.resolve = async () => {
    time.now += 300
    return { digest: digest('1'), mediaType: 'm', platforms: undefined }
  }
  await scanner.gather(manifestOf('v1'), PATIENT)
  t.equal(scanner.snapshot(WEB)?.manifest('v1')?.checkedAt, asked + 600)
})

t.test('a thousand who ask for the same make one request', async (t) => {
  const { scanner, client } = setStage()
  const needs = Array.from({ length: 1000 }, () => listWeb)
  const answers = await Promise.all(needs.map((need) => scanner.gather(need, PATIENT)))
  t.ok(answers.every((answer) => answer === undefined))
  t.strictSame(client.taken(), ['list web'])
})

t.test('who can not wait any longer leaves; the request goes on for the others', async (t) => {
  const { scanner, client, time } = setStage()
  let answer = (_: string[]) => {}
  client.listTags = () => {
    client.calls.push('list')
    return new Promise((resolve) => {
      answer = resolve
    })
  }
  const hurried = new AbortController()
  const early = scanner.gather(listWeb, hurried.signal)
  const late = scanner.gather(listWeb, PATIENT)
  await time.pass(1_000)
  hurried.abort()
  t.strictSame(await early, {
    code: 'ERR_REGISTRY_TIMEOUT',
    message: 'registry.test has not answered yet',
    at: time.now,
  })
  answer(['v1'])
  t.equal(await late, undefined)
  t.strictSame(scanner.snapshot(WEB)?.tags, ['v1'])
  t.equal(client.calls.length, 1)
})

t.test('who has no time at all causes no request', async (t) => {
  const { scanner, client } = setStage()
  t.match(await scanner.gather(listWeb, AbortSignal.abort()), { code: 'ERR_REGISTRY_TIMEOUT' })
  t.strictSame(client.taken(), [])
})

t.test('one signal for many needs causes no warning and keeps no listeners', async (t) => {
  const { scanner } = setStage()
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  const { signal } = new AbortController()
  const tags = Array.from({ length: 100 }, (_, n) => `v${n}`)
  await Promise.all(tags.map((tag) => scanner.gather(manifestOf(tag), signal)))
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', onWarning)
  t.equal(EventEmitter.getEventListeners(signal, 'abort').length, 0)
  t.strictSame(warnings, [])
})

for (const hanging of [true, 'deaf'] as const) {
  t.test(`a registry that hangs (${hanging}) ends in a failure, once for all`, async (t) => {
    const { scanner, client, time, catalog } = setStage({ timeLimit: 15_000 })
    client.hanging = hanging
    const answers = [1, 2, 3].map(() => scanner.gather(listWeb, PATIENT))
    await time.pass(14_999)
    t.equal(client.active, 1)
    await time.pass(1)
    for (const answer of answers) {
      t.match(await answer, {
        code: 'ERR_REGISTRY_TIMEOUT',
        message: 'registry.test did not answer within 15 s',
      })
    }
    t.equal(catalog.get(WEB), undefined, 'what was never read is not there')
    client.taken()
    await scanner.gather(listWeb, PATIENT)
    await scanner.gather(manifestOf('v1'), PATIENT)
    t.strictSame(client.taken(), [], 'it is not asked again at once, for nothing of it')
  })
}

t.test('a failure is remembered for longer each time, up to a minute', async (t) => {
  const { scanner, client, time } = setStage()
  client.failure = unreachable()
  for (const seconds of [5, 10, 20, 40, 60, 60]) {
    t.match(await scanner.gather(listWeb, PATIENT), { code: 'ERR_REGISTRY_UNREACHABLE' })
    t.strictSame(client.taken(), ['list web'])
    await time.pass(seconds * 1000 - 1)
    t.match(await scanner.gather(listWeb, PATIENT), { code: 'ERR_REGISTRY_UNREACHABLE' })
    t.strictSame(client.taken(), [], `not asked within ${seconds} s`)
    await time.pass(1)
  }
  client.failure = undefined
  t.equal(await scanner.gather(listWeb, PATIENT), undefined)
  client.failure = unreachable()
  await scanner.gather(manifestOf('v1'), PATIENT)
  await time.pass(5_000)
  client.taken()
  await scanner.gather(manifestOf('v1'), PATIENT)
  t.strictSame(client.taken(), ['head web:v1'], 'after a success it begins anew')
})

t.test('a tag that is not there is asked for again after ten seconds', async (t) => {
  const { scanner, client, time } = setStage()
  for (let round = 0; round < 4; round += 1) {
    t.strictSame(await scanner.gather(manifestOf('v9'), PATIENT), {
      code: 'ERR_REGISTRY_NOT_FOUND',
      message: `registry.test has no ${WEB}:v9`,
      at: time.now,
    })
    t.strictSame(client.taken(), ['head web:v9'])
    await time.pass(9_999)
    await scanner.gather(manifestOf('v9'), PATIENT)
    t.strictSame(client.taken(), [])
    t.equal(await scanner.gather(manifestOf('v1'), PATIENT), undefined, 'other tags can be read')
    t.strictSame(client.taken(), ['head web:v1'])
    await time.pass(1)
  }
})

t.test('a registry that forbids to list still tells digests', async (t) => {
  const { scanner, client } = setStage()
  client.listTags = async () => {
    throw new TagwardenError('ERR_REGISTRY_UNAUTHORIZED', 'registry.test answered 403')
  }
  t.match(await scanner.gather(listWeb, PATIENT), { code: 'ERR_REGISTRY_UNAUTHORIZED' })
  t.equal(await scanner.gather(manifestOf('v1'), PATIENT), undefined)
  t.equal(scanner.snapshot(WEB)?.scannedAt, 0)
})

t.test('a failed list is noted in the snapshot and costs no tag', async (t) => {
  const { scanner, client } = setStage()
  await scanner.gather(listWeb, PATIENT)
  client.failure = unreachable()
  const failure = await scanner.gather(listWeb, PATIENT)
  t.strictSame(scanner.snapshot(WEB)?.failure, failure)
  t.strictSame(scanner.snapshot(WEB)?.tags, ['v1', 'v2'])
})

t.test('a listed tag that is gone has no manifest, and an old list is read anew', async (t) => {
  const { scanner, client, time } = setStage()
  await scanner.gather(listWeb, PATIENT)
  await scanner.gather(manifestOf('v1'), PATIENT)
  client.repositories.get(WEB)?.delete('v1')
  client.taken()
  await scanner.gather(manifestOf('v1'), PATIENT)
  t.strictSame(client.taken(), ['head web:v1'], 'the list is young')
  t.equal(scanner.snapshot(WEB)?.manifest('v1'), undefined)
  t.strictSame(scanner.snapshot(WEB)?.tagsOf(digest('1')), ['v1'], 'its history stays')
  await time.pass(60_001)
  await scanner.gather(manifestOf('v1'), PATIENT)
  await time.pass(0)
  t.strictSame(client.taken(), ['head web:v1', 'list web'])
  t.strictSame(scanner.snapshot(WEB)?.tags, ['v2'])
})

t.test('an error that is not ours is told by its kind only: it may quote a secret', async (t) => {
  const rows: [unknown, string][] = [
    [new TypeError('token hunter2'), 'TypeError'],
    ['hunter2', 'string'],
    [undefined, 'undefined'],
  ]
  for (const [error, kind] of rows) {
    const { scanner, client } = setStage()
    client.listTags = () => Promise.reject(error)
    const failure = await scanner.gather(listWeb, PATIENT)
    t.match(failure, {
      code: 'ERR_REGISTRY_RESPONSE',
      message: `registry.test could not be asked (${kind})`,
    })
  }
})

t.test('a client that breaks its contract is a failure, not a crash', async (t) => {
  for (const answer of [null, undefined, 7, {}, 'v1'] as unknown as string[][]) {
    const { scanner, client, catalog } = setStage()
    client.listTags = async () => answer
    t.match(await scanner.gather(listWeb, PATIENT), { code: 'ERR_REGISTRY_RESPONSE' })
    t.equal(catalog.get(WEB), undefined)
  }
})

t.test('a host gets eight requests at once, others wait, too many are turned away', async (t) => {
  const { scanner, client, time } = setStage()
  client.hanging = true
  const tags = Array.from({ length: 400 }, (_, n) => `v${n}`)
  const answers = tags.map((tag) => scanner.gather(manifestOf(tag), PATIENT))
  await time.pass(0)
  t.equal(client.active, 8)
  t.match(await answers.at(-1), {
    code: 'ERR_REGISTRY_TIMEOUT',
    message: 'registry.test answers too slowly: 256 requests wait for it already',
  })
  const other = { fact: 'repository', name: 'other.test/a' } as const
  client.hanging = false
  client.repositories.set('other.test/a', new Map())
  t.equal(await scanner.gather(other, PATIENT), undefined, 'another host is not touched')
  client.hanging = true
  await time.pass(15_000)
  t.ok((await Promise.all(answers)).every((answer) => answer?.code === 'ERR_REGISTRY_TIMEOUT'))
  t.equal(client.active, 0)
  t.equal(time.pending, 0, 'no timer is left')
})

t.test('who was turned away is let in as soon as there is room', async (t) => {
  const { scanner, client, time } = setStage()
  const other = { fact: 'repository', name: 'registry.test/acme/other' } as const
  client.repositories.set(other.name, new Map())
  client.hanging = /:v\d+$/
  for (let n = 0; n < 8 + 256; n += 1) void scanner.gather(manifestOf(`v${n}`), PATIENT)
  await time.pass(14_900)
  t.match(await scanner.gather(other, PATIENT), { code: 'ERR_REGISTRY_TIMEOUT' })
  client.hanging = false
  await time.pass(200)
  t.equal(await scanner.gather(other, PATIENT), undefined)
})

t.test('stopping ends what runs; after that nothing is asked', async (t) => {
  for (const hanging of [true, 'deaf'] as const) {
    const { scanner, client, time, catalog } = setStage()
    await scanner.gather(listWeb, PATIENT)
    client.hanging = hanging
    const answers = ['v1', 'v2'].map((tag) => scanner.gather(manifestOf(tag), PATIENT))
    const scan = scanner.scanNow(WEB)
    await time.pass(0)
    await scanner.stop()
    for (const answer of [...answers, scan]) {
      t.match(await answer, { code: 'ERR_REGISTRY_UNREACHABLE', message: 'Tagwarden is stopping' })
    }
    client.taken()
    t.match(await scanner.gather(manifestOf('v3'), PATIENT), { message: 'Tagwarden is stopping' })
    t.strictSame(client.taken(), [])
    t.equal(catalog.get(WEB)?.failure, undefined, 'stopping is no failure of the registry')
    t.equal(time.pending, 0)
  }
})

t.test('a request that gives up before its turn has waited too', async (t) => {
  const waits: number[] = []
  const measure = { scanned: () => {}, waited: (ms: number) => waits.push(ms) }
  const { scanner, client, time } = setStage({ measure })
  client.hanging = true
  const many = Array.from({ length: 8 }, (_, n) => scanner.gather(manifestOf(`v${n}`), PATIENT))
  const hurried = 'registry.test/acme/hurried'
  scanner.configure(hurried, { timeout: 5_000 })
  const last = scanner.gather({ fact: 'repository', name: hurried }, PATIENT)
  await time.pass(5_000)
  t.match(await last, { code: 'ERR_REGISTRY_TIMEOUT' })
  t.strictSame(waits, [0, 0, 0, 0, 0, 0, 0, 0, 5_000], 'eight run at once')
  await time.pass(60_000)
  await Promise.all(many)
})
