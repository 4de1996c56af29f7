import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Config } from '../config/index.ts'
import { type EmbeddedRegistry, startEmbeddedRegistry } from '../embedded/index.ts'
import { TagwardenError } from '../errors.ts'

/** The registry of the images in the example policies. */
const REGISTRY = 'registry.example.com'
const ROOT = join(import.meta.dirname, '../..')

/** The embedded default: a bundled registry and example policies, when nothing is configured. */
export interface EmbeddedDefault {
  readonly config: Config
  readonly registry: EmbeddedRegistry
}

/** Whether nobody has said which policies to use. */
export function isUnconfigured(config: Config, env: NodeJS.ProcessEnv): boolean {
  return config.file === undefined && env['TAGWARDEN_POLICIES'] === undefined
}

/**
 * Starts the bundled registry, and points the configuration to it.
 *
 * @throws TagwardenError ERR_INVALID_CONFIG where the examples were not installed
 */
export async function startEmbeddedDefault(config: Config): Promise<EmbeddedDefault> {
  const policies = join(ROOT, 'examples/policies')
  if (!existsSync(policies)) {
    throw new TagwardenError('ERR_INVALID_CONFIG', 'there is no configuration file', {
      remedy: 'Write a tagwarden.yaml, or name one with --config',
    })
  }
  const registry = await startEmbeddedRegistry({ port: 0 })
  return {
    registry,
    config: {
      ...config,
      policies: [policies],
      catalog: { ...config.catalog, path: undefined },
      registries: [
        ...config.registries,
        { host: REGISTRY, address: registry.host, insecure: true },
      ],
    },
  }
}

/** What to try next: one image resolved, one denied, one warned. */
export function tryNext(url: string, cwd: string): string {
  const script = relative(cwd, join(ROOT, 'examples/post.js'))
  const at = url.endsWith(':8443') ? '' : `TAGWARDEN_URL=${url} `
  const rows = [
    ['resolved', 'web:v1.3.0 becomes v1.4.2 with its digest'],
    ['denied', 'web:latest and an old worker are refused'],
    ['warned', 'api:latest is let through with a warning'],
  ]
  const lines = rows.map(([name, what]) => `  ${at}node ${script} ${name?.padEnd(8)}   # ${what}`)
  return `Try, in another terminal:\n${lines.join('\n')}\n`
}
