import { ALERT_NAMES } from './alert_names.ts'
import { flag, group, list, NAME, OBJECT, part, strings, text, type Value, whole } from './value.ts'

const TIME = '^([0-9]+(ms|s|m|h))+$'

/** What Prometheus and Grafana get. */
export const MONITORING_VALUES: Readonly<Record<string, Value>> = {
  serviceMonitor: group('for the Prometheus Operator', {
    enabled: flag('whether there is one', false),
    interval: text('time between two scrapes', '30s', { pattern: TIME }),
    scrapeTimeout: text('how long one may take', '10s', { pattern: TIME }),
    labels: strings('labels that your Prometheus selects by, such as `release: prometheus`'),
    tlsConfig: part('TLS settings instead of checking the certificate by the CA in the Secret'),
    relabelings: list('relabelings of targets; the alerts go by namespace and job', OBJECT),
    metricRelabelings: list('relabelings of metrics', OBJECT),
  }),
  prometheusRule: group('[alerts](install.md#alerts) for the Prometheus Operator', {
    enabled: flag('whether there are any', false),
    labels: strings('labels that your Prometheus selects by'),
    alertLabels: strings('more labels of each alert'),
    disabled: list('alerts that are left out', { type: 'string', enum: ALERT_NAMES }),
    latencySeconds: {
      type: 'number',
      description: 'so long the 99th percentile of reviews may take',
      default: 1,
      minimum: 0.001,
      // the histogram tells no longer ones apart
      maximum: 29,
    },
    deniedPerMinute: {
      type: 'number',
      description:
        'denials a minute that count as a spike, if they are also five times those of the day before',
      default: 10,
      minimum: 0,
    },
    indexAgeSeconds: whole(
      'so late a repository may be to be read again, after its interval',
      3600,
      60,
    ),
    certificateDays: whole(
      'days before its end by which a certificate should have been renewed; fewer than those of certManager.renewBefore',
      14,
      1,
    ),
    runbook: text('address of your own pages; the name of the alert is added'),
    extraRules: list('more rules of the group', OBJECT),
  }),
  dashboard: group("a Grafana dashboard, in a ConfigMap for Grafana's sidecar", {
    enabled: flag('whether there is one', false),
    namespace: text("its namespace; without it, the release's", '', { pattern: NAME }),
    labels: strings('labels that the sidecar selects by', { grafana_dashboard: '1' }),
    annotations: strings('annotations, such as the folder'),
  }),
}
