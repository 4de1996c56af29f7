import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { HELM, requireAsset } from '../cluster/assets.ts'
import { start, waitFor } from '../cluster/child.ts'
import { freePorts } from '../cluster/ports.ts'
import type { Installation, Owner } from '../e2e/installation.ts'
import { ownFolder } from './own_folder.ts'

/** The real Argo CD, as far as it compares and applies, with one Git repository. */
export interface ArgoCd {
  /** folder of the repository; what is written there counts after `commit` */
  readonly repository: string
  commit(): Promise<void>
  /** Makes an Application in the namespace of its own name. */
  application(name: string, parts: Application): Promise<void>
  /** Lets it look now, and waits until it has, and has synced what differs where it should. */
  refresh(name: string): Promise<State>
}

/** What an Application has beside its destination. */
export interface Application {
  readonly source: object
  readonly namespace?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly syncPolicy?: object
  readonly ignoreDifferences?: readonly object[]
}

/** What it says of an Application. */
export interface State {
  readonly sync: string | undefined
  /** resources that differ */
  readonly different: readonly string[]
}

const PART = { labels: { 'app.kubernetes.io/part-of': 'argocd' } }

/** @param programs the folder that scripts/gitops-proof.sh has filled */
export async function startArgoCd(
  t: Owner,
  { cluster, kubectl }: Installation,
  programs: string,
): Promise<ArgoCd> {
  const folder = ownFolder(t)
  for (const name of ['bin', 'repository', 'tls', 'ssh', 'gpg']) mkdirSync(join(folder, name))
  symlinkSync(requireAsset(HELM), join(folder, 'bin/helm'))
  const repository = join(folder, 'repository')
  const git = (...args: string[]) =>
    promisify(execFile)('git', ['-c', 'user.name=proof', '-c', 'user.email=proof', ...args], {
      cwd: repository,
    })
  await git('init', '--quiet', '--initial-branch=main')
  await kubectl('create namespace argocd')
  await kubectl('apply --server-side -f -', readFileSync(join(programs, 'crds.yaml'), 'utf8'))
  await kubectl('wait --for=condition=Established --timeout=30s crd --all')
  await kubectl('apply -n argocd -f -', settings())
  const config = join(folder, 'kubeconfig')
  await promisify(execFile)('cp', [cluster.kubeconfig, config])
  await kubectl(`--kubeconfig ${config} config set-context --current --namespace=argocd`)

  const [redis, server, ...metrics] = await freePorts(4)
  const env = [
    `PATH=${join(folder, 'bin')}:${programs}:${process.env['PATH']}`,
    ...[`HOME=${folder}`, `KUBECONFIG=${config}`],
    // The kubeconfig takes the place of the account of a pod.
    ...['ARGOCD_FAKE_IN_CLUSTER=true', 'ARGOCD_GPG_ENABLED=false'],
    ...[`ARGOCD_TLS_DATA_PATH=${folder}/tls`, `ARGOCD_SSH_DATA_PATH=${folder}/ssh`],
    `ARGOCD_GNUPGHOME=${folder}/gpg`,
  ]
  const run = (name: string, ...args: unknown[]) => {
    const started = start(name, '/usr/bin/env', [...env, name, ...args.map(String)])
    t.teardown(() => started.stop())
    return started
  }
  const cache = ['--redis', `127.0.0.1:${redis}`]
  const running = [
    run('redis-server', '--port', redis, '--bind', '127.0.0.1', '--save', ''),
    run(
      'argocd-repo-server',
      ...cache,
      '--port',
      server,
      '--metrics-port',
      metrics[0],
      '--disable-tls',
    ),
    run(
      'argocd-application-controller',
      ...[...cache, '--repo-server', `127.0.0.1:${server}`, '--repo-server-plaintext'],
      ...['--metrics-port', metrics[1], '--app-resync', 10, '--self-heal-timeout-seconds', 2],
    ),
  ]
  const get = async (name: string) =>
    JSON.parse(await kubectl(`get application ${name} -n argocd -o json`))
  return {
    repository,
    commit: async () => {
      await git('add', '--all')
      await git('commit', '--quiet', '--message', 'more')
    },
    application: async (name, { annotations = {}, source, namespace = name, ...spec }) => {
      const destination = { server: 'https://kubernetes.default.svc', namespace }
      const from = { repoURL: `file://${repository}`, targetRevision: 'main', ...source }
      await kubectl(
        'apply -f -',
        stringify({
          apiVersion: 'argoproj.io/v1alpha1',
          kind: 'Application',
          metadata: { name, namespace: 'argocd', annotations },
          spec: { project: 'default', source: from, destination, ...spec },
        }),
      )
    },
    refresh: async (name) => {
      const mark = 'argocd.argoproj.io/refresh'
      await kubectl(`annotate application ${name} -n argocd ${mark}=hard --overwrite`)
      await waitFor(
        async () => {
          const { metadata, operation, status } = await get(name)
          const phase = status?.operationState?.phase
          return metadata.annotations?.[mark] === undefined && !operation && phase !== 'Running'
        },
        { timeout: 60_000, what: `${name} is compared`, running },
      )
      const { status } = await get(name)
      type Resource = { readonly kind: string; readonly name: string; readonly status?: string }
      const resources = (status?.resources ?? []) as Resource[]
      return {
        sync: status?.sync?.status,
        different: resources
          .filter((each) => each.status === 'OutOfSync')
          .map((each) => `${each.kind} ${each.name}`),
      }
    },
  }
}

function settings(): string {
  const maps = ['argocd-cm', 'argocd-rbac-cm', 'argocd-gpg-keys-cm', 'argocd-ssh-known-hosts-cm']
  const all = { group: '*', kind: '*' }
  const objects = [
    ...[...maps, 'argocd-tls-certs-cm'].map((name) => ({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...PART } },
    })),
    {
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'argocd-secret', ...PART } },
      stringData: { 'server.secretkey': 'proof', 'admin.password': 'proof' },
    },
    {
      ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata: { name: 'default' } },
      spec: {
        sourceRepos: ['*'],
        destinations: [{ namespace: '*', server: '*' }],
        clusterResourceWhitelist: [all],
      },
    },
  ]
  return objects.map((each) => stringify(each)).join('---\n')
}
