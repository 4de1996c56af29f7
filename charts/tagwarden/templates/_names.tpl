{{- /* Name of everything, and of the installation in the program's configuration: cluster.name. */ -}}
{{- define "tagwarden.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default ($full | replace "." "-" | trunc 52 | trimSuffix "-") .Values.fullnameOverride -}}
{{- end -}}

{{- define "tagwarden.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tagwarden.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- /* Name that the API server calls the Service by. */ -}}
{{- define "tagwarden.host" -}}
{{- printf "%s.%s.svc" (include "tagwarden.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "tagwarden.image" -}}
{{- $tag := default .Chart.AppVersion .Values.image.tag -}}
{{- $digest := ternary (printf "@%s" .Values.image.digest) "" (not (empty .Values.image.digest)) -}}
{{- printf "%s:%s%s" .Values.image.repository $tag $digest -}}
{{- end -}}

{{- /* Secret with the CA and the certificate of the webhook. Each source has its own: cert-manager leaves
the key of another's CA in it, with which nothing starts, and renews nothing that it has left. */ -}}
{{- define "tagwarden.certificatesSecret" -}}
{{- if eq .Values.certificates.source "ExistingSecret" -}}
{{- .Values.certificates.existingSecret -}}
{{- else if eq .Values.certificates.source "CertManager" -}}
{{- printf "%s-tls" (include "tagwarden.fullname" .) -}}
{{- else -}}
{{- printf "%s-certificates" (include "tagwarden.fullname" .) -}}
{{- end -}}
{{- end -}}

{{- define "tagwarden.identity" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* Labels of the replicas, and of no other pod of the release. */ -}}
{{- define "tagwarden.selector" -}}
{{ include "tagwarden.identity" . }}
app.kubernetes.io/component: webhook
{{- end -}}

{{- define "tagwarden.labels" -}}
{{- $own := dict
  "app.kubernetes.io/name" (default .Chart.Name .Values.nameOverride)
  "app.kubernetes.io/instance" .Release.Name
  "app.kubernetes.io/version" .Chart.AppVersion
  "app.kubernetes.io/managed-by" .Release.Service
  "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") -}}
{{- merge (deepCopy (default dict .Values.commonLabels)) $own | toYaml -}}
{{- end -}}

{{- /* metadata of an object: (list $ NAME NAMESPACE [LABELS]); a namespace of "" for none */ -}}
{{- define "tagwarden.metadata" -}}
{{- $root := first . -}}
{{- $more := dict -}}
{{- if gt (len .) 3 -}}{{- $more = default dict (index . 3) -}}{{- end -}}
name: {{ index . 1 | quote }}
{{- with index . 2 }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- merge (deepCopy $more) (include "tagwarden.labels" $root | fromYaml) | toYaml | nindent 2 }}
{{- end -}}
