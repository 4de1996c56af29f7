{{- /* tagwarden.yaml: what follows from other values, with the value config. */ -}}
{{- define "tagwarden.config" -}}
{{- $own := eq .Values.certificates.source "Own" -}}
{{- $annotations := dig "cluster" "webhooks" "annotations" list .Values.config -}}
{{- if eq .Values.certificates.source "CertManager" -}}
{{- $annotations = append $annotations (printf "cert-manager.io/inject-ca-from=%s/%s" .Release.Namespace (include "tagwarden.fullname" .)) -}}
{{- end -}}
{{- $webhooks := dict "caBundle" (ternary "Injected" "Own" (eq .Values.certificates.source "CertManager")) -}}
{{- with $annotations -}}{{- $_ := set $webhooks "annotations" . -}}{{- end -}}
{{- $cluster := dict
  "mode" "On"
  "name" (include "tagwarden.fullname" .)
  "promotion" (ternary "On" "Off" .Values.promotion.enabled)
  "certificates" (ternary "Secret" "Folder" $own)
  "webhooks" $webhooks
  "pullSecrets" .Values.pullSecrets -}}
{{- $made := dict
  "listen" (dict "port" (int .Values.containerPort) "drainDelay" (printf "%ds" (int .Values.drainSeconds)))
  "catalog" (dict "path" "/var/lib/tagwarden/catalog")
  "certificates" (dict "path" "/var/lib/tagwarden/certs")
  "audit" (dict "mode" (ternary "On" "Off" .Values.audit.enabled))
  "cluster" $cluster -}}
{{- with .Values.clients -}}
{{- if or .configMap .secret -}}
{{- $_ := set $made "clients" (dict "certificateAuthority" "/etc/tagwarden-clients/ca.crt" "names" .names "enforcement" .enforcement) -}}
{{- end -}}
{{- end -}}
{{- $defaults := dict "listen" (dict "address" "0.0.0.0") "log" (dict "format" "Json") -}}
{{- mergeOverwrite $defaults (deepCopy .Values.config) $made | toYaml -}}
{{- end -}}
