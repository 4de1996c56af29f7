const PART = /^[\w.-]{1,64}$/
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  'x86-64': 'amd64',
  aarch64: 'arm64',
  i386: '386',
}

/**
 * `os/arch[/variant]` of an index's descriptor or an image config; undefined when it names none,
 * as attestations do (`unknown/unknown`).
 *
 * Spelled in one way, that of containerd: `linux/arm64` never carries its only variant v8,
 * `linux/amd64` not its first, and `linux/arm` says v7 when it says nothing.
 */
export function platformOf(content: Readonly<Record<string, unknown>>): string | undefined {
  const { os, variant = '' } = content
  if (!isPart(os) || !isPart(content.architecture) || os === 'unknown') return undefined
  const name = content.architecture.toLowerCase()
  const architecture = Object.hasOwn(ARCHITECTURES, name) ? ARCHITECTURES[name]! : name
  const usual = isPart(variant) ? usualVariant(architecture, variant.toLowerCase()) : undefined
  const found = usual ?? (architecture === 'arm' ? 'v7' : '')
  return [os.toLowerCase(), architecture, found].filter(Boolean).join('/')
}

/** The same for a platform as people write it, such as `linux/arm64/v8`: `linux/arm64`. */
export function parsePlatform(text: string): string | undefined {
  const [os, architecture, variant] = text.split('/')
  return platformOf({ os, architecture, variant })
}

/** The variant as it is written, with its `v`; empty when it says no more than the architecture. */
function usualVariant(architecture: string, variant: string): string {
  const full = /^\d/.test(variant) ? `v${variant}` : variant
  if (architecture === 'arm64' && (full === 'v8' || full === 'v8.0')) return ''
  return architecture === 'amd64' && full === 'v1' ? '' : full
}

function isPart(value: unknown): value is string {
  return typeof value === 'string' && PART.test(value)
}
