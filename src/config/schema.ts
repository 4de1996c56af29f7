import type { Schema } from '../policies/index.ts'

/** What a value means beyond its type. */
export type Meaning = 'path' | 'port' | 'duration' | 'interval' | 'size' | 'tags'

/** The schema of one setting. */
export interface Setting extends Schema {
  readonly description?: string
  readonly meaning?: Meaning
  readonly properties?: Readonly<Record<string, Setting>>
  readonly items?: Setting
}

const DURATION = {
  type: 'string',
  pattern: '^([0-9]+([.][0-9]+)?(ms|s|m|h|d))+$',
  maxLength: 40,
  remedy: 'Write a number and a unit, such as "30s", "10m" or "1h30m"',
}

const SIZE_PATTERN = '^[0-9]+([.][0-9]+)?(KiB|MiB|GiB)?$'

const NAME = { type: 'string', minLength: 1, maxLength: 253 }

const PATH = { type: 'string', minLength: 1, maxLength: 4096, meaning: 'path' } as const

function group(properties: Readonly<Record<string, Setting>>): Setting {
  return { type: 'object', properties, additionalProperties: false, default: {} }
}

function choice(description: string, ...names: [string, ...string[]]): Setting {
  return { type: 'string', enum: names, default: names[0], description }
}

/** Every setting, with its default and what it is for. The first choice is the default. */
export const CONFIG_SCHEMA: Setting = group({
  listen: group({
    address: { ...NAME, default: '127.0.0.1', description: 'address to listen on' },
    port: {
      type: 'number',
      meaning: 'port',
      default: 8443,
      remedy: 'Write a whole number from 0 to 65535',
      description: '0 takes any free port',
    },
    bodyLimit: {
      type: ['number', 'string'],
      pattern: SIZE_PATTERN,
      meaning: 'size',
      default: '32MiB',
      remedy: 'Write bytes, or a number with KiB or MiB, such as "32MiB"',
      description: 'largest review that is accepted',
    },
    drainDelay: {
      ...DURATION,
      meaning: 'duration',
      default: '0s',
      description: 'time between saying "not ready" and closing the door; 5s in a cluster',
    },
  }),
  policies: {
    type: 'array',
    items: PATH,
    maxItems: 1000,
    default: [],
    description: 'folders or files with policies; watched',
  },
  catalog: group({
    path: { ...PATH, default: './catalog', description: 'folder of the registry index' },
    interval: {
      ...DURATION,
      meaning: 'interval',
      default: '10m',
      description: 'time between two scans of a repository',
    },
    tagLimit: {
      type: 'number',
      meaning: 'tags',
      default: 250_000,
      remedy: 'Write a whole number from 1 to 1000000',
      description: 'tags of a repository; the list of one that has more is not taken',
    },
  }),
  certificates: group({
    path: { ...PATH, default: './certs', description: 'folder of the CA and the certificate' },
    names: {
      type: 'array',
      items: {
        ...NAME,
        pattern: '^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9a-fA-F:.]+)$',
        remedy: 'Write a DNS name or an IP address',
      },
      maxItems: 100,
      default: [],
      description: 'names in the certificate beside 127.0.0.1, ::1 and localhost',
    },
  }),
  clients: group({
    certificateAuthority: {
      ...PATH,
      description: 'file of the CA of the clients whose reviews are answered; without it, all are',
    },
    names: {
      type: 'array',
      items: { ...NAME, maxLength: 1024 },
      maxItems: 100,
      default: [],
      description: 'common names or subject alternative names that it must be for',
    },
    enforcement: choice('Warn: other reviews are answered too, and logged', 'Enforce', 'Warn'),
  }),
  cluster: group({
    mode: choice(
      'On: policies come from the cluster too, and its webhook configurations are kept right',
      'Off',
      'On',
    ),
    kubeconfig: {
      ...PATH,
      description: "file to reach the cluster by; without it, the pod's service account",
    },
    context: { ...NAME, description: 'context of the kubeconfig; without it, its current one' },
    namespace: {
      ...NAME,
      description: 'of the installation: its Lease, Secret and shared ImageRepositories',
    },
    name: {
      ...NAME,
      pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
      maxLength: 52,
      default: 'tagwarden',
      remedy: 'Use lower-case letters, digits and "-"',
      description: 'of the Service, the Lease, the Secret and the webhook configurations',
    },
    identity: { ...NAME, description: 'of this replica; without it, the name of the host' },
    leaseDuration: {
      ...DURATION,
      meaning: 'interval',
      default: '15s',
      description: 'time after which another replica leads when the leader is gone',
    },
    promotion: choice(
      'whether the leader moves running workloads, for policies that ask for it',
      'On',
      'Off',
    ),
    certificates: choice(
      'Secret: made and rotated in a Secret that all replicas share. Folder: as certificates.path',
      'Secret',
      'Folder',
    ),
    webhooks: group({
      manage: choice(
        'whether the webhook configurations are made and kept right',
        'Always',
        'Never',
      ),
      caBundle: choice(
        'who writes the caBundle; Injected: something else does, such as cert-manager',
        'Own',
        'Injected',
      ),
      annotations: {
        type: 'array',
        items: { type: 'string', minLength: 1, maxLength: 1024, pattern: '^[^=]+=.*$' },
        maxItems: 100,
        default: [],
        remedy: 'Write key=value, such as cert-manager.io/inject-ca-from=tagwarden/tagwarden',
        description: 'of the webhook configurations, each as key=value',
      },
      url: {
        type: 'string',
        maxLength: 1024,
        pattern: '^https://[^?#]+$',
        remedy: 'Write the base URL, such as https://127.0.0.1:8443',
        description: 'where the API server reaches this replica; without it, by the Service',
      },
      port: {
        type: 'number',
        meaning: 'port',
        default: 443,
        remedy: 'Write a whole number from 1 to 65535',
        description: 'of the Service',
      },
      timeout: {
        ...DURATION,
        meaning: 'interval',
        default: '10s',
        description: 'how long the API server waits, 1s to 30s',
      },
      excludedNamespaces: {
        type: 'array',
        items: NAME,
        maxItems: 1000,
        default: [],
        description: 'namespaces that are never asked about, beside kube-system and its own',
      },
      probeInterval: {
        ...DURATION,
        meaning: 'interval',
        default: '30s',
        description: 'time between two requests that prove that the API server calls this webhook',
      },
    }),
    pullSecrets: group({
      namespaces: {
        type: 'array',
        items: NAME,
        maxItems: 1000,
        default: [],
        description: 'namespaces whose pull secrets are read, beside those that opt in by label',
      },
      secrets: {
        type: 'array',
        items: {
          ...NAME,
          maxLength: 512,
          pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
          remedy: 'Write namespace/name',
        },
        maxItems: 1000,
        default: [],
        description: 'single pull secrets that may be read, each as namespace/name',
      },
      installation: {
        type: 'array',
        items: NAME,
        maxItems: 100,
        default: [],
        description: "names of pull secrets in the installation's own namespace, used for all",
      },
    }),
  }),
  audit: group({
    mode: choice('whether the leader audits what runs, in the background', 'On', 'Off'),
    interval: {
      ...DURATION,
      meaning: 'interval',
      default: '1h',
      description: 'time between two audits; a changed policy brings the next one forward',
    },
  }),
  defaults: group({
    latest: choice('untagged and :latest images that no policy covers', 'Deny', 'Allow'),
    unmatched: choice('images that no policy covers', 'Allow', 'Warn', 'Deny'),
    enforcement: choice('how a policy counts that does not say', 'Enforce', 'Warn', 'Audit'),
    ownedObjects: choice(
      'how violations count on what Kubernetes’ controllers make from reviewed objects',
      'Enforce',
      'Warn',
    ),
  }),
  annotations: group({
    prefix: {
      ...NAME,
      pattern: '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
      remedy: 'Write a DNS name in lower case, such as fluxcd.io',
      default: 'fluxcd.io',
      description: 'of the annotations tag.<image> and build.number',
    },
  }),
  registries: {
    type: 'array',
    maxItems: 1000,
    default: [],
    remedy: 'Write a list of objects, such as [{ host: registry.example.com }]',
    description: 'how to speak to registry hosts',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['host'],
      properties: {
        host: {
          ...NAME,
          pattern:
            '^([*][.])?([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+\\])(:[0-9]{1,5})?$',
          remedy:
            'Write a host without scheme and path, such as registry.example.com:5000 or *.example.com',
          examples: ['registry.example.com'],
        },
        address: {
          ...NAME,
          pattern: '^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9a-fA-F:]+\\])(:[0-9]{1,5})?$',
          remedy: 'Write host or host:port of the API, without scheme and path',
          examples: ['mirror.example.com:5000'],
        },
        insecure: { type: 'boolean' },
        auth: {
          type: 'object',
          additionalProperties: false,
          required: ['dockerConfig'],
          properties: {
            dockerConfig: { ...PATH, examples: ['~/.docker/config.json'] },
            tokenServer: NAME,
          },
        },
        certificateAuthority: PATH,
      },
    },
  },
  imageFields: {
    type: 'array',
    maxItems: 1000,
    default: [],
    remedy: 'Write a list of objects with group, kind and paths',
    description: 'where custom kinds hold images',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['group', 'kind', 'paths'],
      properties: {
        group: { type: 'string', maxLength: 253, examples: ['argoproj.io'] },
        kind: { ...NAME, examples: ['Rollout'] },
        paths: {
          type: 'array',
          items: { type: 'string', maxLength: 1024 },
          maxItems: 100,
          examples: ['/spec/template/spec/containers/*/image'],
        },
      },
    },
  },
  controllers: {
    type: 'array',
    items: NAME,
    maxItems: 1000,
    default: [],
    description: "accounts of controllers that own what they make, beside Kubernetes' own",
  },
  deadline: {
    ...DURATION,
    meaning: 'interval',
    default: '10s',
    description: 'longest time that a review may take',
  },
  log: group({
    level: {
      type: 'string',
      enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      default: 'info',
    },
    format: choice('Auto: Text on a terminal, else Json', 'Auto', 'Json', 'Text'),
  }),
})
