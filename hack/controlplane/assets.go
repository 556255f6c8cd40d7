package controlplane

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

// kubernetesVersion is what hack/controlplane/source/go.mod requires; a test holds the two together.
const kubernetesVersion = "v1.37.2"

// Assets returns a folder with etcd, kube-apiserver and kubectl: KUBEBUILDER_ASSETS if set (there kubectl
// may be missing), else bin/k8s below root, which is filled when needed by a download or, without network,
// by a build from source. Processes that need it at the same time wait for the one that fills it.
// It returns an error when KUBEBUILDER_ASSETS is incomplete, when the build fails, or when ctx ends.
func Assets(ctx context.Context, root string, progress io.Writer) (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		if missing := programs.Missing(dir, "etcd", "kube-apiserver"); missing != "" {
			return "", fmt.Errorf("KUBEBUILDER_ASSETS is %s, but %s is missing there: add it, or unset KUBEBUILDER_ASSETS", dir, missing)
		}
		return filepath.Abs(dir)
	}
	folder := programs.Folder{
		Path:  filepath.Join(root, "bin", "k8s"),
		Stamp: kubernetesVersion + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Names: []string{"etcd", "kube-apiserver", "kubectl"},
	}
	return folder.Path, folder.Ensure(ctx, progress, func(dir string) error { return fill(ctx, root, dir, progress) })
}

func fill(ctx context.Context, root, dir string, progress io.Writer) error {
	if err := download(ctx, dir, progress); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintln(progress, "download not possible, building from source (about five minutes, once)")
		return build(ctx, root, dir, progress)
	}
	return nil
}
