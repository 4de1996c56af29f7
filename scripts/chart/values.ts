import { chartSettings } from './config_values.ts'
import { MONITORING_VALUES } from './monitoring_values.ts'
import { POD_VALUES } from './pod_values.ts'
import {
  choice,
  flag,
  group,
  LABEL,
  list,
  NAME,
  OBJECT,
  strings,
  text,
  type Value,
} from './value.ts'

const TIME = '^([0-9]+(h|m|s))+$'

/** All values of the chart, in the order of values.yaml: the source of every file made from them. */
export const VALUES: Value = group('', {
  config: {
    ...chartSettings(),
    description:
      'the [configuration](configuration.md); the chart adds what follows from other values',
    default: {},
  },
  ...POD_VALUES,
  certificates: group('serving certificate of the webhook', {
    source: choice(
      '`Own`: made and rotated by Tagwarden, in a Secret; `CertManager`; `ExistingSecret`',
      'Own',
      'CertManager',
      'ExistingSecret',
    ),
    existingSecret: text('name of the Secret with `tls.crt`, `tls.key` and `ca.crt`', '', {
      pattern: NAME,
    }),
    certManager: group('for `CertManager`', {
      issuer: group('the issuer; without a name, a CA that the chart makes', {
        name: text('its name; it must give a `ca.crt`', '', { pattern: NAME }),
        kind: text('its kind', 'Issuer', { minLength: 1 }),
        group: text('its API group', 'cert-manager.io', { minLength: 1, pattern: NAME }),
      }),
      duration: text('lifetime of a certificate', '2160h', { pattern: TIME }),
      renewBefore: text('how long before its end it is renewed', '720h', { pattern: TIME }),
    }),
  }),
  clients: group(
    '[who may ask for reviews](webhook.md#who-may-ask): clients with a certificate of this CA; without one, everybody who reaches the port',
    {
      configMap: text('name of the ConfigMap with the CA as `ca.crt`', '', { pattern: NAME }),
      secret: text('instead: name of the Secret with it', '', { pattern: NAME }),
      names: list('common names or subject alternative names that they must be for; none: any', {
        type: 'string',
        minLength: 1,
      }),
      enforcement: choice('`Warn` answers others too, and logs them', 'Enforce', 'Warn'),
    },
  ),
  pullSecrets: group('[pull secrets](install.md#private-registries) that may be read', {
    namespaces: list('namespaces in which all may be read; they have to be there', {
      type: 'string',
      minLength: 1,
      pattern: LABEL,
    }),
    secrets: list('single ones, each as `namespace/name`; the namespace has to be there', {
      type: 'string',
      pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$',
    }),
    installation: list("names in the release's namespace, used for all", {
      type: 'string',
      minLength: 1,
      pattern: NAME,
    }),
  }),
  promotion: group('moving workloads to newer versions', {
    enabled: flag(
      'whether workloads may be patched; without it, versions move only when something is applied',
      true,
    ),
  }),
  audit: group('judging what runs, in the background; results are PolicyReports and metrics', {
    enabled: flag('whether workloads and pods may be listed, and reports written', true),
  }),
  customResources: list(
    'custom kinds of `config.imageFields` whose objects may be promoted and audited: `group` and plural `resource`',
    {
      type: 'object',
      additionalProperties: false,
      required: ['group', 'resource'],
      properties: {
        group: { type: 'string', pattern: NAME },
        resource: { type: 'string', pattern: '^[a-z][a-z0-9]*$' },
      },
    },
  ),
  flux: group("Flux's image policies", {
    enabled: flag('whether its ImageRepositories and ImagePolicies may be read', true),
  }),
  rbac: group('rights', {
    create: flag('whether the roles and their bindings are made', true),
    aggregate: flag('whether view, edit and admin include `<name>-view` and `<name>-edit`', true),
    editorsMayExcept: flag('whether editors of a namespace may write ImagePolicyExceptions', false),
  }),
  serviceAccount: group('what it runs as', {
    create: flag('whether it is made', true),
    name: text("its name; without it, the release's name, or `default` when none is made", '', {
      pattern: NAME,
    }),
    annotations: strings(
      'annotations, such as `eks.amazonaws.com/role-arn` or `iam.gke.io/gcp-service-account`',
    ),
  }),
  crds: group('the CRDs of Tagwarden', {
    install: flag('whether they are installed and upgraded', true),
    keep: flag('whether they, and all policies with them, outlive `helm uninstall`', true),
  }),
  ...MONITORING_VALUES,
  nameOverride: text('instead of the name of the chart', '', { pattern: LABEL, maxLength: 63 }),
  fullnameOverride: text('instead of the name of the release, in all names', '', {
    pattern: LABEL,
    maxLength: 52,
  }),
  commonLabels: strings('more labels of everything'),
  extraObjects: list('more objects, as templates', {
    ...OBJECT,
    type: ['object', 'string'],
  }),
  global: { type: 'object', hidden: true },
  enabled: { type: 'boolean', hidden: true },
  tags: { type: 'object', hidden: true },
})
