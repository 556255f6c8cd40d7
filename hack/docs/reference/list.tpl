{{- define "gvList" -}}
<!-- Generated from api/v1alpha1 by `make generate`. -->
# API reference
{{ range . }}
All kinds of `{{ .GroupVersionString }}`, field by field, from the comments of [the types](../api/v1alpha1); `kubectl explain` says
the same. All are namespaced, and a namespace is one organization. People write

{{ range list "ScimDirectory" "AppRole" "AppTarget" "AppMembership" -}}
- [{{ . }}](#{{ lower . }})
{{ end }}
and the operator alone

{{ range list "ScimUser" "ScimGroup" "ScimMemberSlice" "ScimTombstone" "AppTargetLedger" -}}
- [{{ . }}](#{{ lower . }})
{{ end -}}
{{ $gv := . -}}
{{ range .SortedKinds }}{{ template "kind" ($gv.TypeForKind .) }}{{ end }}
## Parts of them
{{ range .SortedTypes -}}
{{ $shown := .GVK -}}
{{ range .References }}{{ if .GVK }}{{ $shown = .GVK }}{{ end }}{{ end -}}
{{ if not $shown }}{{ template "type" . }}{{ end -}}
{{ end -}}
{{ end -}}
{{- end -}}
