export {
  fingerprintOf,
  fingerprintsOf,
  isCovered,
  isIssuedBy,
  joinBundles,
  readBundle,
} from './bundle.ts'
export { openCertificates } from './certificates.ts'
export { type ClientAuthority, openClientAuthority } from './client_authority.ts'
export { folderStore } from './folder_store.ts'
export { issueAuthority, issueServing } from './issue.ts'
export { LOOPBACK, serviceNames } from './service_names.ts'
export type {
  CertificateOptions,
  CertificateStore,
  Certificates,
  KeyPair,
  ServingCertificate,
} from './types.ts'
