{{- /* A probe: (list PATH VALUES) */ -}}
{{- define "tagwarden.probe" -}}
httpGet:
  path: {{ first . }}
  port: https
  scheme: HTTPS
{{ index . 1 | toYaml }}
{{- end -}}

{{- /* The heap's bound follows the memory limit that the container really has, also after a resize in
place. Whoever gives NODE_OPTIONS decides. */ -}}
{{- define "tagwarden.environment" -}}
{{- $given := false -}}
{{- range .Values.env -}}{{- if eq .name "NODE_OPTIONS" -}}{{- $given = true -}}{{- end -}}{{- end -}}
{{- $limits := dig "limits" dict (.Values.resources | default dict) -}}
{{- $bounded := and (kindIs "map" $limits) (get ($limits | default dict) "memory") (not $given) -}}
env:
  - name: TAGWARDEN_CLUSTER_IDENTITY
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: TAGWARDEN_CLUSTER_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  {{- if $bounded }}
  - name: NODE_OPTIONS
    value: --max-old-space-size-percentage={{ .Values.heapPercent }}
  {{- end }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
