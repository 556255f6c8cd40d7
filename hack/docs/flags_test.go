package docs

import (
	"os"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("docs/operations.md", func() {
	It("lists the flags as --help does", func() {
		page, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
		Expect(err).NotTo(HaveOccurred())
		help, err := known.help(installed.Binary, nil)
		Expect(err).NotTo(HaveOccurred())
		Expect(Flags(string(page), help)).To(Equal(string(page)), "run `make flags`")
	})
})
