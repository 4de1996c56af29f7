export { openCertificates } from './certificates.ts'
export { issueAuthority, issueServing } from './issue.ts'
export type { CertificateOptions, Certificates, KeyPair, ServingCertificate } from './types.ts'
