/** The Deployment under review. */
export interface Reviewed {
  readonly images: readonly string[]
  readonly namespace?: string
  /** characters of ballast in variables of the first container, for large objects */
  readonly ballast?: number
}

/** The body of a webhook call for a Deployment of three images, about 3 KB as real ones are. */
export function review(options: Reviewed): Buffer {
  const { namespace = 'shop' } = options
  return Buffer.from(
    JSON.stringify({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid: '9b1f2a1e-7c1d-4d9f-9b57-5b1d5f0c9a11',
        kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        resource: { group: 'apps', version: 'v1', resource: 'deployments' },
        requestKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
        requestResource: { group: 'apps', version: 'v1', resource: 'deployments' },
        name: 'web',
        namespace,
        operation: 'CREATE',
        userInfo: { username: 'jane', groups: ['developers', 'system:authenticated'] },
        object: deployment(options),
        oldObject: null,
        dryRun: false,
        options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', fieldManager: 'kubectl' },
      },
    }),
  )
}

/** A Deployment of a container for each image. */
export function deployment(options: Reviewed): object {
  const { images, namespace = 'shop', ballast = 0 } = options
  const labels = {
    'app.kubernetes.io/name': 'web',
    'app.kubernetes.io/part-of': 'shop',
    tier: 'front',
  }
  const containers = images.map((image, index) => ({
    name: `app-${index}`,
    image,
    ports: [{ name: 'http', containerPort: 8080 + index, protocol: 'TCP' }],
    env: [
      { name: 'LOG_LEVEL', value: 'info' },
      {
        name: 'POD_NAME',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      },
      ...(index === 0 ? variables(ballast) : []),
    ],
    resources: {
      limits: { cpu: '1', memory: '512Mi' },
      requests: { cpu: '100m', memory: '128Mi' },
    },
    readinessProbe: {
      httpGet: { path: '/ready', port: 'http', scheme: 'HTTP' },
      periodSeconds: 10,
    },
    volumeMounts: [{ name: 'config', mountPath: '/etc/web', readOnly: true }],
    terminationMessagePath: '/dev/termination-log',
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
  }))
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace,
      labels,
    },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          containers,
          volumes: [{ name: 'config', configMap: { name: 'web', defaultMode: 420 } }],
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          schedulerName: 'default-scheduler',
        },
      },
      strategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
      },
    },
  }
}

function variables(characters: number): { readonly name: string; readonly value: string }[] {
  const count = Math.ceil(characters / 100)
  return Array.from({ length: count }, (_, index) => ({
    name: `EXAMPLE_${index}`,
    value: 'x'.repeat(64),
  }))
}
