{{- /* What no schema of a single value can say. */ -}}
{{- define "tagwarden.checks" -}}
{{- $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/managed-by" "helm.sh/chart" -}}
{{- range $value, $labels := dict "commonLabels" .Values.commonLabels "podLabels" .Values.podLabels "service.labels" .Values.service.labels -}}
{{- range $own -}}
{{- if hasKey (default dict $labels) . -}}
{{- fail (printf "%s has %s, which the chart itself sets: leave it out" $value .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $what := list "requests" "limits" -}}
{{- $of := get (default dict $.Values.resources) $what -}}
{{- $memory := toString (get (ternary $of dict (kindIs "map" $of)) "memory") -}}
{{- if regexMatch "^[0-9.]+m$" $memory -}}
{{- fail (printf "resources.%s.memory is %s, which is less than a byte: write %si" $what $memory (upper $memory)) -}}
{{- end -}}
{{- end -}}
{{- with .Values.certificates -}}
{{- if and (eq .source "ExistingSecret") (not .existingSecret) -}}
{{- fail "certificates.source is ExistingSecret: name the Secret in certificates.existingSecret" -}}
{{- end -}}
{{- if and .existingSecret (ne .source "ExistingSecret") -}}
{{- fail (printf "certificates.existingSecret is given, but certificates.source is %s: set it to ExistingSecret" .source) -}}
{{- end -}}
{{- if and (eq .source "CertManager") (not .certManager.issuer.name) (ne .certManager.issuer.kind "Issuer") -}}
{{- fail (printf "certificates.certManager.issuer.kind is %s: name it in certificates.certManager.issuer.name" .certManager.issuer.kind) -}}
{{- end -}}
{{- end -}}
{{- with .Values.clients -}}
{{- if and .configMap .secret -}}
{{- fail "clients has both configMap and secret: set one of them" -}}
{{- end -}}
{{- if and .names (not .configMap) (not .secret) -}}
{{- fail "clients.names is given without a CA: name it in clients.configMap or clients.secret" -}}
{{- end -}}
{{- end -}}
{{- with .Values.podDisruptionBudget -}}
{{- if and .enabled (not (kindIs "invalid" .minAvailable)) (not (kindIs "invalid" .maxUnavailable)) -}}
{{- fail "podDisruptionBudget has both maxUnavailable and minAvailable: set one of them to null" -}}
{{- end -}}
{{- if and .enabled (kindIs "invalid" .minAvailable) (kindIs "invalid" .maxUnavailable) -}}
{{- fail "podDisruptionBudget has neither maxUnavailable nor minAvailable: set one, or enabled to false" -}}
{{- end -}}
{{- end -}}
{{- end -}}
