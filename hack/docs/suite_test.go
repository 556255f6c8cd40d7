package docs

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/scim-operator/scim-operator/hack/controlplane"
	modules "github.com/scim-operator/scim-operator/hack/controlplane/programs"
	"github.com/scim-operator/scim-operator/hack/install"
	"github.com/scim-operator/scim-operator/hack/operator"
)

func TestDocs(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(200 * time.Millisecond)
	RunSpecs(t, "The documentation")
}

var (
	root      string
	pages     []page
	installed *operator.Installation
	known     *programs
)

var _ = BeforeSuite(func(ctx context.Context) {
	var err error
	root, err = controlplane.Root()
	Expect(err).NotTo(HaveOccurred())
	pages = readAll(root)
	log.SetLogger(GinkgoLogr)
	installed = operator.Install(ctx)
	installForeign(ctx)
	helm, err := install.Helm(ctx, root)
	Expect(err).NotTo(HaveOccurred())
	plugin := filepath.Join(filepath.Dir(installed.Binary), "kubectl-scim")
	Expect(os.Symlink(installed.Binary, plugin)).To(Succeed())
	jq := modules.Source{Name: "jq", Module: filepath.Join(root, "hack", "docs", "source"), Package: "github.com/itchyny/gojq/cmd/gojq"}
	jqPath, err := jq.Program(ctx, root, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	known = &programs{
		root: root, jq: jqPath, kubectl: installed.Plane.Kubectl, helm: helm.Path, plugin: plugin,
		makeTargets: makeTargets(), chartValues: chartValues(), kinds: kinds(), answers: map[string]string{},
	}
})

func makeTargets() map[string]bool {
	content, err := os.ReadFile(filepath.Join(root, "Makefile"))
	Expect(err).NotTo(HaveOccurred())
	targets := map[string]bool{}
	for _, target := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(string(content), -1) {
		targets[target[1]] = true
	}
	return targets
}

// chartValues are the names of all values, and of what holds values.
func chartValues() map[string]bool {
	content, err := os.ReadFile(filepath.Join(root, "config", "chart", "values.schema.json"))
	Expect(err).NotTo(HaveOccurred())
	type schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	names := map[string]bool{}
	var add func(prefix string, content []byte)
	add = func(prefix string, content []byte) {
		var s schema
		Expect(json.Unmarshal(content, &s)).To(Succeed())
		for name, inner := range s.Properties {
			names[prefix+name] = true
			add(prefix+name+".", inner)
		}
	}
	add("", content)
	return names
}

// kinds are all names by which kubectl knows a kind of object.
func kinds() map[string]bool {
	client, err := discovery.NewDiscoveryClientForConfig(installed.Plane.Config)
	Expect(err).NotTo(HaveOccurred())
	lists, err := client.ServerPreferredResources()
	Expect(err).NotTo(HaveOccurred())
	names := map[string]bool{"all": true}
	for _, list := range lists {
		group, _, _ := strings.Cut(list.GroupVersion, "/")
		for _, r := range list.APIResources {
			singular := strings.ToLower(r.Kind)
			for _, name := range append([]string{r.Name, singular, r.Name + "." + group, singular + "." + group}, append(r.ShortNames, r.Categories...)...) {
				names[name] = true
			}
		}
	}
	return names
}
