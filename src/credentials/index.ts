export { isSecretName, repositoryAccessId } from './access_id.ts'
export { createPullSecrets, OPT_IN_LABEL, type PullSecretsOptions } from './pull_secrets.ts'
export { createReviewSource, type PulledObject } from './review_source.ts'
export type {
  CredentialLog,
  PullSecrets,
  PullWorkload,
  RepositoryReading,
} from './types.ts'
