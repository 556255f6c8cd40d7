{{- define "scim-operator.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end }}

{{- define "scim-operator.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}
{{- end }}

{{- define "scim-operator.externalURL" -}}
{{ required "set externalURL to the address under which identity providers reach the operator, such as https://scim.example.com" .Values.externalURL }}
{{- end }}

{{- /* The host of externalURL, for what routes calls to it by their host and path. */ -}}
{{- define "scim-operator.host" -}}
{{- $url := urlParse (include "scim-operator.externalURL" .) -}}
{{- if not (has $url.path (list "" "/")) -}}
{{- fail (printf "ingress and httpRoute serve externalURL without a path, and %s has one: take the path away, or route it yourself and turn ingress and httpRoute off" .Values.externalURL) -}}
{{- end -}}
{{ $url.hostname }}
{{- end }}
