// OCI distribution-spec, "Referrers Tag Schema": the algorithm, a dash and at most 64 characters of
// the digest; cosign appends .sig, .att or .sbom.
const REFERRERS = /^sha(?:256|384|512)-[0-9a-f]{64}(?![0-9A-Za-z])/

/** Whether a tag holds a signature, an attestation, an SBOM or a list of referrers: no image. */
export function isArtifact(tag: string): boolean {
  return (
    tag.endsWith('.sig') ||
    tag.endsWith('.att') ||
    tag.endsWith('.sbom') ||
    (tag.startsWith('sha') && REFERRERS.test(tag))
  )
}
