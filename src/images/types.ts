/** A parsed image reference. Frozen; past `images/` nobody handles an image as a string. */
export interface ImageReference {
  /** the author's own spelling */
  readonly original: string
  /**
   * normalised registry host with port, such as `docker.io` or `localhost:5000`; in the author's
   * letter case, so compare it without: `GHCR.io` is `ghcr.io`
   */
  readonly registry: string
  /** normalised path within the registry, such as `library/nginx` */
  readonly repository: string
  /** `registry/repository` */
  readonly name: string
  readonly tag: string | undefined
  /** `algorithm:hex` */
  readonly digest: string | undefined
  /** `name[:tag][@digest]` */
  readonly normalized: string
}

/** A field that holds an image in a custom kind. `*` stands for each element of a list or map. */
export interface ImageField {
  /** API group; empty for the core group */
  readonly group: string
  readonly kind: string
  // a line comment, as the path would end a block one
  // JSON pointers with `*` for each element of a list or map: /spec/template/spec/containers/*/image
  readonly paths: readonly string[]
}

/** One place in an object where an image stands. */
export interface ImageOccurrence {
  /** RFC 6901 JSON pointer of the image string */
  readonly pointer: string
  /** short path for people, such as `containers[0]` or `volumes[2]` */
  readonly field: string
  readonly role: 'container' | 'initContainer' | 'ephemeralContainer' | 'volume' | 'custom'
  /** name of the container or volume; for custom fields the sibling `name`, if it is a string */
  readonly name: string | undefined
  /** the value as found: a string, or something that is no image at all */
  readonly value: unknown
}

/** What kind an object is, as an admission request or a manifest says it. */
export interface GroupKind {
  /** empty for the core group */
  readonly group: string
  readonly kind: string
}
