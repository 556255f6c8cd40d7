package install

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// Helm returns a command that runs Helm in the folder of the module. It builds Helm from source if need be, which takes
// minutes, and returns an error when that fails or ctx ends.
func Helm(ctx context.Context, root string, arguments ...string) (*exec.Cmd, error) {
	source := programs.Source{Name: "helm", Module: filepath.Join(root, "hack", "install", "source"), Package: "helm.sh/helm/v4/cmd/helm"}
	program, err := source.Program(ctx, root, os.Stderr)
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = root
	return command, nil
}

// Template returns what `helm install` would apply of the chart, with these settings, such as --set=replicas=3. It returns
// an error when Helm refuses the chart or the settings, or when ctx ends.
func Template(ctx context.Context, root string, settings ...string) ([]*unstructured.Unstructured, error) {
	command, err := Helm(ctx, root, append([]string{"template", "scim-operator", "config/chart", "--namespace=scim-system"}, settings...)...)
	if err != nil {
		return nil, err
	}
	return objects(command)
}
