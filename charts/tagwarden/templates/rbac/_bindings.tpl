{{- define "tagwarden.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "tagwarden.serviceAccountName" . | quote }}
    namespace: {{ .Release.Namespace | quote }}
{{- end -}}

{{- /* Binds a ClusterRole to a binding of the same name: (list $ NAME) */ -}}
{{- define "tagwarden.clusterRoleBinding" -}}
{{- $root := first . -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  {{- include "tagwarden.metadata" (list $root (index . 1) "") | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ index . 1 | quote }}
{{ include "tagwarden.subjects" $root }}
{{- end -}}

{{- /* (list $ NAME NAMESPACE KIND ROLE) */ -}}
{{- define "tagwarden.roleBinding" -}}
{{- $root := first . -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "tagwarden.metadata" (list $root (index . 1) (index . 2)) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ index . 3 }}
  name: {{ index . 4 | quote }}
{{ include "tagwarden.subjects" $root }}
{{- end -}}
