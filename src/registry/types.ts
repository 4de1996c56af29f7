/** How to speak to registry hosts; what the configuration file's `registries` holds. */
export interface RegistrySettings {
  /** exact `host[:port]`, or `*.example.com` for every host below it */
  readonly host: string
  /** plain HTTP, for this host only */
  readonly insecure?: boolean | undefined
  readonly auth?: { readonly dockerConfig: string } | undefined
  /** PEM file with the CA that signs this host's certificate */
  readonly certificateAuthority?: string | undefined
}

/** What a tag or digest points to. */
export interface ManifestDescription {
  /** digest of exactly what the reference names: the index's, for a multi-platform image */
  readonly digest: string
  readonly mediaType: string
  /** `os/arch[/variant]`, only when asked for */
  readonly platforms: readonly string[] | undefined
}

/** An OCI distribution client. All names are normalised (`docker.io/library/nginx`). */
export interface RegistryClient {
  /**
   * Every tag of the repository, following `Link` pages of the same host.
   *
   * @throws TagwardenError ERR_REGISTRY_*; the message names host and cause, never a credential
   */
  listTags(name: string, options: { readonly signal?: AbortSignal | undefined }): Promise<string[]>
  /**
   * The digest (and platforms) behind a tag or digest: HEAD where that is enough, else GET with
   * the digest checked against the content.
   *
   * @throws TagwardenError ERR_REGISTRY_NOT_FOUND when there is no such manifest; ERR_REGISTRY_*
   */
  resolve(
    name: string,
    reference: string,
    options: {
      readonly signal?: AbortSignal | undefined
      readonly platforms?: boolean | undefined
    },
  ): Promise<ManifestDescription>
  /** Closes idle connections. */
  close(): Promise<void>
}
