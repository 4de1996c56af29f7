import {
  choice,
  flag,
  group,
  list,
  NAME,
  OBJECT,
  part,
  strings,
  text,
  type Value,
  whole,
} from './value.ts'

function probe(description: string, period: number, failures: number): Value {
  return group(description, {
    periodSeconds: whole('time between two probes', period, 1),
    timeoutSeconds: whole('how long an answer may take', 5, 1),
    failureThreshold: whole('failures in a row until it counts as failed', failures, 1),
  })
}

/** What runs, and where. */
export const POD_VALUES: Readonly<Record<string, Value>> = {
  replicas: {
    ...whole(
      'all of them answer reviews, one of them leads; null where an autoscaler says how many',
      3,
      0,
    ),
    optional: true,
  },
  image: group('the image that runs', {
    repository: text('registry and name', 'ghcr.io/tagwarden/tagwarden', {
      pattern: '^([A-Za-z0-9.-]+(:[0-9]+)?/)?[a-z0-9._-]+(/[a-z0-9._-]+)*$',
    }),
    tag: text("tag; without it, the chart's appVersion"),
    digest: text('added to the tag, such as `sha256:…`: then exactly this image runs', '', {
      pattern: '^(sha256:[0-9a-f]{64})?$',
    }),
    pullPolicy: choice('when it is pulled', 'IfNotPresent', 'Always', 'Never'),
    pullSecrets: list(
      "Secrets that it is pulled with, by name; policies' images have `pullSecrets`",
      {
        type: 'string',
        minLength: 1,
        pattern: NAME,
      },
    ),
  }),
  resources: part(
    'requests and limits of the container; the memory limit also bounds the heap, see `heapPercent`',
    {
      requests: { cpu: '100m', memory: '256Mi' },
      limits: { memory: '512Mi' },
    },
  ),
  heapPercent: whole(
    "percent of the memory limit that Node's heap may take; without a limit Node decides",
    70,
    10,
    90,
  ),
  drainSeconds: whole(
    'a stopping replica still answers for so long, until no endpoint names it; the grace period is 40 s more',
    5,
    0,
    600,
  ),
  catalogVolume: part('where the registry index lies', { emptyDir: { sizeLimit: '1Gi' } }),
  probes: group('probes of the kubelet', {
    startup: probe('until this succeeds once, the others wait', 2, 90),
    liveness: probe('`/healthz`: it is started again when this fails', 10, 6),
    readiness: probe('`/readyz`: it gets no reviews while this fails', 5, 2),
  }),
  podSecurityContext: part(
    'security context of the pod; the default fits the restricted Pod Security Standard',
    {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      fsGroup: 65_532,
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
  ),
  securityContext: part(
    'security context of the container; the default fits the restricted Pod Security Standard',
    {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  ),
  updateStrategy: part('how replicas are replaced', {
    type: 'RollingUpdate',
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
  }),
  revisionHistoryLimit: whole('old ReplicaSets that are kept', 3, 0),
  priorityClassName: text('such as `system-cluster-critical`, where the namespace may use it', '', {
    pattern: NAME,
  }),
  topologySpread: list(
    'topology spread constraints; one without `labelSelector` gets that of these pods',
    OBJECT,
    ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
      topologyKey,
      maxSkew: 1,
      whenUnsatisfiable: 'ScheduleAnyway',
      matchLabelKeys: ['pod-template-hash'],
    })),
  ),
  nodeSelector: strings('nodes that it may run on', { 'kubernetes.io/os': 'linux' }),
  tolerations: list('tolerations', OBJECT),
  affinity: part('affinity and anti-affinity'),
  runtimeClassName: text('RuntimeClass of the pods', '', { pattern: NAME }),
  hostNetwork: flag(
    "for clusters whose API server can't reach pods; the restricted Pod Security Standard forbids it",
    false,
  ),
  dnsPolicy: choice(
    'with `hostNetwork`, `ClusterFirstWithHostNet`',
    'ClusterFirst',
    'ClusterFirstWithHostNet',
    'Default',
    'None',
  ),
  dnsConfig: part('DNS settings of the pods'),
  hostAliases: list('more lines for its /etc/hosts', OBJECT),
  containerPort: { ...whole('port that it listens on', 8443, 1024, 65_535) },
  podLabels: strings('more labels of the pods, such as `azure.workload.identity/use: "true"`'),
  podAnnotations: strings('more annotations of the pods'),
  annotations: strings('more annotations of the Deployment'),
  extraArgs: list('more arguments of `tagwarden serve`', { type: 'string' }),
  env: list(
    'more environment variables, such as `HTTPS_PROXY` or any [setting](configuration.md#all-settings)',
    { type: 'object', required: ['name'] },
  ),
  envFrom: list('ConfigMaps and Secrets with environment variables', OBJECT),
  volumes: list('more volumes', { type: 'object', required: ['name'] }),
  volumeMounts: list('where they are mounted', { type: 'object', required: ['name', 'mountPath'] }),
  initContainers: list('containers that run before it', { type: 'object', required: ['name'] }),
  extraContainers: list('containers that run beside it', { type: 'object', required: ['name'] }),
  podDisruptionBudget: group('how many replicas a drain of nodes may take at once', {
    enabled: flag('whether there is one', true),
    maxUnavailable: {
      type: ['integer', 'string', 'null'],
      description: 'how many may be down; number or percentage',
      default: 1,
    },
    minAvailable: {
      type: ['integer', 'string', 'null'],
      description: 'instead: so many must stay',
      default: null,
    },
  }),
  service: group('what the API server calls', {
    annotations: strings('annotations of the Service'),
    labels: strings('more labels of the Service'),
    ipFamilyPolicy: {
      type: 'string',
      enum: ['', 'SingleStack', 'PreferDualStack', 'RequireDualStack'],
      default: '',
      description: "address families; without it, the cluster's",
    },
  }),
  clusterDomain: text("domain of the cluster's DNS", 'cluster.local', {
    pattern: NAME,
    minLength: 1,
  }),
  networkPolicy: group('NetworkPolicy: what may reach the pods, and what they may reach', {
    enabled: flag('whether there is one', false),
    ingressFrom: list(
      'who may reach the webhook and its metrics, as in a NetworkPolicy: the API server by `ipBlock`, as it has no labels, and Prometheus; none: everybody',
      OBJECT,
    ),
    apiServerPorts: list(
      'ports of the API server',
      { type: 'integer', minimum: 1, maximum: 65_535 },
      [443, 6443],
    ),
    registryPorts: list(
      'ports of registries and their token servers',
      { type: 'integer', minimum: 1, maximum: 65_535 },
      [443],
    ),
    extraEgress: list('more egress rules', OBJECT),
  }),
}
