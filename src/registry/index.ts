export { readAuthority } from './certificate_authority.ts'
export { createRegistryClient } from './client.ts'
export { basicCredential, type Credential } from './credential.ts'
export { type DockerConfig, parseDockerConfig } from './docker_config.ts'
export type {
  ManifestDescription,
  RegistryAccess,
  RegistryClient,
  RegistryClientOptions,
  RegistryClock,
  RegistryConnection,
  RegistryLimits,
  RegistrySettings,
  RegistryTimeouts,
} from './types.ts'
