package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const generated = "{{- /* Made from config by `make generate`. */ -}}\n"

// namespace is where config installs the operator; the chart does it in the release's.
const namespace = "scim-system"

// A sheet is a manifest in the making, with holes for what Helm writes.
type sheet struct{ holes []string }

// value is a hole for a scalar, or for a part of one.
func (s *sheet) value(expression string) string {
	s.holes = append(s.holes, "{{ "+expression+" }}")
	return "value-" + strconv.Itoa(len(s.holes)-1) + "-hole"
}

// lines is a hole for lines of text: the key of a map, with any value, or an item of a list.
func (s *sheet) lines(text string) string {
	s.holes = append(s.holes, text)
	return "lines-" + strconv.Itoa(len(s.holes)-1) + "-hole"
}

var (
	linesMark = regexp.MustCompile(`(?m)^( *)(?:- )?lines-(\d+)-hole(?:: "")?$`)
	valueMark = regexp.MustCompile(`value-(\d+)-hole`)
)

// template returns the text of an object's template, behind the condition if there is one.
func template(object *unstructured.Unstructured, condition string) (string, error) {
	s := &sheet{}
	object = object.DeepCopy()
	if err := s.parametrize(object); err != nil {
		return "", err
	}
	labels, _, err := unstructured.NestedMap(object.Object, "metadata", "labels")
	if err != nil {
		return "", err
	}
	if labels == nil {
		labels = map[string]any{}
	}
	labels[s.lines(`{{- include "scim-operator.labels" . | nindent 4 }}`)] = ""
	if err := unstructured.SetNestedMap(object.Object, labels, "metadata", "labels"); err != nil {
		return "", err
	}
	s.relocate(object.Object)
	text, err := yaml.Marshal(object.Object)
	if err != nil {
		return "", err
	}
	body := s.fill(strings.ReplaceAll(string(text), "{{", `{{ "{{" }}`))
	if own := conditionOf(object); own != "" {
		condition = own
	}
	if condition != "" {
		body = "{{- if " + condition + " }}\n" + body + "{{- end }}\n"
	}
	return generated + body, nil
}

// relocate writes the release's namespace wherever config names its own.
func (s *sheet) relocate(node any) any {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			node[key] = s.relocate(value)
		}
	case []any:
		for i, value := range node {
			node[i] = s.relocate(value)
		}
	case string:
		if node == namespace {
			return s.value(".Release.Namespace | quote")
		}
		if strings.Contains(node, namespace) {
			return strings.ReplaceAll(node, namespace, s.value(".Release.Namespace"))
		}
	}
	return node
}

// fill puts the text of each hole in its place: lines at the indentation of their place.
func (s *sheet) fill(text string) string {
	text = linesMark.ReplaceAllStringFunc(text, func(line string) string {
		parts := linesMark.FindStringSubmatch(line)
		return parts[1] + strings.ReplaceAll(s.hole(parts[2]), "\n", "\n"+parts[1])
	})
	return valueMark.ReplaceAllStringFunc(text, func(m string) string { return s.hole(valueMark.FindStringSubmatch(m)[1]) })
}

func (s *sheet) hole(number string) string {
	n, err := strconv.Atoi(number)
	if err != nil || n >= len(s.holes) {
		panic(fmt.Sprintf("there is no hole %s", number)) // only value and lines make marks
	}
	return s.holes[n]
}
