// Package operator runs the operator in suites of specs as it runs in a cluster: as a process of its own, as its
// ServiceAccount with the shipped ClusterRole and nothing more, under the shipped admission policies.
package operator

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// Username is who the operator is to Kubernetes.
var Username = controlplane.AccountName(controlplane.OperatorAccount)

// Installation is a control plane with everything in it that the operator needs.
type Installation struct {
	Plane *controlplane.ControlPlane
	// Admin may do everything that the admission policies permit.
	Admin client.Client
	// Binary is the operator, built from the source as it is.
	Binary string
	root   string
	dir    string
}

// Install starts a control plane for the suite, installs what config says, and builds the operator.
func Install(ctx context.Context) *Installation {
	ginkgo.GinkgoHelper()
	must := func(err error) {
		ginkgo.GinkgoHelper()
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
	}
	root, err := controlplane.Root()
	must(err)
	plane, err := controlplane.Start(ctx, controlplane.Options{Root: root, Progress: ginkgo.GinkgoWriter})
	must(err)
	ginkgo.DeferCleanup(plane.Stop)
	scheme := runtime.NewScheme()
	must(clientgoscheme.AddToScheme(scheme))
	must(v1alpha1.AddToScheme(scheme))
	admin, err := client.New(plane.Config, client.Options{Scheme: scheme})
	must(err)
	dir := ginkgo.GinkgoT().TempDir()
	i := &Installation{Plane: plane, Admin: admin, Binary: filepath.Join(dir, "scim-operator"), root: root, dir: dir}

	must(plane.GiveRights(ctx))
	must(plane.Guard(ctx))
	kubeconfig, err := plane.Kubeconfig("administrator", "system:masters")
	must(err)
	must(os.WriteFile(i.Kubeconfig(), kubeconfig, 0o600))
	for _, account := range []string{Server, Controllers} {
		kubeconfig, err = plane.AccountKubeconfig(account)
		must(err)
		must(os.WriteFile(i.kubeconfigOf(account), kubeconfig, 0o600))
	}

	build := exec.CommandContext(ctx, "go", "build", "-o", i.Binary, ".")
	build.Dir, build.Stdout, build.Stderr = root, ginkgo.GinkgoWriter, ginkgo.GinkgoWriter
	must(build.Run())
	return i
}

// Kubeconfig is the path of an administrator's.
func (i *Installation) Kubeconfig() string { return filepath.Join(i.dir, "admin.kubeconfig") }

func (i *Installation) kubeconfigOf(account string) string {
	return filepath.Join(i.dir, account+".kubeconfig")
}

// Command is the operator with these flags, as its ServiceAccount.
func (i *Installation) Command(flags ...string) *exec.Cmd {
	return i.commandAs(controlplane.OperatorAccount, flags...)
}

func (i *Installation) commandAs(account string, flags ...string) *exec.Cmd {
	command := exec.Command(i.Binary, flags...)
	command.Env = append(os.Environ(), "KUBECONFIG="+i.kubeconfigOf(account))
	return command
}

// Apply applies the manifests that match a pattern below the root of the repository.
func (i *Installation) Apply(ctx context.Context, pattern string) {
	ginkgo.GinkgoHelper()
	gomega.Expect(controlplane.Apply(ctx, i.Plane.Config, filepath.Join(i.root, pattern))).To(gomega.Succeed())
}

// Kubectl runs it as an administrator, in the root of the repository, and returns what it prints. It fails the spec
// when kubectl fails.
func (i *Installation) Kubectl(arguments ...string) string {
	ginkgo.GinkgoHelper()
	out, err := i.TryKubectl(arguments...)
	gomega.Expect(err).NotTo(gomega.HaveOccurred(), out)
	return out
}

// TryKubectl is Kubectl for what may fail.
func (i *Installation) TryKubectl(arguments ...string) (string, error) {
	command := exec.Command(i.Plane.Kubectl, append([]string{"--kubeconfig=" + i.Kubeconfig()}, arguments...)...)
	command.Dir = i.root
	out, err := command.CombinedOutput()
	return string(out), err
}

// FreeAddress is where a server can listen.
func FreeAddress() string {
	ginkgo.GinkgoHelper()
	address, err := controlplane.FreeAddress(context.Background())
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return address
}
