package controlplane

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// build compiles the programs from the module in hack/controlplane/source into dir. It needs nothing but the
// Go module proxy.
func build(ctx context.Context, root, dir string, progress io.Writer) error {
	source := filepath.Join(root, "hack", "controlplane", "source")
	for _, program := range []struct{ name, pkg string }{
		{"etcd", "go.etcd.io/etcd/server/v3"},
		{"kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"},
		{"kubectl", "k8s.io/kubernetes/cmd/kubectl"},
	} {
		err := programs.Step(progress, "build "+program.name, func() error {
			return programs.Go(ctx, source, "build", "-trimpath", "-ldflags", linkerFlags(), "-o", filepath.Join(dir, program.name), program.pkg)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// linkerFlags strips the binaries and tells them their version, as the release build of Kubernetes does.
func linkerFlags() string {
	major, rest, _ := strings.Cut(strings.TrimPrefix(kubernetesVersion, "v"), ".")
	minor, _, _ := strings.Cut(rest, ".")
	var flags strings.Builder
	flags.WriteString("-s -w")
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		fmt.Fprintf(&flags, " -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s", pkg, kubernetesVersion, major, minor)
	}
	return flags.String()
}
