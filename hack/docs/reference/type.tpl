{{- define "kind" }}
## {{ .Name }}

{{ template "text" .Doc }}
{{ range .Members }}{{ if ne .Name "metadata" }}{{ template "type" .Type }}{{ end }}{{ end -}}
{{- end -}}

{{- define "type" -}}
{{- if markdownShouldRenderType . }}
### {{ .Name }}

{{ template "text" .Doc }}
{{ if .References }}
{{ range $i, $t := .SortedReferences }}{{ if $i }}, {{ else }}In {{ end }}{{ markdownRenderTypeLink $t }}{{ end }}.
{{ end -}}
{{ if .EnumValues }}
| Value | |
|---|---|
{{ range .EnumValues -}}
| `{{ .Name }}` | {{ template "cell" .Doc }} |
{{ end -}}
{{ else if .Members }}
| Field | Type | |
|---|---|---|
{{ range .Members -}}
| `{{ .Name }}` | {{ markdownRenderType .Type }} | {{ if index .Markers "required" }}**Required.** {{ end }}{{ template "cell" .Doc }} |
{{ end -}}
{{ else if .UnderlyingType }}
A {{ markdownRenderTypeLink .UnderlyingType }}.
{{ end -}}
{{ end -}}
{{- end -}}

{{- define "text" -}}
{{ . | replace "<" "&lt;" | trim }}
{{- end -}}

{{- define "cell" -}}
{{ . | replace "\n" " " | replace "|" "\\|" | replace "<" "&lt;" | trim }}
{{- end -}}
