package targets_test

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

var _ = Describe("docs/targets.md", func() {
	It("has for each kind a section with a manifest", func() { // which hack/docs has an API server accept
		root, err := controlplane.Root()
		Expect(err).NotTo(HaveOccurred())
		page, err := os.ReadFile(filepath.Join(root, "docs", "targets.md"))
		Expect(err).NotTo(HaveOccurred())
		for _, kind := range kinds {
			Expect(string(page)).To(MatchRegexp("(?s)\n## %[1]s\n.*\n  %[1]s:.*\n```\n", kind.name))
		}
	})
})
