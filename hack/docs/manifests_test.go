package docs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var _ = Describe("Every block of YAML", func() {
	It("is accepted by a strict API server, or rendered", func(ctx context.Context) {
		var wrong []string
		for _, p := range pages {
			for _, b := range p.blocks {
				if b.language != "yaml" {
					continue
				}
				if err := accepted(ctx, b.text); err != nil {
					wrong = append(wrong, fmt.Sprintf("%s:%d: %v", p.path, b.line, err))
				}
			}
		}
		Expect(wrong).To(BeEmpty(), strings.Join(wrong, "\n"))
	})
})

// accepted says what is wrong with a block: by what it says of itself in the first line, or else as manifests.
func accepted(ctx context.Context, text string) error {
	switch first := firstLine(text); {
	case strings.HasPrefix(first, "# kustomization.yaml"):
		return kustomized(ctx, text)
	case strings.HasPrefix(first, "# values.yaml"):
		values := filepath.Join(GinkgoT().TempDir(), "values.yaml")
		if err := os.WriteFile(values, []byte(text), 0o600); err != nil {
			return err
		}
		out, err := run(ctx, known.helm, "template", "x", "config/chart", "--set=externalURL=https://scim.example.com", "--values="+values)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	default:
		return applied(ctx, text)
	}
}

// kustomized has kubectl render a folder beside a checkout of the repository.
func kustomized(ctx context.Context, text string) error {
	folder, err := filepath.EvalSymlinks(GinkgoT().TempDir()) // kustomize takes other folders by relative paths, from where it really is
	Expect(err).NotTo(HaveOccurred())
	home, err := filepath.EvalSymlinks(root)
	Expect(err).NotTo(HaveOccurred())
	checkout, err := filepath.Rel(folder, home)
	Expect(err).NotTo(HaveOccurred())
	text = strings.ReplaceAll(text, "../scim-operator/", checkout+"/")
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		return err
	}
	if out, err := run(ctx, known.kubectl, "kustomize", folder); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// applied has the API server judge manifests, in namespaces that it is given.
func applied(ctx context.Context, text string) error {
	strict := client.NewDryRunClient(client.WithFieldValidation(installed.Admin, metav1.FieldValidationStrict))
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if len(o.Object) == 0 {
			continue
		}
		if ns := o.GetNamespace(); ns != "" {
			err := installed.Admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})
			if client.IgnoreAlreadyExists(err) != nil {
				return err
			}
		}
		if err := client.IgnoreAlreadyExists(strict.Create(ctx, o)); err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
}
