import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { skipWithoutControlPlane } from '../cluster/assets.ts'
import { waitFor } from '../cluster/control-plane.ts'
import { deployment, GENERATION, IMAGE, startWorld, webPolicy } from './world.ts'

const skip = skipWithoutControlPlane()

t.test('kubectl against a real API server', { skip }, async (t) => {
  const world = await startWorld(t, { auditLog: true })
  const { kubectl, get, registry, image, policy } = world
  const web = image('acme/web')
  const pinned = (tag: string) => `${web}:${tag}@${registry.digest('acme/web', tag)}`

  await t.test(
    'create: resolved, annotated, and 3 replicas ready behind one ReplicaSet',
    async (t) => {
      await kubectl('create -f -', deployment('web', `${web}:v1.3.0`))
      t.equal(await get('deployment/web', IMAGE), pinned('v1.4.2'))
      const annotations = JSON.parse(await get('deployment/web', '{.metadata.annotations}'))
      t.match(annotations, {
        'fluxcd.io/tag.web': registry.digest('acme/web', 'v1.4.2'),
        'fluxcd.io/build.number': '1',
      })
      t.match(JSON.parse(annotations['tagwarden.io/images']), [
        { container: 'app', requested: `${web}:v1.3.0`, resolved: pinned('v1.4.2') },
      ])
      await kubectl('rollout status deployment/web --timeout=300s')
      t.equal((await kubectl('get replicasets -o name')).trim().split('\n').length, 1)
      t.equal(await get('deployment/web', '{.status.readyReplicas}'), '3')
      t.equal(await get('pods', '{.items[0].spec.containers[0].image}'), pinned('v1.4.2'))
      t.equal(await get('pods', '{.items[0].metadata.annotations}'), '', 'pods are not annotated')
    },
  )

  await t.test('a denial is what kubectl prints', async (t) => {
    const shown = await kubectl('create -f -', deployment('bad', `${web}:latest`), 1)
    t.match(
      shown,
      /admission webhook "validate\.tagwarden\.io" denied the request: Deployment default\/bad has 1 image that is not permitted:/,
    )
    t.match(
      shown,
      /containers\[0\] "app": \S+:latest \[LatestTag\] ImagePolicy default\/web permits semver >=1\.2\.3 <2\.0\.0; newest is v1\.4\.2/,
    )
    t.match(shown, new RegExp(`Use ${web}:v1\\.4\\.2`))
  })

  await t.test('apply, five times: one generation', async (t) => {
    const manifest = deployment('again', `${web}:v1.3.0`)
    await kubectl('apply -f -', manifest)
    const generation = await get('deployment/again', GENERATION)
    for (let round = 0; round < 4; round += 1) {
      await kubectl('apply -f -', manifest)
    }
    t.equal(await get('deployment/again', GENERATION), generation)
    t.equal(await get('deployment/again', IMAGE), pinned('v1.4.2'))
    const { code, stdout } = await world.cluster.kubectl(['diff', '-f', '-'], { input: manifest })
    t.equal(code, 0, `kubectl diff is clean\n${stdout}`)
    const other = deployment('again', `${web}:v1.3.0`, { env: 'b' })
    await kubectl('apply -f -', other)
    t.equal(await get('deployment/again', IMAGE), pinned('v1.4.2'))
    t.equal(Number(await get('deployment/again', GENERATION)), Number(generation) + 1)
  })

  await t.test('server-side apply, five times, and by two managers', async (t) => {
    const manifest = deployment('ssa', `${web}:v1.3.0`)
    for (let round = 0; round < 5; round += 1) {
      await kubectl('apply --server-side -f -', manifest)
    }
    t.equal(await get('deployment/ssa', GENERATION), '1')
    t.equal(await get('deployment/ssa', IMAGE), pinned('v1.4.2'))
    const other = `apiVersion: apps/v1
kind: Deployment
metadata: { name: ssa, labels: { team: shop } }
`
    await kubectl('apply --server-side --field-manager=other -f -', other)
    t.equal(await get('deployment/ssa', GENERATION), '1')
    await kubectl('apply --server-side -f -', manifest)
    t.equal(await get('deployment/ssa', GENERATION), '1')
    const { code, stdout } = await world.cluster.kubectl(['diff', '--server-side', '-f', '-'], {
      input: manifest,
    })
    t.equal(code, 0, `kubectl diff --server-side is clean\n${stdout}`)
  })

  await t.test('dry run shows the same, and leaves nothing', async (t) => {
    const args = 'create --dry-run=server -f - -o jsonpath='
    t.equal(await kubectl(`${args}${IMAGE}`, deployment('dry', `${web}:v1.3.0`)), pinned('v1.4.2'))
    await kubectl('create --dry-run=server -f -', deployment('dry', `${web}:latest`), 1)
    await kubectl('get deployment/dry', undefined, 1)
  })

  await t.test('scale, restart, label, annotate: nothing is resolved again', async (t) => {
    await kubectl('scale deployment/again --replicas=1')
    await kubectl('label deployment/again a=b')
    await kubectl('annotate deployment/again a=b')
    await kubectl('rollout restart deployment/again')
    t.equal(await get('deployment/again', IMAGE), pinned('v1.4.2'))
  })

  await t.test('edit', async (t) => {
    const editor = join(world.folder, 'editor.sh')
    await writeFile(editor, '#!/bin/sh\nsed -i "s/replicas: 1/replicas: 2/" "$1"\n', {
      mode: 0o755,
    })
    const result = await world.cluster.kubectl(['edit', 'deployment/again'], {
      env: { KUBE_EDITOR: editor },
    })
    t.equal(result.code, 0, result.stderr)
    t.equal(await get('deployment/again', '{.spec.replicas}'), '2')
    t.equal(await get('deployment/again', IMAGE), pinned('v1.4.2'))
  })

  await t.test(
    'set image: a tag is tracked, a digest is left alone, a wrong one is denied',
    async (t) => {
      await kubectl(`set image deployment/again app=${web}:v1.2.3`)
      t.equal(await get('deployment/again', IMAGE), pinned('v1.4.2'))
      await kubectl(`set image deployment/again app=${pinned('v1.4.1')}`)
      t.equal(await get('deployment/again', IMAGE), pinned('v1.4.1'))
      const shown = await kubectl(`set image deployment/again app=${web}:v2.0.0`, undefined, 1)
      t.match(shown, /\[OutOfRange\]/)
      const wrong = `${web}:v1.4.1@${registry.digest('acme/web', 'v2.0.0')}`
      t.match(
        await kubectl(`set image deployment/again app=${wrong}`, undefined, 1),
        /\[DigestMismatch\]/,
      )
    },
  )

  await t.test(
    'rollout undo stays where it went, also when the manifest is applied again',
    async (t) => {
      const manifest = deployment('back', `${web}:v1.3.0`)
      await policy('web', webPolicy(web, 'action: Track').replace('<2.0.0', '<1.4.2'))
      await kubectl('apply -f -', manifest)
      t.equal(await get('deployment/back', IMAGE), pinned('v1.4.1'))
      await kubectl('rollout status deployment/back --timeout=300s')
      await policy('web', webPolicy(web))
      await kubectl('apply -f -', manifest)
      t.equal(await get('deployment/back', IMAGE), pinned('v1.4.2'))
      await kubectl('rollout status deployment/back --timeout=300s')
      await kubectl('rollout undo deployment/back')
      t.equal(await get('deployment/back', IMAGE), pinned('v1.4.1'))
      await kubectl('rollout status deployment/back --timeout=300s')
      await kubectl('apply -f -', manifest)
      t.equal(await get('deployment/back', IMAGE), pinned('v1.4.1'), 'the rollback holds')
      t.equal((await kubectl('get replicasets -l app=back -o name')).trim().split('\n').length, 2)
    },
  )

  await t.test('Warn lets it through with a warning', async (t) => {
    await policy('web', webPolicy(web, 'enforcement: Warn'))
    const shown = await kubectl(
      'create -f -',
      deployment('warned', `${web}:v2.0.0`, { replicas: 0 }),
    )
    t.match(shown, /Warning: .*\[OutOfRange\]/)
    await policy('web', webPolicy(web))
    const label = await kubectl('label deployment/warned a=b')
    t.match(label, /Warning: .*\[OutOfRange\]/, 'a violation that was there before only warns')
  })

  await t.test('a bare Pod, kubectl run, and an ephemeral container', async (t) => {
    await kubectl(`run bare --image=${web}:v1.3.0 --restart=Never`)
    t.equal(await get('pod/bare', '{.spec.containers[0].image}'), pinned('v1.4.2'))
    await kubectl(`run worse --image=${web}`, undefined, 1)
    await waitFor(async () => (await get('pod/bare', '{.status.phase}')) === 'Running', {
      what: 'pod/bare runs',
    })
    await kubectl(`debug bare --image=${web}:v1.3.0 --container=look`)
    t.equal(await get('pod/bare', '{.spec.ephemeralContainers[0].image}'), pinned('v1.4.2'))
    t.match(
      await kubectl(`debug bare --image=${web}:latest --container=bad`, undefined, 1),
      /ephemeralContainers\[1\] "bad".*\[LatestTag\]/,
    )
  })

  await t.test('a Job, applied twice, and a CronJob', async (t) => {
    const spec = `restartPolicy: Never, containers: [{ name: app, image: "${web}:v1.3.0" }]`
    const job = `apiVersion: batch/v1
kind: Job
metadata: { name: once }
spec: { template: { spec: { ${spec} } } }
`
    await kubectl('apply -f -', job)
    t.equal(await get('job/once', IMAGE), pinned('v1.4.2'))
    await kubectl('apply -f -', job)
    const cron = `apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly }
spec: { schedule: "0 0 1 1 *", jobTemplate: { spec: { template: { spec: { ${spec} } } } } }
`
    await kubectl('apply -f -', cron)
    t.equal(
      await get('cronjob/nightly', '{.spec.jobTemplate.spec.template.spec.containers[0].image}'),
      pinned('v1.4.2'),
    )
    await kubectl('create job now --from=cronjob/nightly')
    t.equal(await get('job/now', IMAGE), pinned('v1.4.2'))
  })

  await t.test(
    'StatefulSet, DaemonSet, ReplicaSet, ReplicationController, PodTemplate',
    async (t) => {
      const template = (name: string) =>
        `{ metadata: { labels: { app: ${name} } }, spec: { containers: [{ name: app, image: "${web}:v1.3.0" }] } }`
      const rows: [string, string, string, string][] = [
        ['apps/v1', 'StatefulSet', 'serviceName: x, replicas: 0, ', IMAGE],
        ['apps/v1', 'DaemonSet', '', IMAGE],
        ['apps/v1', 'ReplicaSet', 'replicas: 0, ', IMAGE],
      ]
      for (const [apiVersion, kind, extra, path] of rows) {
        const name = kind.toLowerCase()
        await kubectl(
          'apply -f -',
          `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: { ${extra}selector: { matchLabels: { app: ${name} } }, template: ${template(name)} }\n`,
        )
        t.equal(await get(`${name}/${name}`, path), pinned('v1.4.2'), kind)
      }
      await kubectl(
        'apply -f -',
        `apiVersion: v1\nkind: ReplicationController\nmetadata: { name: rc }\nspec: { replicas: 0, selector: { app: rc }, template: ${template('rc')} }\n`,
      )
      t.equal(await get('rc/rc', IMAGE), pinned('v1.4.2'))
      await kubectl(
        'apply -f -',
        `apiVersion: v1\nkind: PodTemplate\nmetadata: { name: pt }\ntemplate: ${template('pt')}\n`,
      )
      t.equal(await get('podtemplate/pt', '{.template.spec.containers[0].image}'), pinned('v1.4.2'))
    },
  )

  await t.test('a custom kind by its configured paths', async (t) => {
    const rollout = (tag: string) => `apiVersion: example.com/v1
kind: Rollout
metadata: { name: custom }
spec: { tool: "${web}:v1.3.0", template: { spec: { containers: [{ name: app, image: "${web}:${tag}" }] } } }
`
    await kubectl('apply -f -', rollout('v1.2.3'))
    t.equal(await get('rollout/custom', IMAGE), pinned('v1.4.2'))
    t.equal(await get('rollout/custom', '{.spec.tool}'), pinned('v1.4.2'))
    await kubectl('apply -f -', rollout('v1.2.3'))
    t.equal(await get('rollout/custom', GENERATION), '1')
    t.match(await kubectl('apply -f -', rollout('v2.0.0'), 1), /\[OutOfRange\]/)
  })

  await t.test('delete, also what is violating and has a finalizer', async () => {
    await policy('web', webPolicy(web, 'enforcement: Warn'))
    const manifest = deployment('stuck', `${web}:v2.0.0`, { replicas: 0 }).replace(
      'name: stuck }\nspec',
      'name: stuck, finalizers: ["example.com/hold"] }\nspec',
    )
    await kubectl('create -f -', manifest)
    await policy('web', webPolicy(web))
    await kubectl('delete deployment/stuck --wait=false')
    await kubectl(
      'patch deployment/stuck --type=json -p=[{"op":"remove","path":"/metadata/finalizers"}]',
    )
    await kubectl('get deployment/stuck', undefined, 1)
  })

  await t.test('the audit log says what was done', async (t) => {
    const entries = world.cluster.auditLog()
    const notes = entries.flatMap(({ annotations }) => Object.entries(annotations ?? {}))
    const values = (key: string) => notes.filter(([name]) => name === key).map(([, value]) => value)
    t.match(
      values('mutate.tagwarden.io/resolved')[0],
      /containers\[0\]: \S+:v1\.3\.0 -> \S+:v1\.4\.2@sha256:/,
    )
    t.match(values('validate.tagwarden.io/denied').join('\n'), /\[LatestTag\]/)
  })

  await t.test('dev removes its webhook configurations when it ends', async (t) => {
    t.match(await kubectl('get mutatingwebhookconfigurations -o name'), /tagwarden/)
    t.equal(await world.dev.stop(), 0)
    t.notMatch(
      await kubectl('get mutatingwebhookconfigurations,validatingwebhookconfigurations -o name'),
      /tagwarden/,
    )
    await kubectl('create -f -', deployment('free', `${web}:latest`, { replicas: 0 }))
  })
})
