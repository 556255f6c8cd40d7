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
	p := &player{dir: clone(), replace: map[string]string{listens: operator.FreeAddress()}}
	out, err := run(ctx, "go", "build", "-o", filepath.Join(p.dir, "bin", "dev-runner"), "./hack/dev")
	Expect(err).NotTo(HaveOccurred(), out)
	p.env = environment("/nowhere", "ADDR="+p.replace[listens])
	// What make would build has been built, or else this would take half a minute longer: hack/newcomer.sh takes the time.
	p.instead = map[string]string{"git clone": "", "cd ": "", "make run": "bin/dev-runner"}
	p.after = map[string]func(context.Context){"make demo": func(ctx context.Context) {
		readme := &player{dir: p.dir, env: p.env, instead: map[string]string{"make demo": ""}}
		readme.play(ctx, "README.md", "Try it")
	}}
	return p
})

var _ = playsWithin("README.md", "Try it")

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

// clone is a folder that looks like one, in which the operator and the control plane have been built.
func clone() string {
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
	return dir
}
