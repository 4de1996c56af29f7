export { createRegistryClient } from './client.ts'
export type {
  ManifestDescription,
  RegistryClient,
  RegistryClientOptions,
  RegistryClock,
  RegistryLimits,
  RegistrySettings,
  RegistryTimeouts,
} from './types.ts'
