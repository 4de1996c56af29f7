import { readFile } from 'node:fs/promises'
import type { RequestOptions } from 'node:https'
import { delimiter, dirname, resolve } from 'node:path'
import type { KubeConfig } from '@kubernetes/client-node'
import { environmentProxy } from '../proxies/index.ts'
import type { Credentials, TlsSettings } from './access.ts'
import { ClusterError } from './cluster_error.ts'

/**
 * The user of a kubeconfig's context: certificates, tokens, token files, exec plugins. What several
 * files say is taken together, as kubectl does: of what has the same name, the first counts.
 *
 * @param paths one at least
 * @param env names the proxy, where the kubeconfig names none
 * @throws ClusterError when a file is no kubeconfig, or none names a cluster
 */
export async function kubeconfigCredentials(
  paths: readonly string[],
  context: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials> {
  const path = paths.join(delimiter)
  let config = await load(paths, context)
  const { server, proxyUrl, skipTLSVerify } = config.getCurrentCluster() ?? {}
  if (server === undefined) {
    throw unusable(`${path} names no current cluster`, 'Choose a context that it has')
  }
  if (!URL.canParse(server) || !/^https?:/.test(server)) {
    throw unusable(`${path} has a server that is no URL`, 'Write https:// in front of its name')
  }
  if (server.startsWith('http:') && !skipTLSVerify) {
    const remedy = 'Write insecure-skip-tls-verify: true for this cluster if that is what you want'
    throw unusable(`${path} has a server without TLS`, remedy)
  }
  let asked: ReturnType<Credentials['current']> | undefined

  async function present() {
    const options: RequestOptions = {}
    try {
      await config.applyToHTTPSOptions(options)
    } catch {
      // no cause: what an exec plugin writes may hold a secret
      throw unusable(
        `${path} has credentials that cannot be used`,
        'Try kubectl with the same kubeconfig; it says what is wrong',
      )
    }
    return { headers: headersOf(options), tls: tlsOf(options) }
  }

  return {
    server: server.replace(/\/+$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace || undefined,
    proxy: proxyUrl || environmentProxy(env)(new URL(server))?.href,
    async current() {
      // An exec plugin runs once for all who ask at the same time.
      asked ??= present().finally(() => {
        asked = undefined
      })
      return asked
    },
    async renew() {
      // A file that is just being written is tried again at the next refusal.
      config = await load(paths, context).catch(() => config)
    },
  }
}

async function load(paths: readonly string[], context: string | undefined): Promise<KubeConfig> {
  const config = merged(await Promise.all(paths.map(loadFile)))
  if (context !== undefined) {
    if (config.getContextObject(context) === null) {
      const path = paths.join(delimiter)
      throw unusable(`${path} has no context ${context}`, 'Choose a context that it has')
    }
    config.setCurrentContext(context)
  }
  return config
}

async function loadFile(path: string): Promise<KubeConfig> {
  // Costs 0.6 s and 70 MiB: loaded only by those who have a kubeconfig.
  const { KubeConfig } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  try {
    const text = await readFile(path, 'utf8')
    if (isEmpty(text)) config.loadFromString('{}')
    else config.loadFromFile(path)
    await useTokenFiles(config, path, text)
    return config
  } catch (error) {
    // no cause: what a YAML parser says quotes the file
    const { code } = error as NodeJS.ErrnoException
    const why = code?.startsWith('E') ? ` (${code})` : ''
    throw unusable(`${path} cannot be read as a kubeconfig${why}`, 'Check its path and its content')
  }
}

/** kubectl takes it for a kubeconfig without anything, which the Kubernetes client does not. */
function isEmpty(text: string): boolean {
  return text.split('\n').every((line) => /^\s*(?:#|---\s*$|$)/.test(line))
}

/** https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#merging-kubeconfig-files */
function merged(configs: readonly KubeConfig[]): KubeConfig {
  const [config, ...more] = configs as [KubeConfig, ...KubeConfig[]]
  for (const { clusters, users, contexts, currentContext } of more) {
    config.clusters = withNew(config.clusters, clusters)
    config.users = withNew(config.users, users)
    config.contexts = withNew(config.contexts, contexts)
    if (!config.currentContext) config.setCurrentContext(currentContext)
  }
  return config
}

function withNew<T extends { readonly name: string }>(all: readonly T[], more: readonly T[]): T[] {
  return [...all, ...more.filter(({ name }) => !all.some((each) => each.name === name))]
}

/** `tokenFile` of a user, which the Kubernetes client knows by another name only. */
async function useTokenFiles(config: KubeConfig, path: string, text: string): Promise<void> {
  if (!text.includes('tokenFile')) return
  const { parse } = await import('yaml')
  const { users = [] } = parse(text) as {
    users?: { name: string; user?: { tokenFile?: string } }[]
  }
  config.users = config.users.map((user) => {
    const file = users.find(({ name }) => name === user.name)?.user?.tokenFile
    if (file === undefined || user.token) return user
    const tokenFile = resolve(dirname(path), file)
    return { ...user, authProvider: { name: 'tokenFile', config: { tokenFile } } }
  })
}

function headersOf({ headers, auth }: RequestOptions): Record<string, string> {
  const sent: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers ?? {})) {
    sent[name.toLowerCase()] = String(value).trim()
  }
  if (auth) sent['authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`
  return sent
}

function tlsOf(options: RequestOptions): TlsSettings {
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options
  return JSON.parse(
    JSON.stringify({
      ca: ca?.toString(),
      cert: cert?.toString(),
      key: key?.toString(),
      passphrase,
      servername,
      rejectUnauthorized,
    }),
  )
}

function unusable(message: string, remedy: string): ClusterError {
  return new ClusterError(message, { answer: 0, reason: 'Unreachable', remedy })
}
