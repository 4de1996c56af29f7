import type { Credential } from './credential.ts'

/** How to speak to registry hosts; what the configuration file's `registries` holds. */
export interface RegistrySettings {
  /** exact `host[:port]`, or `*.example.com` for every host below it */
  readonly host: string
  /** `host[:port]` at which its API answers, when that is not where image names say */
  readonly address?: string | undefined
  /** plain HTTP, for this host only */
  readonly insecure?: boolean | undefined
  readonly auth?:
    | {
        /** Docker configuration file, such as the one that `docker login` writes */
        readonly dockerConfig: string
        /**
         * `host[:port]` of a token server outside the registry's own domain that may get these
         * credentials
         */
        readonly tokenServer?: string | undefined
      }
    | undefined
  /** PEM file with the CA that signs this host's certificate; added to the well-known ones */
  readonly certificateAuthority?: string | undefined
}

/**
 * How a repository is read when not by the installation's own settings: whose credentials, and by
 * which way. Frozen. Settings of the host (`address`, `insecure`, its authority) hold beside it; its
 * `auth` does not.
 */
export interface RegistryAccess {
  /**
   * tells accesses apart, such as `shop/regcred`; without a space. Nothing that was got with one
   * access (tokens, challenges) is used for another.
   */
  readonly id: string
  /** changes with what the access holds; tells nothing of a secret */
  readonly version: string
  /**
   * What to prove oneself with; undefined: ask anonymously. Only for this repository's host.
   *
   * @param host `host[:port]` as it stands in image names
   * @param path within the registry
   */
  readonly credential?: ((host: string, path: string) => Credential | undefined) | undefined
  readonly connection?: RegistryConnection | undefined
}

/** The way to a registry. Texts, not files. */
export interface RegistryConnection {
  /** plain HTTP */
  readonly insecure?: boolean | undefined
  /** PEM; added to the well-known ones */
  readonly certificateAuthority?: string | undefined
  /** PEM, for a registry that asks who connects */
  readonly clientCertificate?: { readonly cert: string; readonly key: string } | undefined
  /** HTTP proxy that is asked to CONNECT */
  readonly proxy?:
    | {
        /** `http://` or `https://`, host and port */
        readonly address: string
        readonly username?: string | undefined
        readonly password?: string | undefined
      }
    | undefined
}

/** What a tag or digest points to. */
export interface ManifestDescription {
  /** digest of exactly what the reference names: the index's, for a multi-platform image */
  readonly digest: string
  readonly mediaType: string
  /** `os/arch[/variant]` as containerd spells it (`linux/arm64`, `linux/arm/v7`), only when asked for */
  readonly platforms: readonly string[] | undefined
}

/** An OCI distribution client. All names are normalised (`docker.io/library/nginx`). */
export interface RegistryClient {
  /**
   * Every tag of the repository, following `Link` pages of the same host.
   *
   * @throws TagwardenError ERR_REGISTRY_*; the message names host and cause, never a credential
   */
  listTags(
    name: string,
    options: {
      readonly signal?: AbortSignal | undefined
      /** undefined: by the settings */
      readonly access?: RegistryAccess | undefined
      /** tags that are left out, and count for no limit */
      readonly excludes?: ((tag: string) => boolean) | undefined
    },
  ): Promise<string[]>
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
      /** undefined: by the settings */
      readonly access?: RegistryAccess | undefined
    },
  ): Promise<ManifestDescription>
  /** Closes idle connections. */
  close(): Promise<void>
}

/** Sizes beyond which an answer is refused with ERR_REGISTRY_LIMIT. */
export interface RegistryLimits {
  /** tags of one repository, of 64 characters on average; default 250,000 */
  readonly tags: number
  /** pages of one tag list; default 10,000 */
  readonly pages: number
  /** bytes of one page of tags; default 16 MiB */
  readonly tagPageBytes: number
  /** bytes of a manifest or index; default 4 MiB, as the specification asks */
  readonly manifestBytes: number
  /** bytes of an image config; default 1 MiB */
  readonly configBytes: number
  /** bytes of a token server's answer; default 256 KiB */
  readonly tokenBytes: number
}

/** Milliseconds after which a request ends with ERR_REGISTRY_TIMEOUT. */
export interface RegistryTimeouts {
  /** until a connection stands; default 5,000 */
  readonly connect: number
  /** until the headers are there, and between two pieces of a body; default 10,000 */
  readonly headers: number
  /** until the whole answer is read, retries not counted; default 60,000 */
  readonly answer: number
}

/** Time, as the client needs it. A test gives its own. */
export interface RegistryClock {
  /** ms since the epoch */
  now(): number
  /** waits; rejects when the signal is aborted */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void>
}

/** What `createRegistryClient` is made from. */
export interface RegistryClientOptions {
  readonly settings: readonly RegistrySettings[]
  /** asked where the settings have no credentials for a repository, for requests without access */
  readonly credential?: RegistryAccess['credential']
  readonly limits?: Partial<RegistryLimits> | undefined
  readonly timeouts?: Partial<RegistryTimeouts> | undefined
  /** value of the `User-Agent` header; default `tagwarden` */
  readonly userAgent?: string | undefined
  /** the proxy of a request whose access names none; without it, none */
  readonly proxyFor?: ((url: URL) => URL | undefined) | undefined
  readonly clock?: RegistryClock | undefined
  /**
   * Called before each request that goes out, token requests included: the place for rate limits.
   *
   * @param host `host[:port]` that the request goes to
   */
  readonly before?:
    | ((host: string, signal: AbortSignal | undefined) => Promise<void> | void)
    | undefined
}
