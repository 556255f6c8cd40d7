// Package compat finds what a CustomResourceDefinition no longer takes, keeps or shows of what a former one did.
package compat

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

type schema = apiextensionsv1.JSONSchemaProps

// Breaks are the changes from one definition to the next by which something that was stored or accepted is not any more, or
// means something else, one a line.
func Breaks(before, after *apiextensionsv1.CustomResourceDefinition) []string {
	r := report{where: before.Name}
	r.same("group", before.Spec.Group, after.Spec.Group)
	r.same("scope", string(before.Spec.Scope), string(after.Spec.Scope))
	r.same("kind", before.Spec.Names.Kind, after.Spec.Names.Kind)
	r.same("plural", before.Spec.Names.Plural, after.Spec.Names.Plural)
	r.among("shortNames", before.Spec.Names.ShortNames, after.Spec.Names.ShortNames)
	r.among("categories", before.Spec.Names.Categories, after.Spec.Names.Categories)
	for _, v := range before.Spec.Versions {
		r.version(v, after)
	}
	return r.breaks
}

// report gathers breaks at a place.
type report struct {
	where  string
	breaks []string
}

func (r *report) add(format string, a ...any) {
	r.breaks = append(r.breaks, r.where+": "+fmt.Sprintf(format, a...))
}

// at reports about a place below.
func (r *report) at(below string, look func(*report)) {
	inner := report{where: r.where + below}
	look(&inner)
	r.breaks = append(r.breaks, inner.breaks...)
}

func (r *report) same(what, before, after string) {
	if before != after {
		r.add("%s was %q and is %q", what, before, after)
	}
}

func (r *report) among(what string, before, after []string) {
	for _, name := range before {
		if !slices.Contains(after, name) {
			r.add("%s lost %q", what, name)
		}
	}
}

func (r *report) version(before apiextensionsv1.CustomResourceDefinitionVersion, after *apiextensionsv1.CustomResourceDefinition) {
	i := slices.IndexFunc(after.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == before.Name })
	if i < 0 {
		r.add("version %s is gone, in which objects may be stored", before.Name)
		return
	}
	now := after.Spec.Versions[i]
	if before.Served && !now.Served {
		r.add("version %s is not served any more", before.Name)
	}
	hasStatus := func(v apiextensionsv1.CustomResourceDefinitionVersion) bool {
		return v.Subresources != nil && v.Subresources.Status != nil
	}
	if hasStatus(before) != hasStatus(now) {
		r.add("version %s: the subresource status came or went", before.Name)
	}
	if before.Schema != nil && now.Schema != nil {
		r.at(" "+before.Name, func(r *report) { r.schema(before.Schema.OpenAPIV3Schema, now.Schema.OpenAPIV3Schema) })
	}
}

// schema compares what two schemas accept, prune and merge.
func (r *report) schema(before, after *schema) {
	if before == nil || after == nil {
		if before != after {
			r.add("the schema came or went")
		}
		return
	}
	r.same("type", before.Type, after.Type)
	r.same("format", before.Format, after.Format)
	r.bounds(before, after)
	r.values(before, after)
	r.merging(before, after)
	r.properties(before, after)
	switch {
	case before.Items != nil && after.Items != nil:
		r.at("[]", func(r *report) { r.schema(before.Items.Schema, after.Items.Schema) })
	case before.Items != nil:
		r.add("items are described no more")
	}
}

// bounds compares limits of size.
func (r *report) bounds(before, after *schema) {
	most(r, "maxLength", before.MaxLength, after.MaxLength)
	least(r, "minLength", before.MinLength, after.MinLength)
	most(r, "maxItems", before.MaxItems, after.MaxItems)
	least(r, "minItems", before.MinItems, after.MinItems)
	most(r, "maxProperties", before.MaxProperties, after.MaxProperties)
	least(r, "minProperties", before.MinProperties, after.MinProperties)
	most(r, "maximum", before.Maximum, after.Maximum)
	least(r, "minimum", before.Minimum, after.Minimum)
	if after.ExclusiveMaximum && !before.ExclusiveMaximum || after.ExclusiveMinimum && !before.ExclusiveMinimum {
		r.add("a bound became exclusive")
	}
	if after.MultipleOf != nil && (before.MultipleOf == nil || *before.MultipleOf != *after.MultipleOf) {
		r.add("multipleOf is %v", *after.MultipleOf)
	}
	if after.UniqueItems && !before.UniqueItems {
		r.add("items must be unique")
	}
}

func most[N cmp.Ordered](r *report, what string, before, after *N) {
	if after != nil && (before == nil || *after < *before) {
		r.add("%s is %v, which is less than before", what, *after)
	}
}

func least[N cmp.Ordered](r *report, what string, before, after *N) {
	var none N
	if after != nil && (before == nil && *after != none || before != nil && *after > *before) {
		r.add("%s is %v, which is more than before", what, *after)
	}
}

// values compares what a value may be.
func (r *report) values(before, after *schema) {
	if after.Pattern != "" {
		r.same("pattern", before.Pattern, after.Pattern)
	}
	if len(after.Enum) > 0 && len(before.Enum) == 0 {
		r.add("only some values are allowed")
	}
	for _, v := range before.Enum {
		if len(after.Enum) > 0 && !slices.ContainsFunc(after.Enum, func(o apiextensionsv1.JSON) bool { return bytes.Equal(o.Raw, v.Raw) }) {
			r.add("%s is not allowed any more", v.Raw)
		}
	}
	for _, rule := range after.XValidations {
		known := func(o apiextensionsv1.ValidationRule) bool { return o.Rule == rule.Rule }
		if !slices.ContainsFunc(before.XValidations, known) {
			r.add("there is a new rule: %s", rule.Rule)
		}
	}
	if before.Nullable && !after.Nullable {
		r.add("null is not allowed any more")
	}
	if before.XIntOrString && !after.XIntOrString {
		r.add("it was a number or a text")
	}
	if before.Default != nil && (after.Default == nil || !bytes.Equal(before.Default.Raw, after.Default.Raw)) {
		r.add("the default was %s, which objects rely on", before.Default.Raw)
	}
	if combined(before) != combined(after) {
		r.add("allOf, anyOf, oneOf or not changed")
	}
}

// combined is what is said of a schema by others, as JSON.
func combined(s *schema) string {
	text, _ := json.Marshal([]any{s.AllOf, s.AnyOf, s.OneOf, s.Not}) // plain data
	return string(text)
}

// merging compares what is pruned, and how applies are merged, which is in the managedFields of every object.
func (r *report) merging(before, after *schema) {
	r.same("x-kubernetes-list-type", text(before.XListType), text(after.XListType))
	r.same("x-kubernetes-map-type", text(before.XMapType), text(after.XMapType))
	if !slices.Equal(before.XListMapKeys, after.XListMapKeys) {
		r.add("x-kubernetes-list-map-keys were %v and are %v", before.XListMapKeys, after.XListMapKeys)
	}
	if before.XPreserveUnknownFields != nil && *before.XPreserveUnknownFields && (after.XPreserveUnknownFields == nil || !*after.XPreserveUnknownFields) {
		r.add("unknown fields are pruned")
	}
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// properties compares the fields of objects.
func (r *report) properties(before, after *schema) {
	for _, name := range slices.Sorted(maps.Keys(before.Properties)) {
		now, there := after.Properties[name]
		if !there {
			r.add("the field %s is gone", name)
			continue
		}
		r.at("."+name, func(r *report) { r.schema(new(before.Properties[name]), &now) })
	}
	for _, name := range after.Required {
		if field := after.Properties[name]; !slices.Contains(before.Required, name) && field.Default == nil {
			r.add("the field %s became required", name)
		}
	}
	open := func(s *schema) bool {
		return s.AdditionalProperties != nil && (s.AdditionalProperties.Allows || s.AdditionalProperties.Schema != nil)
	}
	switch {
	case !open(before):
	case !open(after):
		r.add("fields of any name are not allowed any more")
	case before.AdditionalProperties.Schema != nil && after.AdditionalProperties.Schema != nil:
		r.at(".*", func(r *report) { r.schema(before.AdditionalProperties.Schema, after.AdditionalProperties.Schema) })
	case after.AdditionalProperties.Schema != nil:
		r.add("fields of any name are described")
	}
}
