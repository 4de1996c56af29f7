import type { Values } from './helm.ts'

/** All that can be switched on. */
export const EVERYTHING: Values = {
  config: {
    listen: { address: '::' },
    defaults: { unmatched: 'Warn' },
    registries: [
      {
        host: '*.dkr.ecr.eu-central-1.amazonaws.com',
        auth: { dockerConfig: '/credentials/.dockerconfigjson' },
      },
      { host: 'registry.example.com:5000', certificateAuthority: '/ca/ca.crt' },
    ],
    imageFields: [
      {
        group: 'argoproj.io',
        kind: 'Rollout',
        paths: ['/spec/template/spec/containers/*/image'],
      },
    ],
    cluster: {
      leaseDuration: '20s',
      webhooks: { annotations: ['admissions.enforcer/disabled=true'] },
    },
  },
  image: { digest: `sha256:${'5b'.repeat(32)}`, pullSecrets: ['mirror'] },
  resources: {
    requests: { cpu: '500m', memory: '1Gi', 'ephemeral-storage': '2Gi' },
    limits: { memory: '2Gi', 'ephemeral-storage': '3Gi' },
  },
  priorityClassName: 'system-cluster-critical',
  tolerations: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }] },
        ],
      },
    },
  },
  dnsConfig: { options: [{ name: 'ndots', value: '2' }] },
  hostAliases: [{ ip: '10.0.0.9', hostnames: ['registry.example.com'] }],
  podLabels: { 'azure.workload.identity/use': 'true' },
  podAnnotations: { 'example.com/team': 'platform' },
  annotations: { 'reloader.example.com/auto': 'true' },
  extraArgs: [],
  env: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example.com:3128' }],
  envFrom: [{ configMapRef: { name: 'proxy', optional: true } }],
  volumes: [
    { name: 'credentials', secret: { secretName: 'registry-credentials' } },
    { name: 'ca', configMap: { name: 'registry-ca' } },
  ],
  volumeMounts: [
    { name: 'credentials', mountPath: '/credentials', readOnly: true },
    { name: 'ca', mountPath: '/ca', readOnly: true },
  ],
  service: { annotations: { 'example.com/note': 'webhook' }, labels: { tier: 'control' } },
  networkPolicy: {
    enabled: true,
    registryPorts: [443, 5000],
    ingressFrom: [{ ipBlock: { cidr: '10.2.0.0/16' } }],
    extraEgress: [{ to: [{ ipBlock: { cidr: '10.1.0.0/16' } }] }],
  },
  clients: {
    configMap: 'webhook-clients',
    names: ['kube-apiserver-webhooks'],
    enforcement: 'Warn',
  },
  pullSecrets: {
    namespaces: ['shop', 'billing'],
    secrets: ['web/regcred', 'web/mirror', 'api/regcred'],
    installation: ['hub'],
  },
  customResources: [{ group: 'argoproj.io', resource: 'rollouts' }],
  rbac: { editorsMayExcept: true },
  serviceAccount: {
    annotations: {
      'eks.amazonaws.com/role-arn': 'arn:aws:iam::123456789012:role/tagwarden',
      'iam.gke.io/gcp-service-account': 'tagwarden@acme.iam.gserviceaccount.com',
      'azure.workload.identity/client-id': '00000000-0000-0000-0000-000000000000',
    },
  },
  serviceMonitor: {
    enabled: true,
    labels: { release: 'prometheus' },
    metricRelabelings: [{ action: 'drop', regex: 'nodejs_.*', sourceLabels: ['__name__'] }],
  },
  prometheusRule: {
    enabled: true,
    labels: { release: 'prometheus' },
    alertLabels: { team: 'platform' },
    runbook: 'https://runbooks.example.com/',
    extraRules: [{ record: 'tagwarden:denied', expr: 'sum(tagwarden_reviews_total)' }],
  },
  dashboard: { enabled: true, annotations: { grafana_folder: 'Platform' } },
  commonLabels: { 'example.com/cost-centre': '42' },
  extraObjects: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: '{{ .Release.Name }}-extra', namespace: '{{ .Release.Namespace }}' },
      data: { text: 'kept' },
    },
  ],
}

/** Value sets that people really use, each of which must give what the API server takes. */
export const VALUE_SETS: Readonly<Record<string, Values>> = {
  defaults: {},
  everything: EVERYTHING,
  'one small replica': {
    replicas: 1,
    resources: { requests: { memory: '96Mi' }, limits: { memory: '160Mi' } },
    podDisruptionBudget: { enabled: false },
    topologySpread: [],
    promotion: { enabled: false },
    audit: { enabled: false },
    flux: { enabled: false },
    rbac: { aggregate: false },
    crds: { install: false },
  },
  'a CA of cert-manager': {
    certificates: { source: 'CertManager' },
    serviceMonitor: { enabled: true },
  },
  'an issuer of cert-manager': {
    certificates: {
      source: 'CertManager',
      certManager: {
        issuer: { name: 'company', kind: 'ClusterIssuer' },
        duration: '720h',
        renewBefore: '240h',
      },
    },
  },
  'a given certificate': {
    certificates: { source: 'ExistingSecret', existingSecret: 'webhook-tls' },
    podDisruptionBudget: { maxUnavailable: null, minAvailable: '50%' },
  },
  'rights and account made by somebody else': {
    rbac: { create: false },
    serviceAccount: { create: false, name: 'given' },
  },
  OpenShift: {
    podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null },
    resources: { limits: null },
  },
  'a volume that stays, and one replica after the other': {
    replicas: 1,
    catalogVolume: { persistentVolumeClaim: { claimName: 'index' } },
    updateStrategy: { type: 'Recreate' },
    commonLabels: { team: 'platform' },
    podLabels: { team: 'webhooks' },
  },
  'part of another chart': { global: { imageRegistry: 'x' }, enabled: true, tags: { a: true } },
}
