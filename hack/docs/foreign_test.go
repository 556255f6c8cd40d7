package docs

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// foreign are custom resources of others that the pages show.
var foreign = []definition{
	{"github.com/argoproj/argo-cd/v3", "hack/argocd/source", "manifests/crds/application-crd.yaml", "applications.argoproj.io"},
	{"github.com/fluxcd/kustomize-controller@v1.9.0", "", "config/crd/bases/*_kustomizations.yaml", "kustomizations.kustomize.toolkit.fluxcd.io"},
	{"github.com/fluxcd/source-controller@v1.9.0", "", "config/crd/bases/*_gitrepositories.yaml", "gitrepositories.source.toolkit.fluxcd.io"},
	{"github.com/external-secrets/external-secrets@v1.3.2", "", "config/crds/bases/external-secrets.io_externalsecrets.yaml", "externalsecrets.external-secrets.io"},
	serviceMonitors, prometheusRules,
}

var (
	serviceMonitors = definition{prometheusOperator, "", "example/*/monitoring.coreos.com_servicemonitors.yaml", "servicemonitors.monitoring.coreos.com"}
	prometheusRules = definition{prometheusOperator, "", "example/*/monitoring.coreos.com_prometheusrules.yaml", "prometheusrules.monitoring.coreos.com"}
)

const prometheusOperator = "github.com/prometheus-operator/prometheus-operator@v0.85.0"

// definition is where a Go module holds a CRD. The module names its version, or a module of ours requires it.
type definition struct{ module, from, crds, kind string }

// installForeign has the API server know them.
func installForeign(ctx context.Context) {
	for _, f := range foreign {
		f.install(ctx, installed.Plane.Config)
		Eventually(kinds).Should(HaveKey(f.kind))
	}
}

func (d definition) install(ctx context.Context, config *rest.Config) {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", d.module)
	command.Dir = os.TempDir() // outside of every module
	if d.from != "" {
		command.Dir = filepath.Join(root, d.from)
	}
	out, err := command.Output()
	Expect(err).NotTo(HaveOccurred(), "%s: %s", d.module, out)
	var module struct{ Dir string }
	Expect(json.Unmarshal(out, &module)).To(Succeed())
	Expect(controlplane.Apply(ctx, config, filepath.Join(module.Dir, d.crds))).To(Succeed(), d.module)
}
