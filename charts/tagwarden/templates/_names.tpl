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

{{- /* Secret with the CA and the certificate of the webhook. */ -}}
{{- define "tagwarden.certificatesSecret" -}}
{{- if eq .Values.certificates.source "ExistingSecret" -}}
{{- .Values.certificates.existingSecret -}}
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
{{ include "tagwarden.identity" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* metadata of an object: (list $ NAME [NAMESPACE]); a namespace of "" for none */ -}}
{{- define "tagwarden.metadata" -}}
{{- $root := first . -}}
name: {{ index . 1 | quote }}
{{- with index . 2 }}
namespace: {{ . | quote }}
{{- end }}
labels:
  {{- include "tagwarden.labels" $root | nindent 2 }}
{{- end -}}
