// Command release writes what is installed from: one manifest for kubectl, and the packaged chart for Helm.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/install"
)

func main() {
	installer := flag.String("installer", "", "the file to write the manifest to; none by default")
	image := flag.String("image", "scim-operator:latest", "the image, in the manifest")
	externalURL := flag.String("external-url", "https://scim.example.com", "the address for identity providers, in the manifest")
	chart := flag.String("chart", "", "the folder to write the packaged chart to; none by default")
	version := flag.String("version", "", "the chart's version, and with a v before it the tag of its image")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := release(ctx, *installer, *image, *externalURL, *chart, strings.TrimPrefix(*version, "v")); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func release(ctx context.Context, installer, image, externalURL, chart, version string) error {
	root, err := controlplane.Root()
	if err != nil {
		return err
	}
	if installer != "" {
		if err := writeInstaller(ctx, root, installer, image, externalURL); err != nil {
			return err
		}
	}
	if chart != "" {
		command, err := install.Helm(ctx, root, "package", "config/chart", "--destination="+chart, "--version="+version, "--app-version=v"+version)
		if err != nil {
			return err
		}
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		return command.Run()
	}
	return nil
}

func writeInstaller(ctx context.Context, root, path, image, externalURL string) error {
	objects, err := install.Kustomize(ctx, root, filepath.Join(root, "config", "default"))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			if err := configure(object, image, externalURL); err != nil {
				return err
			}
		}
		document, err := yaml.Marshal(object.Object)
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "---\n%s", document)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text.Bytes(), 0o644)
}

// configure sets what every installation has of its own.
func configure(deployment *unstructured.Unstructured, image, externalURL string) error {
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(deployment.Object, path...)
	if err != nil {
		return err
	}
	for _, c := range containers {
		container := c.(map[string]any)
		container["image"] = image
		container["env"] = []any{map[string]any{"name": "EXTERNAL_URL", "value": externalURL}}
	}
	return unstructured.SetNestedSlice(deployment.Object, containers, path...)
}
