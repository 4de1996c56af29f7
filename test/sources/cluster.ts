import type { Test } from 'tap'
import { CLUSTER_IMAGE_POLICIES, IMAGE_POLICIES } from '../../src/cluster/index.ts'
import { describeError } from '../../src/errors.ts'
import { parseReference } from '../../src/images/index.ts'
import { openPolicyCluster, type PolicyClusterOptions } from '../../src/sources/cluster.ts'
import type { PolicySource } from '../../src/sources/index.ts'
import { createFakeCluster, type FakeCluster } from '../fakes/cluster.ts'
import { workload } from '../policies/reading.ts'

/** An ImagePolicy as the API server keeps it: any spec, since a CRD lets some mistakes through. */
export function imagePolicy(name: string, spec: object = {}, namespace = 'shop') {
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ImagePolicy',
    metadata: { name, namespace },
    spec: { images: [`ghcr.io/acme/${name}`], order: { semver: { range: '1.x' } }, ...spec },
  }
}

export function clusterImagePolicy(name: string, spec: object = {}) {
  const { spec: base } = imagePolicy(name)
  return {
    apiVersion: 'tagwarden.io/v1alpha1',
    kind: 'ClusterImagePolicy',
    metadata: { name },
    spec: { ...base, ...spec },
  }
}

export interface Following {
  readonly cluster: FakeCluster
  readonly source: PolicySource
  /** titles of what is in force */
  readonly titles: () => string[]
  readonly problems: () => string[]
  /** what was logged */
  readonly lines: string[]
  /** Waits until it holds; the source says when to look. */
  until(holds: () => boolean): Promise<void>
  /** Makes or changes a policy of the cluster. */
  put(object: ReturnType<typeof imagePolicy> | ReturnType<typeof clusterImagePolicy>): void
  drop(name: string, namespace?: string): void
  /** descriptions of the rules that apply to an image of a Deployment */
  rules(image: string, namespace?: string): string[]
}

/** A source over a cluster in memory, closed when the test ends. */
export async function followCluster(
  t: Test,
  options: Partial<PolicyClusterOptions> & { readonly cluster?: FakeCluster } = {},
): Promise<Following> {
  const cluster = options.cluster ?? createFakeCluster()
  const lines: string[] = []
  const note = (_fields: object, text: string) => void lines.push(text)
  let wake = () => {}
  const source = await openPolicyCluster({
    quiet: 5,
    log: { info: note, warn: note },
    ...options,
    cluster,
    onChange: (set) => {
      options.onChange?.(set)
      wake()
    },
    onProblems: (problems) => {
      options.onProblems?.(problems)
      wake()
    },
  })
  source.subscribe(() => wake())
  t.teardown(() => source.close())
  return {
    cluster,
    source,
    lines,
    titles: () =>
      source
        .current()
        .policies.map(({ title }) => title)
        .sort(),
    problems: () => source.problems().map(describeError),
    async until(holds) {
      // what is waited for keeps no process alive
      const alive = setInterval(() => wake(), 20)
      while (!holds()) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      clearInterval(alive)
    },
    put(object) {
      const resource = object.kind === 'ImagePolicy' ? IMAGE_POLICIES : CLUSTER_IMAGE_POLICIES
      cluster.put(resource, object)
    },
    drop: (name, namespace = 'shop') => cluster.drop(IMAGE_POLICIES, { namespace, name }),
    rules: (image, namespace = 'shop') =>
      source
        .current()
        .match(parseReference(image), workload({ namespace }), 'app')
        .map(({ title, selector }) => `${title}: ${selector.description}`),
  }
}
