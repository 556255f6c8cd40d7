package install

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

var _ = Describe("The policy for token managers", func() {
	It("knows every field of a ScimDirectory", func() {
		content, err := os.ReadFile(filepath.Join(root, "config", "crd", "bases", "scim-operator.io_scimdirectories.yaml"))
		Expect(err).NotTo(HaveOccurred())
		crd := &apiextensionsv1.CustomResourceDefinition{}
		Expect(yaml.Unmarshal(content, crd)).To(Succeed())
		policy, err := os.ReadFile(filepath.Join(root, "config", "admission", "token_managers.yaml"))
		Expect(err).NotTo(HaveOccurred())
		fields := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties
		Expect(fields).To(HaveKey("tokens"))
		delete(fields, "tokens")
		for field := range fields {
			Expect(string(policy)).To(ContainSubstring("object.spec.?"+field+" == oldObject.spec.?"+field), "add "+field+" to the policy")
		}
	})
})
