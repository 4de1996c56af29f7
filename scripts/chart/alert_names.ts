/** The alerts of templates/monitoring/prometheusrule.yaml, in their order. */
export const ALERT_NAMES = [
  'TagwardenDown',
  'TagwardenWebhookNotCalled',
  'TagwardenNoLeader',
  'TagwardenSlow',
  'TagwardenDenialsSpike',
  'TagwardenIndexStale',
  'TagwardenCertificateEnding',
  'TagwardenPolicyNotReady',
  'TagwardenPromotionFailing',
  'TagwardenPromotionStopped',
] as const
