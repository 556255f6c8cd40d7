package targets

import (
	"strings"
	"testing"
)

var ada = Person{ID: "0a", UserName: "Ada@Example.com", Email: "ada@example.com", ExternalID: "00u1"}

func TestSubject(t *testing.T) {
	for template, name := range map[string]string{
		"{{ .userName }}":                   "Ada@Example.com",
		"{{.userName}}":                     "Ada@Example.com",
		"oidc:{{ .userName | lower }}":      "oidc:ada@example.com",
		"{{ .externalId }}/{{ .id }}":       "00u1/0a",
		"user:{{- .email -}}  ":             "user:ada@example.com",
		"{{/* a comment */}}{{ .email }}":   "ada@example.com",
		`a "quoted" \ text of {{ .email }}`: `a "quoted" \ text of ada@example.com`,
		"{{ .email }}{{ .email | lower }} ": "ada@example.comada@example.com ",
	} {
		s, err := ParseSubject(template)
		if err != nil {
			t.Errorf("%q: %v", template, err)
			continue
		}
		if is, err := s.Of(ada); err != nil || is != name {
			t.Errorf("%q names %q, %v; not %q", template, is, err, name)
		}
	}
}

func TestSubjectThatNamesNobody(t *testing.T) {
	for _, template := range []string{
		"", "ada", "{{", "{{ . }}", "{{ .displayName }}", "{{ .userName.x }}", "{{ .userName | upper }}", "{{ lower .userName }}",
		`{{ printf "%1000000000d" 1 }}`, "{{ range 1000000000 }}x{{ end }}", "{{ if .email }}{{ .email }}{{ end }}",
		`{{ define "x" }}{{ .email }}{{ end }}`, `{{ .email }}{{ template "subject" . }}`, "{{ $x := .email }}{{ $x }}",
		"{{ .email | lower | lower }}", `{{ "x" }}`, "{{ break }}", `{{ .email }}{{ define "x" }}y{{ end }}`,
	} {
		if s, err := ParseSubject(template); err == nil {
			t.Errorf("%q is taken for a subject: %v", template, s)
		} else if !strings.Contains(err.Error(), "{{ .userName }}") {
			t.Errorf("%q: %v does not say what is accepted", template, err)
		}
	}
}

func TestSubjectOfSomebodyWithoutIt(t *testing.T) {
	s, err := ParseSubject("{{ .userName }}/{{ .email }}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Of(Person{UserName: "ada"}); err == nil || err.Error() != "no email" {
		t.Errorf("the error is %v", err)
	}
}

// A subject that is accepted names two people who differ in everything differently, and never for want of an attribute.
func FuzzParseSubject(f *testing.F) {
	for _, seed := range []string{"{{ .userName }}", "oidc:{{ .email | lower }}", "{{range 9}}{{end}}", "{{define \"a\"}}{{end}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, template string) {
		s, err := ParseSubject(template)
		if err != nil {
			return
		}
		a, errA := s.Of(ada)
		b, errB := s.Of(Person{ID: "1", UserName: "bob", Email: "b@example.com", ExternalID: "2"})
		if errA != nil || errB != nil || a == b {
			t.Errorf("%q names %q (%v) and %q (%v)", template, a, errA, b, errB)
		}
	})
}

func TestSubjectWithControlCharacters(t *testing.T) {
	for _, template := range []string{"{{ .email }}\n", "a\x00{{ .email }}", "a\u0085{{ .email }}", "{{\n.email }}"} {
		if s, err := ParseSubject(template); err == nil || !strings.Contains(err.Error(), "holds control characters") {
			t.Errorf("%q: %v, %v", template, s, err)
		}
	}
}
