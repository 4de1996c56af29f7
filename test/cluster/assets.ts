import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

// As in scripts/test-assets.sh, which fills the cache.
const KUBERNETES = '1.36.3'
const HOW = 'run "bash scripts/test-assets.sh" to get it (it needs Go)'

/** What `startControlPlane` runs. */
export const CONTROL_PLANE = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kwok',
  'kwok-stages.yaml',
] as const
/** The generations of CNCF Distribution that `startDistribution` runs. */
export const REGISTRIES = { v3: 'registry-v3.1.2', 'v2.8': 'registry-v2.8' } as const
/** The command line client of registries, for tests that need a second opinion. */
export const CRANE = 'crane-v0.22.1'
/** What installs the chart. */
export const HELM = 'helm-v4.3.1'
/** CRDs of cert-manager and of the Prometheus Operator. */
export const OPERATOR_CRDS = 'operator-crds.yaml'
/** CRDs of OpenReports. */
export const REPORT_CRDS = 'report-crds.yaml'

/** The path of a real part, in KUBEBUILDER_ASSETS or the cache; undefined where it is missing. */
export function asset(name: string): string | undefined {
  const { KUBEBUILDER_ASSETS, TAGWARDEN_TEST_ASSETS } = process.env
  const cache = TAGWARDEN_TEST_ASSETS || join(homedir(), '.cache/tagwarden')
  const folders = [KUBEBUILDER_ASSETS, join(cache, 'envtest', KUBERNETES), join(cache, 'bin')]
  return folders
    .map((folder) => folder && join(folder, name))
    .find((path) => existsSync(path || ''))
}

/** The path of a real part; throws with the command that gets it where it is missing. */
export function requireAsset(name: string): string {
  const path = asset(name)
  if (path === undefined) throw new Error(`${name} is missing: ${HOW}`)
  return path
}

/** For tap's `skip`: why these tests can't run here. Where CI is set they run, and fail. */
export function skipWithoutControlPlane(): string | false {
  return skipWithout(CONTROL_PLANE)
}

/** The same for the real registries. */
export function skipWithoutRegistries(): string | false {
  return skipWithout(Object.values(REGISTRIES))
}

/** The same for any parts. */
export function skipWithout(names: readonly string[]): string | false {
  const missing = names.filter((name) => asset(name) === undefined)
  return missing.length > 0 && !process.env['CI'] ? `${missing.join(', ')} missing: ${HOW}` : false
}
