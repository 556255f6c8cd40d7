package compat

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const former = `
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things, shortNames: [th], categories: [scim]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        required: [name]
        x-kubernetes-validations:
        - {rule: "true", message: old}
        properties:
          name: {type: string, minLength: 1, maxLength: 10, pattern: "^a"}
          mode: {type: string, enum: [A, B], default: A}
          size: {type: integer, format: int32, minimum: 0, maximum: 9}
          free: {type: string}
          empty: {type: string, nullable: true}
          any: {type: object, x-kubernetes-preserve-unknown-fields: true}
          named: {type: object, additionalProperties: {type: string, maxLength: 5}}
          list:
            type: array
            maxItems: 3
            x-kubernetes-list-type: map
            x-kubernetes-list-map-keys: [key]
            items: {type: object, properties: {key: {type: string}, value: {type: string}}}
`

func TestBreaks(t *testing.T) {
	for _, c := range []struct{ name, old, new, says string }{
		{"scope", "scope: Namespaced", "scope: Cluster", `scope was "Namespaced"`},
		{"plural", "plural: things", "plural: stuff", `plural was "things"`},
		{"short name", "[th]", "[]", `shortNames lost "th"`},
		{"category", "[scim]", "[]", `categories lost "scim"`},
		{"version renamed", "name: v1\n", "name: v2\n", "version v1 is gone"},
		{"version not served", "served: true", "served: false", "version v1 is not served"},
		{"status", "subresources: {status: {}}", "subresources: {}", "subresource status"},
		{"type", "free: {type: string}", "free: {type: integer}", `v1.free: type was "string"`},
		{"format", "format: int32", "format: int64", "v1.size: format"},
		{"field removed", "          free: {type: string}\n", "", "the field free is gone"},
		{"field of items removed", ", value: {type: string}", "", "v1.list[]: the field value is gone"},
		{"required", "required: [name]", "required: [name, free]", "the field free became required"},
		{"longer", "minLength: 1", "minLength: 2", "v1.name: minLength is 2"},
		{"at least something", "free: {type: string}", "free: {type: string, minLength: 1}", "v1.free: minLength is 1"},
		{"shorter", "maxLength: 10", "maxLength: 9", "v1.name: maxLength is 9"},
		{"bounded", "free: {type: string}", "free: {type: string, maxLength: 900}", "v1.free: maxLength is 900"},
		{"fewer", "maxItems: 3", "maxItems: 2", "v1.list: maxItems is 2"},
		{"larger", "minimum: 0", "minimum: 1", "v1.size: minimum is 1"},
		{"smaller", "maximum: 9", "maximum: 8", "v1.size: maximum is 8"},
		{"exclusive", "maximum: 9", "maximum: 9, exclusiveMaximum: true", "a bound became exclusive"},
		{"pattern", `"^a"`, `"^b"`, "v1.name: pattern"},
		{"pattern added", "free: {type: string}", `free: {type: string, pattern: "^b"}`, "v1.free: pattern"},
		{"value of an enumeration", "enum: [A, B]", "enum: [A, C]", `v1.mode: "B" is not allowed`},
		{"enumeration added", "free: {type: string}", "free: {type: string, enum: [A]}", "v1.free: only some values"},
		{"default", "default: A", "default: B", "v1.mode: the default"},
		{"default gone", ", default: A", "", "v1.mode: the default"},
		{"rule", `rule: "true"`, `rule: "self.name != 'x'"`, "there is a new rule: self.name"},
		{"null", ", nullable: true", "", "null is not allowed"},
		{"pruned", ", x-kubernetes-preserve-unknown-fields: true", "", "v1.any: unknown fields are pruned"},
		{"closed", ", additionalProperties: {type: string, maxLength: 5}", "", "v1.named: fields of any name are not"},
		{"named", "maxLength: 5", "maxLength: 4", "v1.named.*: maxLength is 4"},
		{"list type", "list-type: map", "list-type: atomic", "v1.list: x-kubernetes-list-type"},
		{"list keys", "[key]", "[value]", "v1.list: x-kubernetes-list-map-keys"},
		{"combined", "free: {type: string}", "free: {type: string, not: {enum: [A]}}", "v1.free: allOf, anyOf, oneOf or not"},

		{name: "nothing"},
		{name: "a new field", old: "free: {type: string}", new: "free: {type: string}\n          other: {type: object, required: [x], properties: {x: {type: string}}}"},
		{name: "wider bounds", old: "minLength: 1, maxLength: 10", new: "minLength: 0, maxLength: 11"},
		{name: "no bounds", old: ", minimum: 0, maximum: 9", new: ""},
		{name: "no pattern", old: `, pattern: "^a"`, new: ""},
		{name: "another value", old: "enum: [A, B]", new: "enum: [A, B, C]"},
		{name: "any value", old: "enum: [A, B], ", new: ""},
		{name: "required no more", old: "required: [name]", new: "required: []"},
		{name: "required with a default", old: "required: [name]", new: "required: [name, mode]"},
		{name: "a rule less", old: `- {rule: "true", message: old}`, new: ""},
		{name: "another message", old: "message: old", new: "message: new"},
		{name: "another short name", old: "[th]", new: "[th, thing]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.Count(former, c.old) < 1 {
				t.Fatal("changes nothing")
			}
			breaks := Breaks(read(t, []byte(former)), read(t, []byte(strings.Replace(former, c.old, c.new, 1))))
			if c.says == "" && len(breaks) > 0 || c.says != "" && !strings.Contains(strings.Join(breaks, "\n"), c.says) {
				t.Errorf("%q", breaks)
			}
		})
	}
}

// What the last release stored or accepted must go on to be. `make baseline` notes what that is, when a release is made.
func TestCRDsTakeWhatTheLastReleaseDid(t *testing.T) {
	released := filepath.Join("..", "upgrade", "testdata", "release", "crds")
	files, err := filepath.Glob(filepath.Join(released, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs of the last release in %s: %v", released, err)
	}
	for _, file := range files {
		before, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(filepath.Join("..", "..", "config", "crd", "bases", filepath.Base(file)))
		if err != nil {
			t.Errorf("a kind of the last release is gone, whose objects may exist: %v", err)
			continue
		}
		for _, line := range Breaks(read(t, before), read(t, after)) {
			t.Errorf("%s\n\tdocs/upgrade.md says what may change in a version, and how to do what may not", line)
		}
	}
}

func read(t *testing.T, manifest []byte) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(manifest, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}
