import { LRUCache } from 'lru-cache'
import { TagwardenError } from '../errors.ts'
import { basicCredential, type Credential } from './credential.ts'
import { askHelper } from './credential_helper.ts'
import { type DockerConfig, helperServer, parseDockerConfig } from './docker_config.ts'
import type { Repository } from './endpoint.ts'
import { fileFailure, storedFile } from './stored_file.ts'
import type { RegistryAccess, RegistryClock } from './types.ts'

/** Finds the credentials of repositories. */
export interface CredentialStore {
  /**
   * @returns undefined when the registry is asked anonymously
   * @throws TagwardenError ERR_CREDENTIALS
   */
  find(repository: Repository): Promise<Credential | undefined>
  /** To be called when the registry refused them: a helper is asked anew. */
  forget(repository: Repository): void
}

/** A helper is a process each time, and what it gives lasts for hours at most registries. */
const HELPER_TTL_MS = 5 * 60_000

/**
 * Reads Docker configuration files, each again when it has changed.
 *
 * @param installation asked where the settings have none
 */
export function createCredentialStore(
  clock: RegistryClock,
  installation?: RegistryAccess['credential'],
): CredentialStore {
  const files = new Map<string, () => Promise<DockerConfig>>()
  const asked = new LRUCache<string, { at: number; answer: ReturnType<typeof askHelper> }>({
    max: 1000,
  })

  function read(path: string): Promise<DockerConfig> {
    const file = files.get(path) ?? storedFile(path, (text) => parseDockerConfig(text, path))
    files.set(path, file)
    return file().catch((error) => {
      if (error instanceof TagwardenError) throw error
      throw new TagwardenError(
        'ERR_CREDENTIALS',
        `the credentials file ${path} cannot be read (${fileFailure(error)})`,
        { remedy: 'Correct auth.dockerConfig of this registry in the configuration' },
      )
    })
  }

  function ask(helper: string, host: string): ReturnType<typeof askHelper> {
    const key = `${helper} ${host}`
    const held = asked.get(key)
    if (held !== undefined && clock.now() - held.at < HELPER_TTL_MS) return held.answer
    const answer = askHelper(helper, helperServer(host))
    asked.set(key, { at: clock.now(), answer })
    answer.catch(() => asked.delete(key))
    return answer
  }

  return {
    async find({ endpoint: { host, auth }, path, access }) {
      if (access !== undefined) return access.credential?.(host, path)
      if (auth === undefined) return installation?.(host, path)
      const config = await read(auth.dockerConfig)
      const helper = config.helper(host)
      const found = helper === undefined ? undefined : await ask(helper, host)
      if (found === undefined) return config.stored(host, path) ?? installation?.(host, path)
      return basicCredential(found.username, found.secret, `what docker-credential-${helper} gave`)
    },
    forget({ endpoint: { host } }) {
      for (const key of asked.keys()) if (key.endsWith(` ${host}`)) asked.delete(key)
    },
  }
}
