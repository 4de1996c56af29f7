{{- /* The alerts, as a list. What Prometheus itself fills in stands in variables here. */ -}}
{{- /* PromotionFailing: attempts are an hour apart at most (LONGEST_RETRY), and one alone is no alert. */ -}}
{{- define "tagwarden.alerts" -}}
{{- $name := include "tagwarden.fullname" . -}}
{{- $of := printf "namespace=%q, job=%q" .Release.Namespace $name -}}
{{- $where := printf "%s/%s" .Release.Namespace $name -}}
{{- $value := "{{ $value | humanize }}" -}}
{{- $duration := "{{ $value | humanizeDuration }}" -}}
{{- $limits := .Values.prometheusRule -}}
- alert: TagwardenDown
  expr: |-
    absent(tagwarden_leader{ {{- $of -}} })
      or kube_deployment_status_replicas_available{namespace={{ .Release.Namespace | quote }}, deployment={{ $name | quote }}} == 0
  for: 5m
  severity: critical
  summary: No replica of Tagwarden answers
  description: >-
    No replica of {{ $where }} is there. Images are neither judged nor resolved; where a policy says
    onUnavailable: Deny, nothing can be deployed. Look at its pods and their logs.
- alert: TagwardenWebhookNotCalled
  expr: max(tagwarden_webhook_alive{ {{- $of -}} }) == 0
  for: 5m
  severity: critical
  summary: The API server does not call Tagwarden
  description: >-
    The replicas of {{ $where }} run, but a request that should have come to them through the API
    server did not: images are not judged. Look at the webhook configurations named {{ $name }}, and
    whether the API server reaches the Service.
- alert: TagwardenNoLeader
  expr: sum(tagwarden_leader{ {{- $of -}} }) == 0
  for: 5m
  severity: warning
  summary: No replica of Tagwarden leads
  description: >-
    Reviews are answered, but nobody scans repositories, writes statuses, promotes or keeps the
    webhook configurations right. Look at the Lease {{ $where }}.
- alert: TagwardenSlow
  expr: |-
    histogram_quantile(0.99, sum by (le) (rate(tagwarden_http_request_duration_seconds_bucket{ {{- $of -}} }[5m])))
      > {{ $limits.latencySeconds }}
  for: 10m
  severity: warning
  summary: Reviews of Tagwarden are slow
  description: >-
    One review in a hundred takes {{ $duration }} or longer. Look at registries that are slow to
    answer, and at the CPU of the replicas of {{ $where }}.
- alert: TagwardenDenialsSpike
  expr: |-
    sum(rate(tagwarden_reviews_total{ {{- $of }}, verdict="denied"}[10m])) * 60
      > {{ $limits.deniedPerMinute }}
    and
    sum(rate(tagwarden_reviews_total{ {{- $of }}, verdict="denied"}[10m]))
      > 5 * (sum(rate(tagwarden_reviews_total{ {{- $of }}, verdict="denied"}[1d] offset 10m)) or vector(0))
  for: 5m
  severity: warning
  summary: Tagwarden denies much more than usual
  description: >-
    {{ $value }} requests a minute are denied. The log of {{ $where }} has a line for each; a policy
    that has just changed, or a tag that is gone from its registry, is the usual cause.
- alert: TagwardenIndexStale
  expr: max(tagwarden_index_overdue_seconds{ {{- $of -}} }) > {{ $limits.indexAgeSeconds }}
  for: 15m
  severity: warning
  summary: Tagwarden does not see new tags
  description: >-
    A repository should have been read again {{ $duration }} ago. "kubectl get imagerepositories -A" says which,
    and what its registry answered.
- alert: TagwardenCertificateEnding
  expr: |-
    min by (certificate) (tagwarden_certificate_expiry_timestamp_seconds{ {{- $of -}} }) - time()
      < {{ $limits.certificateDays }} * 86400
  for: 1h
  severity: critical
  summary: A certificate of Tagwarden ends soon
  description: >-
    It ends in {{ $duration }}, and should have been renewed. After that the API server no longer
    calls {{ $where }}. Look at its log, and at the Secret {{ include "tagwarden.certificatesSecret" . }};
    where the label certificate is client, give the API server a new one for its webhooks.
- alert: TagwardenPolicyNotReady
  expr: sum(max by (kind) (tagwarden_policies{ {{- $of }}, ready="false"})) > 0
  for: 15m
  severity: warning
  summary: Policies of Tagwarden are wrong
  description: >-
    {{ $value }} policies can't be used as they are. "kubectl get imagepolicies,clusterimagepolicies -A"
    says which, and what to write.
- alert: TagwardenPromotionFailing
  expr: |-
    sum(increase(tagwarden_promotions_total{ {{- $of }}, outcome="failed"}[70m])) > 0
    unless
    sum(increase(tagwarden_promotions_total{ {{- $of }}, outcome="promoted"}[70m])) > 0
  for: 75m
  severity: warning
  summary: Tagwarden can not move workloads to newer versions
  description: >-
    For an hour every attempt to patch a workload has failed. Its events and the log of {{ $where }}
    say why.
- alert: TagwardenPromotionStopped
  expr: sum(increase(tagwarden_promotions_total{ {{- $of }}, outcome="stopped"}[1h])) > 0
  for: 1m
  severity: warning
  summary: A promotion has stopped at its first workload
  description: >-
    A workload that Tagwarden moved to a newer version did not become available or was rolled back,
    or several in a row could not be moved; the others of its policy stay where they are.
    "kubectl get events -A --field-selector reason=PromotionStopped" says which and why.
{{- end -}}
