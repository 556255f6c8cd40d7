package targets_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

var pastable = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

var _ = Describe("docs/targets.md", func() {
	It("has for each kind a manifest that works when pasted", func(ctx SpecContext) {
		root, err := controlplane.Root()
		Expect(err).NotTo(HaveOccurred())
		page, err := os.ReadFile(filepath.Join(root, "docs", "targets.md"))
		Expect(err).NotTo(HaveOccurred())
		for _, ns := range []string{"acme", "argocd"} {
			Expect(k8s.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}})).To(Succeed())
		}
		strict := client.WithFieldValidation(k8s, metav1.FieldValidationStrict)
		shown := map[string]bool{}
		for _, block := range pastable.FindAllStringSubmatch(string(page), -1) {
			for _, o := range objects(block[1]) {
				Expect(strict.Create(ctx, o, client.DryRunAll)).To(Succeed(), "%s %s", o.GetKind(), o.GetName())
				if spec, found, _ := unstructured.NestedMap(o.Object, "spec"); found && o.GetKind() == "AppTarget" {
					for field := range spec {
						shown[field] = true
					}
				}
			}
		}
		for _, kind := range kinds {
			Expect(shown).To(HaveKey(kind.name))
			Expect(string(page)).To(ContainSubstring("\n## " + kind.name + "\n"))
		}
	})
})

// objects are those of a YAML stream.
func objects(text string) (all []*unstructured.Unstructured) {
	GinkgoHelper()
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		err := decoder.Decode(&o.Object)
		if errors.Is(err, io.EOF) {
			return all
		}
		Expect(err).NotTo(HaveOccurred())
		if len(o.Object) > 0 {
			all = append(all, o)
		}
	}
}
