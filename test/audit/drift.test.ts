import t from 'tap'
import { driftOf } from '../../src/audit/drift.ts'
import { parseImageId } from '../../src/audit/image_id.ts'
import { parseReference } from '../../src/images/index.ts'
import { digest, NOW, snapshot } from '../fakes/facts.ts'

const WEB = 'ghcr.io/acme/web'
const A = digest('a')
const B = digest('b')

t.test('what a container runs is read from whatever a node says', (t) => {
  const rows: [text: unknown, expected: unknown][] = [
    [`${WEB}@${A}`, { digest: A, isManifest: true }],
    [`docker-pullable://${WEB}@${A}`, { digest: A, isManifest: true }],
    [`docker://${A}`, { digest: A, isManifest: false }],
    [A, { digest: A, isManifest: false }],
    [`localhost:5000/web@${A}`, { digest: A, isManifest: true }],
    [`${WEB}:v1.4.2@${A}`, { digest: A, isManifest: true }],
    [`@${A}`, { digest: A, isManifest: false }],
    ['', undefined],
    [WEB, undefined],
    [`${WEB}:v1.4.2`, undefined],
    [`${WEB}@sha256:short`, undefined],
    [`${WEB}@${A}x`, undefined],
    [`${WEB}@${A}@`, undefined],
    [`${WEB}@SHA256:${'A'.repeat(64)}`, undefined],
    [`\u001b[2J@${A}\n`, undefined],
    ['__proto__', undefined],
    [`${'a'.repeat(5000)}@${A}`, undefined],
    [`${WEB}@${A}\0`, undefined],
    [undefined, undefined],
    [null, undefined],
    [42, undefined],
    [{ digest: A }, undefined],
    [[A], undefined],
  ]
  for (const [text, expected] of rows) {
    t.strictSame(parseImageId(text), expected, JSON.stringify(text)?.slice(0, 100))
  }
  t.end()
})

t.test('drift between what is written, what runs, and what the registry has', (t) => {
  const facts = snapshot(WEB, {
    'v1.4.2': { digest: B, before: [A] },
    'v1.4.1': { digest: digest('c') },
  })
  const at = (tag: string, ...ids: (string | undefined)[]) => ({
    container: 'app',
    list: 'containers' as const,
    image: `${WEB}${tag}`,
    running: ids.map((id) => parseImageId(id)).filter((each) => each !== undefined),
  })
  const rows: [what: string, tag: string, running: ReturnType<typeof at>[], expected: string[]][] =
    [
      ['as the registry has it', ':v1.4.2', [at(':v1.4.2', `${WEB}@${B}`)], []],
      ['the tag has moved', ':v1.4.2', [at(':v1.4.2', `${WEB}@${A}`)], ['warn TagElsewhere']],
      [
        'a digest that nobody has seen',
        ':v1.4.2',
        [at(':v1.4.2', `${WEB}@${digest('f')}`)],
        ['audit TagElsewhere'],
      ],
      ['an id that only its node knows', ':v1.4.2', [at(':v1.4.2', A)], []],
      ['nothing is known of the tag', ':v9.9.9', [at(':v9.9.9', `${WEB}@${A}`)], []],
      [
        'two digests under one tag',
        ':v1.4.2',
        [at(':v1.4.2', `${WEB}@${A}`, `${WEB}@${B}`)],
        ['warn MixedDigests'],
      ],
      ['two ids of nodes', ':v1.4.2', [at(':v1.4.2', A, B)], []],
      ['the digest that is written', `:v1.4.2@${A}`, [at(`:v1.4.2@${A}`, `${WEB}@${A}`)], []],
      [
        'another than the one that is written',
        `:v1.4.2@${A}`,
        [at(`:v1.4.2@${A}`, `${WEB}@${B}`)],
        ['warn NotAsWritten'],
      ],
      [
        'one that nobody has seen, as of one platform',
        `@${A}`,
        [at(`@${A}`, `${WEB}@${digest('f')}`)],
        ['audit NotAsWritten'],
      ],
      [
        'a pod whose image somebody has changed',
        ':v1.4.2',
        [at(':v1.4.2', `${WEB}@${B}`), at(':v1.4.1', `${WEB}@${digest('c')}`)],
        ['warn NotAsWritten'],
      ],
      [
        'all pods are written otherwise, as by another webhook',
        ':v1.4.2',
        [at(':v1.4.1', `${WEB}@${digest('c')}`)],
        ['audit NotAsWritten'],
      ],
      ['nothing runs', ':v1.4.2', [], []],
      ['nothing is said of what runs', ':v1.4.2', [at(':v1.4.2', undefined)], []],
      [
        'another container',
        ':v1.4.2',
        [{ ...at(':v1.4.1', `${WEB}@${A}`), container: 'proxy' }],
        [],
      ],
    ]
  for (const [what, tag, running, expected] of rows) {
    const written = `${WEB}${tag}`
    const drift = driftOf({
      ...{ container: 'app', written, image: parseReference(written), running },
      ...{ isSettled: true, snapshot: facts, now: NOW },
    })
    t.strictSame(
      drift.map(({ level, reason }) => `${level} ${reason}`),
      expected,
      what,
    )
    for (const { message } of drift) t.match(message, /^[\x20-\x7e…]+\.$/, what)
  }
  t.end()
})

t.test('while a rollout is under way, pods may be of either version', (t) => {
  const written = `${WEB}:v1.4.2`
  const running = [
    {
      ...{ container: 'app', list: 'containers' as const, image: `${WEB}:v1.4.1` },
      running: [{ digest: A, isManifest: true }],
    },
  ]
  const question = {
    ...{ container: 'app', written, image: parseReference(written), running },
    ...{ isSettled: false, snapshot: undefined, now: NOW },
  }
  t.strictSame(driftOf(question), [])
  const shown = driftOf({
    ...question,
    isSettled: true,
    running: [{ ...running[0]!, image: '\u001b[2J<b>' }],
  })
  t.strictSame(
    shown.map(({ message }) => message),
    ['The rollout is over, and its pods ask for "\\u001b[2J<b>".'],
  )
  t.end()
})
