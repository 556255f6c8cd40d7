package monitoring

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/yaml"
)

type alert struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	Annotations map[string]string `json:"annotations"`
}

type ruleGroups struct {
	Groups []struct {
		Rules []alert `json:"rules"`
	} `json:"groups"`
}

// rules are the alerts, and the file that Prometheus itself would read them from.
func rules() (all []alert, file []byte) {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(root, "config", "components", "monitoring", "rules.yaml"))
	Expect(err).NotTo(HaveOccurred())
	var object struct {
		Spec map[string]any `json:"spec"`
	}
	Expect(yaml.Unmarshal(content, &object)).To(Succeed())
	file, err = yaml.Marshal(object.Spec)
	Expect(err).NotTo(HaveOccurred())
	var groups ruleGroups
	Expect(yaml.Unmarshal(file, &groups)).To(Succeed())
	for _, g := range groups.Groups {
		all = append(all, g.Rules...)
	}
	return all, file
}

// alertTests are the files of promtool's tests, by name.
func alertTests() map[string][]byte {
	GinkgoHelper()
	paths, err := filepath.Glob(filepath.Join("testdata", "alerts*.yaml"))
	Expect(err).NotTo(HaveOccurred())
	Expect(paths).NotTo(BeEmpty())
	files := map[string][]byte{}
	for _, path := range paths {
		files[filepath.Base(path)], err = os.ReadFile(path)
		Expect(err).NotTo(HaveOccurred())
	}
	return files
}

var _ = Describe("The alerts", func() {
	It("pass Prometheus' linter, and are raised when they should be and not before", func(ctx context.Context) {
		dir := GinkgoT().TempDir()
		_, file := rules()
		Expect(os.WriteFile(filepath.Join(dir, "rules.yaml"), file, 0o600)).To(Succeed())
		test := []string{"test", "rules"}
		for name, content := range alertTests() {
			Expect(os.WriteFile(filepath.Join(dir, name), content, 0o600)).To(Succeed())
			test = append(test, name)
		}
		for _, arguments := range [][]string{{"check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"}, test} {
			command, err := Promtool(ctx, root, arguments...)
			Expect(err).NotTo(HaveOccurred())
			command.Dir = dir
			out, err := command.CombinedOutput()
			Expect(err).NotTo(HaveOccurred(), string(out))
		}
	})

	It("are each tested, and explained on a page that says how to mend it", func() {
		var tests []byte
		for _, content := range alertTests() {
			tests = append(tests, content...)
		}
		overview, err := os.ReadFile(filepath.Join(root, "docs", "monitoring.md"))
		Expect(err).NotTo(HaveOccurred())
		all, _ := rules()
		pages, err := filepath.Glob(filepath.Join(root, "docs", "runbooks", "*.md"))
		Expect(err).NotTo(HaveOccurred())
		Expect(pages).To(HaveLen(len(all)))
		for _, a := range all {
			Expect(string(tests)).To(ContainSubstring("alertname: "+a.Alert+"\n"), "no test of it")
			Expect(string(overview)).To(ContainSubstring("[" + a.Alert + "](runbooks/" + a.Alert + ".md)"))
			Expect(a.Annotations["runbook_url"]).To(HaveSuffix("/docs/runbooks/" + a.Alert + ".md"))
			page, err := os.ReadFile(filepath.Join(root, "docs", "runbooks", a.Alert+".md"))
			Expect(err).NotTo(HaveOccurred())
			for _, part := range []string{"# " + a.Alert + "\n", "## Who is affected\n", "## How to look\n", "## How to mend\n", "```console\n"} {
				Expect(strings.Count(string(page), part)).To(BeNumerically(">=", 1), "%s: %q", a.Alert, part)
			}
		}
	})
})
