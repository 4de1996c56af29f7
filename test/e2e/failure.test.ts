import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { waitFor } from '../cluster/control-plane.ts'
import { deployment, IMAGE, startDev, startWorld, webPolicy } from './world.ts'

const skip = skipWithoutControlPlane()

t.test('when things fail', { skip }, async (t) => {
  const world = await startWorld(t, { nodes: false, interval: '1s' })
  const { kubectl, get, registry, image, policy } = world
  const web = image('acme/web')
  const tools = image('acme/tools')
  const pinned = (tag: string) => `${web}:${tag}@${registry.digest('acme/web', tag)}`
  await kubectl('create -f -', deployment('web', `${web}:v1.3.0`))

  await t.test(
    'a new tag is found on the interval, and Track moves on at the next apply',
    async (t) => {
      registry.push('acme/web', 'v1.4.3')
      const manifest = deployment('web', `${web}:v1.3.0`)
      await waitFor(
        async () => {
          await kubectl('apply -f -', manifest)
          return (await get('deployment/web', IMAGE)).includes('v1.4.3')
        },
        { what: 'the new tag is found' },
      )
      t.equal(await get('deployment/web', IMAGE), pinned('v1.4.3'))
      t.equal(
        await get('deployment/web', '{.metadata.annotations.fluxcd\\.io/build\\.number}'),
        '2',
      )
    },
  )

  await t.test('a tag that is deleted moves nothing backwards', async (t) => {
    const digest = pinned('v1.4.3')
    registry.repositories.get('acme/web')?.tags.delete('v1.4.3')
    await waitFor(
      async () => {
        const args = `create --dry-run=server -o jsonpath=${IMAGE} -f -`
        return (await kubectl(args, deployment('new', `${web}:v1.3.0`))) === pinned('v1.4.2')
      },
      { what: 'nothing new gets it' },
    )
    await kubectl('apply -f -', deployment('web', `${web}:v1.3.0`))
    t.equal(await get('deployment/web', IMAGE), digest)
  })

  await t.test(
    'a registry that is stopped: what is known still works, and says how old it is',
    async (t) => {
      registry.faults = { statuses: Array(10_000).fill(503) }
      const old = /Warning: .*decided by an index that is \d+s old, since the registry fails/
      const manifest = deployment('cached', `${web}:v1.3.0`)
      await waitFor(async () => old.test(await kubectl('create --dry-run=server -f -', manifest)), {
        what: 'the scanner has met the failure',
      })
      t.match(await kubectl('create -f -', manifest), old)
      t.equal(await get('deployment/cached', IMAGE), pinned('v1.4.2'))
      await policy(
        'tools',
        webPolicy(tools).replace('name: web', 'name: tools').replace('>=1.2.3', '>=1.0.0'),
      )
      const denied = await kubectl('create -f -', deployment('cold', `${tools}:v1.0.0`), 1)
      t.match(denied, /\[RegistryUnavailable\].*503/)
      await policy(
        'tools',
        webPolicy(tools, 'whenRegistryFails: Allow')
          .replace('name: web', 'name: tools')
          .replace('>=1.2.3', '>=1.0.0'),
      )
      const allowed = await kubectl('create -f -', deployment('cold', `${tools}:v1.0.0`))
      t.match(allowed, /Warning: .*\[RegistryUnavailable\]/)
    },
  )

  await t.test(
    'a registry that hangs: an answer within the time that the API server gives',
    async (t) => {
      registry.faults = { hang: true }
      const other = image('acme/never')
      await policy('never', webPolicy(other).replace('name: web', 'name: never'))
      const shown = await kubectl('create -f -', deployment('hang', `${other}:v1.3.0`), 1)
      t.match(shown, /\[Timeout\].*did not answer (in time|within)/)
      t.notMatch(shown, /context deadline exceeded/)
      registry.faults = {}
    },
  )

  await t.test('a wrong policy is named, and the last good set stays in force', async (t) => {
    const before = world.dev.output().length
    await writeFile(
      join(world.folder, 'policies/web.yaml'),
      webPolicy(web).replace('>=1.2.3', '>=banana'),
    )
    await world.dev.waitFor(/ERR_INVALID_POLICY/)
    t.match(world.dev.output().slice(before), /web\.yaml:6.*spec\.order\.semver\.range/)
    await kubectl('create -f -', deployment('bad', `${web}:latest`), 1)
    await writeFile(join(world.folder, 'policies/web.yaml'), webPolicy(web))
    await world.dev.waitFor(/right again/)
  })

  await t.test('the certificate is renewed under load, and nothing is refused', async (t) => {
    let failed = 0
    let done = 0
    let stop = false
    const load = Promise.all(
      Array.from({ length: 4 }, async (_, worker) => {
        while (!stop) {
          const { code } = await world.cluster.kubectl(['create', '--dry-run=server', '-f', '-'], {
            input: deployment(`load-${worker}`, `${web}:v1.3.0`),
          })
          done += 1
          if (code !== 0) failed += 1
        }
      }),
    )
    const certs = join(world.folder, 'certs')
    const before = await readFile(join(certs, 'tls.crt'), 'utf8')
    for (const file of ['tls.crt', 'tls.key']) await rm(join(certs, file))
    const renewed = () =>
      readFile(join(certs, 'tls.crt'), 'utf8').then(
        (text) => text !== before,
        () => false,
      )
    await waitFor(renewed, { what: 'there is another certificate' })
    await world.dev.waitFor(/another serving certificate is in use/)
    const then = done
    await waitFor(() => done > then + 12, { what: 'each worker is answered by the new one' })
    stop = true
    await load
    t.equal(failed, 0)
  })

  await t.test('a second dev beside it is refused, and takes nothing away', async (t) => {
    await t.rejects(
      startDev(t, world.cluster, world.folder),
      /another tagwarden dev runs for .*, and answers at https:.*\. End it first/,
    )
    await kubectl('create -f -', deployment('beside', `${web}:latest`), 1)
  })

  await t.test('what an earlier run left is said, and taken over', async (t) => {
    await world.dev.kill()
    await kubectl('create -f -', deployment('nobody', `${web}:v1.3.0`), 1)
    const again = await startDev(t, world.cluster, world.folder)
    t.match(again.output(), /earlier run left .*tagwarden-dev/)
    await kubectl('create -f -', deployment('somebody', `${web}:v1.3.0`))
    t.equal(await again.stop(), 0)
    t.notMatch(await kubectl('get validatingwebhookconfigurations -o name'), /tagwarden/)
  })
})
