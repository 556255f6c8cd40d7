package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// Kustomize returns what `kubectl apply -k` would apply of a folder: kubectl's own kustomize renders it. It returns an error
// when there is no kubectl, when kustomize refuses the folder, or when ctx ends.
func Kustomize(ctx context.Context, root, folder string) ([]*unstructured.Unstructured, error) {
	assets, err := controlplane.Assets(ctx, root, os.Stderr)
	if err != nil {
		return nil, err
	}
	if missing := programs.Missing(assets, "kubectl"); missing != "" {
		return nil, fmt.Errorf("kubectl is missing in %s: add it, or unset KUBEBUILDER_ASSETS", assets)
	}
	return objects(exec.CommandContext(ctx, filepath.Join(assets, "kubectl"), "kustomize", folder))
}

// KustomizeWith returns config/default with components of config/components, as an overlay of them would give. It returns
// an error when Kustomize does.
func KustomizeWith(ctx context.Context, root string, components ...string) ([]*unstructured.Unstructured, error) {
	overlay, err := os.MkdirTemp("", "scim-operator-overlay-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(overlay)
	// Kustomize takes other folders by relative paths only, from where the folder really is.
	if overlay, err = filepath.EvalSymlinks(overlay); err != nil {
		return nil, err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, err
	}
	config, err := filepath.Rel(overlay, filepath.Join(root, "config"))
	if err != nil {
		return nil, err
	}
	text := &strings.Builder{}
	fmt.Fprintf(text, "resources: [%s/default]\ncomponents:\n", config)
	for _, component := range components {
		fmt.Fprintf(text, "- %s/components/%s\n", config, component)
	}
	if err := os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), []byte(text.String()), 0o600); err != nil {
		return nil, err
	}
	return Kustomize(ctx, root, overlay)
}

// objects runs a command that prints manifests.
func objects(command *exec.Cmd) ([]*unstructured.Unstructured, error) {
	var output, complaints bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaints
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", filepath.Base(command.Path), err, programs.LastLines(complaints.Bytes(), 10))
	}
	var all []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(&output, 4096)
	for {
		object := &unstructured.Unstructured{}
		switch err := decoder.Decode(&object.Object); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("%s printed no manifest: %w", filepath.Base(command.Path), err)
		case len(object.Object) > 0: // else nothing between two separators
			all = append(all, object)
		}
	}
}
