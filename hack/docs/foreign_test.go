package docs

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// foreign are custom resources of others that the pages show, where their modules hold the definitions.
var foreign = []struct{ module, from, crds, kind string }{
	{"github.com/argoproj/argo-cd/v3", "hack/argocd/source", "manifests/crds/application-crd.yaml", "applications.argoproj.io"},
	{"github.com/fluxcd/kustomize-controller@v1.9.0", "", "config/crd/bases/*_kustomizations.yaml", "kustomizations.kustomize.toolkit.fluxcd.io"},
	{"github.com/fluxcd/source-controller@v1.9.0", "", "config/crd/bases/*_gitrepositories.yaml", "gitrepositories.source.toolkit.fluxcd.io"},
	{"github.com/external-secrets/external-secrets@v1.3.2", "", "config/crds/bases/external-secrets.io_externalsecrets.yaml", "externalsecrets.external-secrets.io"},
}

// installForeign has the API server know them.
func installForeign(ctx context.Context) {
	for _, f := range foreign {
		command := exec.CommandContext(ctx, "go", "mod", "download", "-json", f.module)
		command.Dir = os.TempDir() // outside of every module
		if f.from != "" {
			command.Dir = filepath.Join(root, f.from)
		}
		out, err := command.Output()
		Expect(err).NotTo(HaveOccurred(), "%s: %s", f.module, out)
		var module struct{ Dir string }
		Expect(json.Unmarshal(out, &module)).To(Succeed())
		Expect(controlplane.Apply(ctx, installed.Plane.Config, filepath.Join(module.Dir, f.crds))).To(Succeed(), f.module)
		Eventually(kinds).Should(HaveKey(f.kind))
	}
}
