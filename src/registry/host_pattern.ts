import { matchText } from '../policies/index.ts'

/** A host of a Docker configuration file's key, with or without `*`. */
export interface HostPattern {
  readonly glob: boolean
  /** @param host `host[:port]` in lower case */
  covers(host: string): boolean
}

/**
 * As kubelet compares: the ports are equal, there are as many labels, and each label matches.
 * Source: https://kubernetes.io/docs/concepts/containers/images/#config-json
 *
 * @param pattern in lower case
 */
export function hostPattern(pattern: string): HostPattern {
  if (!pattern.includes('*')) return { glob: false, covers: (host) => host === pattern }
  const [labels, port] = split(pattern)
  return {
    glob: true,
    covers(host) {
      const [found, otherPort] = split(host)
      const alike = port === otherPort && labels.length === found.length
      return alike && labels.every((label, index) => matchText(label, found[index] ?? ''))
    },
  }
}

function split(host: string): readonly [labels: readonly string[], port: string] {
  const colon = host.lastIndexOf(':')
  return colon < 0
    ? [host.split('.'), '']
    : [host.slice(0, colon).split('.'), host.slice(colon + 1)]
}
