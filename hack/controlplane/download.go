package controlplane

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

const (
	// setupEnvtest is the download of envtest as a command: it picks the archive, checks its hash, unpacks it.
	setupEnvtest = "sigs.k8s.io/controller-runtime/tools/setup-envtest@v0.25.1"
	indexTimeout = 3 * time.Second
	maxIndexSize = 16 << 20
)

// download fetches the released binaries into dir. It fails within seconds when there is no way to the network.
func download(ctx context.Context, dir string, progress io.Writer) error {
	if err := offered(ctx, envtest.DefaultBinaryAssetsIndexURL); err != nil {
		return err
	}
	unpacked := filepath.Join(dir, "download")
	err := programs.Step(progress, "download etcd, kube-apiserver and kubectl", func() error {
		return programs.Go(ctx, os.TempDir(), "run", setupEnvtest, "use", strings.TrimPrefix(kubernetesVersion, "v"),
			"--bin-dir", unpacked, "--index", envtest.DefaultBinaryAssetsIndexURL)
	})
	if err != nil {
		return err
	}
	return flatten(dir, unpacked)
}

// offered returns an error unless the index answers soon and lists the wanted archive.
func offered(ctx context.Context, index string) error {
	ctx, cancel := context.WithTimeout(ctx, indexTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, index, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", index, response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxIndexSize))
	if err != nil {
		return err
	}
	archive := fmt.Sprintf("envtest-%s-%s-%s.tar.gz", kubernetesVersion, runtime.GOOS, runtime.GOARCH)
	if !strings.Contains(string(body), archive) {
		return fmt.Errorf("%s does not list %s", index, archive)
	}
	return nil
}

// flatten moves the programs, which are unpacked in a folder per version and platform, up into dir.
func flatten(dir, unpacked string) error {
	for _, program := range []string{"etcd", "kube-apiserver", "kubectl"} {
		found, err := filepath.Glob(filepath.Join(unpacked, "k8s", "*", program))
		if err != nil {
			return err
		}
		if len(found) != 1 {
			return fmt.Errorf("the download holds %d files named %s, not one", len(found), program)
		}
		if err := os.Rename(found[0], filepath.Join(dir, program)); err != nil {
			return err
		}
	}
	return removeReadOnly(unpacked)
}

// removeReadOnly removes a tree whose folders may have no write permission.
func removeReadOnly(dir string) error {
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return os.Chmod(path, 0o700)
	})
	if err != nil {
		return err
	}
	return os.RemoveAll(dir)
}
