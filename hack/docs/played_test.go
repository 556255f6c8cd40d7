package docs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/operator"
)

// address is where the operator serves in the pages. The specs serve elsewhere, so that they disturb nobody.
const address = "127.0.0.1:8080"

// player plays the commands of a chapter.
type player struct {
	dir     string
	env     []string
	address string
	// instead are commands for which others run, or none, by their beginnings; after is what happens after a command.
	instead map[string]string
	after   map[string]func(context.Context)

	shell *shell
	took  []string
}

// reads are commands that change nothing, whose answer may take a while to be what is shown.
var reads = regexp.MustCompile(`^kubectl (get|events|describe|scim (who-can|why|users|groups|group|directory|plan|audit)) `)

func (p *player) play(ctx context.Context, path, chapter string) {
	GinkgoHelper()
	i := slices.IndexFunc(pages, func(candidate page) bool { return candidate.path == path })
	Expect(i).To(BeNumerically(">=", 0))
	begin, played := time.Now(), 0
	for _, b := range pages[i].blocks {
		if b.heading != chapter || !b.is("played") {
			continue
		}
		steps, err := b.session()
		Expect(err).NotTo(HaveOccurred())
		for _, s := range steps {
			started := time.Now()
			p.step(ctx, b, s, fmt.Sprintf("%s:%d", path, s.line))
			p.took = append(p.took, fmt.Sprintf("%6.1f s  %s", time.Since(started).Seconds(), firstLine(s.command)))
			played++
		}
	}
	Expect(played).NotTo(BeZero())
	p.took = append(p.took, fmt.Sprintf("%6.1f s  in all", time.Since(begin).Seconds()))
	AddReportEntry(chapter, strings.Join(p.took, "\n"))
}

func (p *player) step(ctx context.Context, b block, s step, where string) {
	GinkgoHelper()
	command := strings.ReplaceAll(s.command, address, p.address)
	for beginning, other := range p.instead {
		if strings.HasPrefix(s.command, beginning) {
			command = other
		}
	}
	if command == "" {
		return
	}
	if b.is("beside") {
		output := startBeside(p.dir, p.env, command)
		Eventually(func() error { return differs(s.shown, output.lines()) }).WithTimeout(2*time.Minute).Should(Succeed(), where)
		return
	}
	if p.shell == nil {
		p.shell = openShell(p.dir, p.env...)
	}
	again := 0 * time.Second
	if reads.MatchString(command) {
		again = 30 * time.Second
	}
	Eventually(func() error { return differs(s.shown, p.shell.run(command)) }).WithTimeout(again).Should(Succeed(), "%s: %s", where, command)
	for beginning, do := range p.after {
		if strings.HasPrefix(s.command, beginning) {
			do(ctx)
		}
	}
}

// environment is what every command has; the programs in path are found first.
func environment(path string, more ...string) []string {
	return append([]string{
		"PATH=" + path + ":" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "GOCACHE=" + os.Getenv("GOCACHE"), "GOFLAGS=" + os.Getenv("GOFLAGS"),
		"GOPROXY=" + os.Getenv("GOPROXY"), "GOMODCACHE=" + os.Getenv("GOMODCACHE"), "GOTOOLCHAIN=" + os.Getenv("GOTOOLCHAIN"),
	}, more...)
}

var _ = Describe("docs/getting-started.md", func() {
	It("brings a newcomer from the clone to people with roles", func(ctx context.Context) {
		p := &player{dir: clone(ctx), address: operator.FreeAddress()}
		p.env = environment("/nowhere", "ADDR="+p.address)
		// What make would build has been built, or else this would take half a minute longer: hack/newcomer.sh takes the time.
		p.instead = map[string]string{"git clone": "", "cd ": "", "make run": "bin/dev-runner"}
		p.play(ctx, "docs/getting-started.md", "On your machine")
	})

	It("brings a newcomer from helm install to the first people", func(ctx context.Context) {
		plane, err := controlplane.Start(ctx, controlplane.Options{Root: root, Progress: GinkgoWriter})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(plane.Stop)
		scheme := installed.Admin.Scheme()
		Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
		admin, err := client.New(plane.Config, client.Options{Scheme: scheme})
		Expect(err).NotTo(HaveOccurred())
		// The chart brings its own.
		Expect(admin.DeleteAllOf(ctx, &apiextensionsv1.CustomResourceDefinition{})).To(Succeed())
		Eventually(func(g Gomega) {
			var left apiextensionsv1.CustomResourceDefinitionList
			g.Expect(admin.List(ctx, &left)).To(Succeed())
			g.Expect(left.Items).To(BeEmpty())
		}).Should(Succeed())

		dir := GinkgoT().TempDir()
		kubeconfig := filepath.Join(dir, "kubeconfig")
		content, err := plane.Kubeconfig("administrator", "system:masters")
		Expect(err).NotTo(HaveOccurred())
		Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())
		for name, program := range map[string]string{"kubectl": plane.Kubectl, "kubectl-scim": known.plugin, "helm": known.helm} {
			Expect(os.Symlink(program, filepath.Join(dir, name))).To(Succeed())
		}
		p := &player{dir: root, address: operator.FreeAddress(), env: environment(dir, "KUBECONFIG="+kubeconfig)}
		p.after = map[string]func(context.Context){"helm install": func(ctx context.Context) { runDeployment(ctx, plane, admin, dir, p.address) }}
		p.play(ctx, "docs/getting-started.md", "In a cluster")
	})
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

// runDeployment does for a Deployment what nodes would do: it runs the operator as the ServiceAccount, with the arguments that
// were rendered.
func runDeployment(ctx context.Context, plane *controlplane.ControlPlane, admin client.Client, dir, address string) {
	GinkgoHelper()
	var d appsv1.Deployment
	Expect(admin.Get(ctx, client.ObjectKey{Namespace: "scim-system", Name: "scim-operator"}, &d)).To(Succeed())
	pod := d.Spec.Template.Spec
	kubeconfig := filepath.Join(dir, "operator.kubeconfig")
	content, err := plane.Kubeconfig("system:serviceaccount:scim-system:"+pod.ServiceAccountName, "system:serviceaccounts", "system:serviceaccounts:scim-system")
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())
	var arguments []string
	for _, argument := range pod.Containers[0].Args {
		for _, variable := range pod.Containers[0].Env {
			argument = strings.ReplaceAll(argument, "$("+variable.Name+")", variable.Value)
		}
		arguments = append(arguments, argument)
	}
	command := exec.Command(installed.Binary, append(arguments, "--scim-bind-address="+address, "--metrics-bind-address=0",
		"--health-probe-bind-address="+operator.FreeAddress(), "--leader-election-namespace=scim-system")...)
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	command.Stdout, command.Stderr = GinkgoWriter, GinkgoWriter
	Expect(command.Start()).To(Succeed())
	DeferCleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	Eventually(func() error { return admin.List(ctx, &v1alpha1.ScimDirectoryList{}) }).Should(Succeed())
}
