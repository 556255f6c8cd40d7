package docs

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/operator"
)

var _ = playsAlone("docs/getting-started.md", "On your machine", func(ctx context.Context) *player {
	p := &player{dir: clone(ctx), replace: map[string]string{listens: operator.FreeAddress()}}
	p.env = environment("/nowhere", "ADDR="+p.replace[listens])
	// What make would build has been built, or else this would take half a minute longer: hack/newcomer.sh takes the time.
	p.instead = map[string]string{"git clone": "", "cd ": "", "make run": "bin/dev-runner"}
	return p
})

var _ = playsAlone("docs/getting-started.md", "In a cluster", func(ctx context.Context) *player {
	s := newStage(ctx)
	p := s.player()
	forwarded := operator.FreeAddress()
	_, port, err := net.SplitHostPort(forwarded)
	Expect(err).NotTo(HaveOccurred())
	p.replace[listens], p.replace["8080:80"] = forwarded, port+":80"
	p.after = map[string]func(context.Context){"helm install": s.deploy}
	return p
})

// clone is a folder that looks like one, with what `make run` builds and the servers that it needs.
func clone(ctx context.Context) string {
	GinkgoHelper()
	dir := GinkgoT().TempDir()
	entries, err := os.ReadDir(root)
	Expect(err).NotTo(HaveOccurred())
	for _, entry := range entries {
		if !slices.Contains([]string{".git", "bin", "dist"}, entry.Name()) {
			Expect(os.Symlink(filepath.Join(root, entry.Name()), filepath.Join(dir, entry.Name()))).To(Succeed())
		}
	}
	bin := filepath.Join(dir, "bin")
	Expect(os.Mkdir(bin, 0o750)).To(Succeed())
	for name, program := range map[string]string{
		"k8s": filepath.Dir(installed.Plane.Kubectl), "scim-operator": installed.Binary, "kubectl-scim": installed.Binary,
	} {
		Expect(os.Symlink(program, filepath.Join(bin, name))).To(Succeed())
	}
	out, err := run(ctx, "go", "build", "-o", filepath.Join(bin, "dev-runner"), "./hack/dev")
	Expect(err).NotTo(HaveOccurred(), out)
	return dir
}
