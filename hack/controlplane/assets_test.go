package controlplane

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/hack/controlplane/programs"
)

func TestVersionIsTheSourceModules(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("source", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes " + kubernetesVersion; !strings.Contains(string(source), want) {
		t.Errorf("source/go.mod does not require %s", want)
	}
}

func TestAssetsFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		name    string
		present []string
		missing string
	}{
		{name: "complete", present: []string{"etcd", "kube-apiserver", "kubectl"}},
		{name: "without kubectl", present: []string{"etcd", "kube-apiserver"}},
		{name: "without etcd", present: []string{"kube-apiserver"}, missing: "etcd is missing"},
		{name: "empty", missing: "etcd is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("KUBEBUILDER_ASSETS", dir)
			put(t, dir, test.present...)
			got, err := Assets(t.Context(), t.TempDir(), &bytes.Buffer{})
			if test.missing == "" {
				if err != nil || got != dir {
					t.Errorf("got %q, %v; want %q", got, err, dir)
				}
			} else if err == nil || !strings.Contains(err.Error(), test.missing) {
				t.Errorf("got %v; want an error that says %q", err, test.missing)
			}
		})
	}
}

func TestDownloadIsOfferedOnlyForThisVersionAndMachine(t *testing.T) {
	archive := "envtest-" + kubernetesVersion + "-" + runtime.GOOS + "-" + runtime.GOARCH + ".tar.gz"
	for _, test := range []struct {
		name, body string
		status     int
		offered    bool
	}{
		{"listed", "releases: {x: {" + archive + ": {}}}", http.StatusOK, true},
		{"another version", "releases: {}", http.StatusOK, false},
		{"refused by a proxy", archive, http.StatusForbidden, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			index := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.body))
			}))
			defer index.Close()
			if err := offered(t.Context(), index.URL); (err == nil) != test.offered {
				t.Errorf("got %v, want offered=%v", err, test.offered)
			}
		})
	}
}

func TestDownloadIsFlattened(t *testing.T) {
	dir := t.TempDir()
	unpacked := filepath.Join(dir, "download")
	version := filepath.Join(unpacked, "k8s", "1.2.3-os-arch")
	if err := os.MkdirAll(version, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, version, "etcd", "kube-apiserver", "kubectl")
	if err := os.Chmod(version, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := flatten(dir, unpacked); err != nil {
		t.Fatal(err)
	}
	if missing := programs.Missing(dir, "etcd", "kube-apiserver", "kubectl"); missing != "" {
		t.Errorf("%s is missing", missing)
	}
	if _, err := os.Stat(unpacked); !os.IsNotExist(err) {
		t.Errorf("the download folder is left: %v", err)
	}
}

func put(t *testing.T, dir string, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if err := os.WriteFile(filepath.Join(dir, program), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
