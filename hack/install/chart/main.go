// Command chart makes the templates of the Helm chart from config/default and its components, so that the two ways to install
// cannot differ. What is not an object, such as values.yaml and its schema, is written by hand.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/install"
)

// component is one of config/components, and the value of the chart that asks for it.
type component struct {
	name, condition string
}

var components = []component{
	{"split", ".Values.split.enabled"},
	{"autoscaling", ".Values.autoscaling.enabled"},
	{"ingress", ".Values.ingress.enabled"},
	{"httproute", ".Values.httpRoute.enabled"},
	{"console", ".Values.console.enabled"},
	{"monitoring", ".Values.monitoring.enabled"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := generate(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "chart:", err)
		os.Exit(1)
	}
}

func generate(ctx context.Context) error {
	root, err := controlplane.Root()
	if err != nil {
		return err
	}
	base, err := install.Kustomize(ctx, root, filepath.Join(root, "config", "default"))
	if err != nil {
		return err
	}
	files := map[string]string{}
	for _, object := range base {
		if err := write(files, object, ""); err != nil {
			return err
		}
	}
	for _, c := range components {
		all, err := install.KustomizeWith(ctx, root, c.name)
		if err != nil {
			return err
		}
		for _, object := range all {
			if slices.ContainsFunc(base, func(b *unstructured.Unstructured) bool { return same(b, object) }) {
				continue
			}
			if err := write(files, object, c.condition); err != nil {
				return err
			}
		}
	}
	return replace(filepath.Join(root, "config", "chart", "templates"), files)
}

func same(a, b *unstructured.Unstructured) bool {
	return a.GroupVersionKind() == b.GroupVersionKind() && a.GetName() == b.GetName()
}

// write adds the template of an object, unless Helm makes it or its user does.
func write(files map[string]string, object *unstructured.Unstructured, condition string) error {
	switch object.GetKind() {
	case "Namespace", "Gateway":
		return nil
	}
	text, err := template(object, condition)
	if err != nil {
		return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
	}
	name := fileName(object)
	if _, taken := files[name]; taken {
		return fmt.Errorf("two objects would be in %s", name)
	}
	files[name] = text
	return nil
}

// fileName is the kind and what the name has beside that of the operator.
func fileName(object *unstructured.Unstructured) string {
	kind, name := strings.ToLower(object.GetKind()), object.GetName()
	if kind == "customresourcedefinition" {
		return filepath.Join("crds", strings.TrimSuffix(name, ".scim-operator.io")+".yaml")
	}
	name = strings.TrimPrefix(strings.TrimSuffix(name, ".scim-operator.io"), "scim-operator")
	if name = strings.TrimPrefix(name, "-"); name == "" {
		return kind + ".yaml"
	}
	return kind + "-" + name + ".yaml"
}

// replace leaves no template in the folder but these; other files there are written by hand.
func replace(folder string, files map[string]string) error {
	for _, pattern := range []string{"*.yaml", "crds/*.yaml"} {
		old, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return err
		}
		for _, path := range old {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(filepath.Join(folder, "crds"), 0o755); err != nil {
		return err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
