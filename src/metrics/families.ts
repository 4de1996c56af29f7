/** What one metric is called, counts and is split by. */
export interface Family {
  readonly help: string
  readonly labels: readonly string[]
}

function family(help: string, ...labels: string[]): Family {
  return { help, labels }
}

/** Things that happened. */
export const COUNTERS = {
  tagwarden_reviews_total: family('Reviews by webhook and verdict', 'hook', 'verdict'),
  tagwarden_findings_total: family(
    'What was found wrong with images, by webhook, reason and enforcement',
    'hook',
    'reason',
    'enforcement',
  ),
  tagwarden_policy_findings_total: family(
    'What policies found wrong with images in final objects, by policy, reason and enforcement',
    'policy',
    'reason',
    'enforcement',
  ),
  tagwarden_scans_total: family('Scans of repositories by outcome', 'outcome'),
  tagwarden_promotions_total: family(
    'Workloads to be moved to a newer image, by outcome',
    'outcome',
  ),
  tagwarden_events_dropped_total: family('Kubernetes events that were not written, to bound them'),
} as const satisfies Record<string, Family>

/** How long things took. */
export const HISTOGRAMS = {
  tagwarden_scan_duration_seconds: {
    ...family('Time of one scan of a repository'),
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  },
  tagwarden_registry_wait_seconds: {
    ...family('Time that requests to registries waited for their turn, those that gave up too'),
    buckets: [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300],
  },
} as const satisfies Record<string, Family & { readonly buckets: readonly number[] }>

/** How things are now. */
export const GAUGES = {
  tagwarden_leader: family('1 on the replica that scans, promotes and writes status'),
  tagwarden_certificate_expiry_timestamp_seconds: family(
    'When a certificate ends, seconds since 1970',
    'certificate',
  ),
  tagwarden_index_repositories: family('Repositories in the index'),
  tagwarden_index_tags: family('Tags in the index'),
  tagwarden_index_oldest_scan_age_seconds: family('Age of the oldest list of tags in the index'),
  tagwarden_index_overdue_seconds: family(
    'How late a repository is to be read, at most; told by who scans',
  ),
  tagwarden_policies: family('Policies by kind, and whether they are right', 'kind', 'ready'),
  tagwarden_exceptions: family('ImagePolicyExceptions by state', 'state'),
  tagwarden_audit_findings: family(
    'What the last audit found of what runs, by policy, namespace and reason',
    'policy',
    'resource_namespace',
    'reason',
  ),
  tagwarden_audit_timestamp_seconds: family(
    'When the last audit of what runs ended, seconds since 1970',
  ),
  tagwarden_webhook_alive: family('1 while the API server reaches the webhook, by the last probe'),
  tagwarden_webhook_last_probe_timestamp_seconds: family(
    'When the API server was last asked to call the webhook, seconds since 1970',
  ),
} as const satisfies Record<string, Family>
