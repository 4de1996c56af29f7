import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const KUBERNETES = '1.36.3'
const CACHE = process.env['TAGWARDEN_TEST_ASSETS'] ?? join(homedir(), '.cache/tagwarden')
const FOLDERS = [
  process.env['KUBEBUILDER_ASSETS'],
  join(CACHE, 'envtest', KUBERNETES),
  join(CACHE, 'bin'),
]
const HOW = 'run "bash scripts/test-assets.sh" to build them (it needs Go)'

export const CONTROL_PLANE = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kwok',
  'kwok-stages.yaml',
] as const
export const REGISTRIES = { v3: 'registry-v3.1.2', 'v2.8': 'registry-v2.8' } as const

/** The path of a real part; undefined when the machine does not have it. */
export function asset(name: string): string | undefined {
  return FOLDERS.map((folder) => folder && join(folder, name)).find(
    (path) => path && existsSync(path),
  )
}

/** The path of a real part that has been checked to be there. */
export function requireAsset(name: string): string {
  const path = asset(name)
  if (path === undefined) {
    throw new Error(`${name} is missing: ${HOW}`)
  }
  return path
}

/** For tap's `skip`: why these tests can't run here. Where CI is set they must run, and fail. */
export function skipWithoutControlPlane(): string | false {
  return skipWithout(CONTROL_PLANE)
}

/** The same for the real registries. */
export function skipWithoutRegistries(): string | false {
  return skipWithout(Object.values(REGISTRIES))
}

function skipWithout(names: readonly string[]): string | false {
  const missing = names.filter((name) => asset(name) === undefined)
  return missing.length > 0 && !process.env['CI'] ? `${missing.join(', ')} missing: ${HOW}` : false
}
