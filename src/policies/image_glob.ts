import { quote } from './flaw.ts'
import { type GlobFault, type RepositoryGlob, readGlob } from './repository_glob.ts'

/** A glob over repositories, and perhaps one over their tags. */
export interface ImageGlob {
  /** normalised, such as `docker.io/acme/*:v0.9.*` */
  readonly pattern: string
  readonly repository: RepositoryGlob
  /** undefined: whatever the tag or digest is */
  readonly tag: string | undefined
}

/** Reads `ghcr.io/acme/web` or `ghcr.io/acme/web:v0.9.*`; `*` in a tag stands for any text. */
export function readImageGlob(written: string): ImageGlob | GlobFault {
  const shown = quote(written)
  if (written.includes('@')) {
    const remedy = 'Write the repository, with or without a tag'
    return { message: `${shown} has a digest`, remedy }
  }
  const [, name = written, tag] = /^(.*):([^/\]]*)$/.exec(written) ?? []
  if (tag !== undefined && !/^[A-Za-z0-9_.*-]{1,128}$/.test(tag)) {
    const remedy = 'A tag is at most 128 letters, digits, "_", ".", "-", and "*" for any text'
    return { message: `${shown} has no valid tag after the colon`, remedy }
  }
  const repository = readGlob(name)
  if ('message' in repository) return repository
  const { pattern } = repository
  return { pattern: tag === undefined ? pattern : `${pattern}:${tag}`, repository, tag }
}
