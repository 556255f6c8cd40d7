package controlplane

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/scim-operator/scim-operator/hack/controlplane/filelock"
)

const (
	// kubernetesVersion is what hack/controlplane/source/go.mod requires; a test holds the two together.
	kubernetesVersion = "v1.37.2"
	stampFile         = "VERSION"
)

// stamp says what a folder of assets holds, so that another version, or the same tree mounted on
// another kind of machine, gets its own.
var stamp = kubernetesVersion + " " + runtime.GOOS + "/" + runtime.GOARCH

// Assets returns a folder with etcd, kube-apiserver and kubectl: KUBEBUILDER_ASSETS if set (there kubectl
// may be missing), else bin/k8s below root, which is filled when needed by a download or, without network,
// by a build from source. Processes that need it at the same time wait for the one that fills it.
// It returns an error when KUBEBUILDER_ASSETS is incomplete, when the build fails, or when ctx ends.
func Assets(ctx context.Context, root string, progress io.Writer) (string, error) {
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		if missing := missing(dir, "etcd", "kube-apiserver"); missing != "" {
			return "", fmt.Errorf("KUBEBUILDER_ASSETS is %s, but %s is missing there: add it, or unset KUBEBUILDER_ASSETS", dir, missing)
		}
		return filepath.Abs(dir)
	}

	dir := filepath.Join(root, "bin", "k8s")
	if current(dir) {
		return dir, nil
	}
	release, err := filelock.Acquire(ctx, dir+".lock", func() {
		fmt.Fprintln(progress, "waiting for another process that prepares etcd and kube-apiserver")
	})
	if err != nil {
		return "", err
	}
	defer release()
	if current(dir) { // somebody else has just filled it
		return dir, nil
	}
	return dir, fill(ctx, root, dir, progress)
}

// fill puts a complete folder in the place of dir, or leaves dir as it is.
func fill(ctx context.Context, root, dir string, progress io.Writer) error {
	partial := dir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	defer os.RemoveAll(partial)
	if err := os.MkdirAll(partial, 0o750); err != nil {
		return err
	}

	if err := download(ctx, partial, progress); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintln(progress, "download not possible, building from source (about five minutes, once)")
		if err := build(ctx, root, partial, progress); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(partial, stampFile), []byte(stamp+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(partial, dir)
}

func current(dir string) bool {
	content, err := os.ReadFile(filepath.Join(dir, stampFile))
	return err == nil && strings.TrimSpace(string(content)) == stamp && missing(dir, "etcd", "kube-apiserver", "kubectl") == ""
}

// missing names the first of the programs that dir does not hold, or none.
func missing(dir string, programs ...string) string {
	for _, program := range programs {
		info, err := os.Stat(filepath.Join(dir, program))
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm()&0o100 == 0 {
			return program
		}
	}
	return ""
}
