package docs

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/hack/cluster"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/operator"
)

// Where the operator is reached in the pages: listens on the reader's machine, external from elsewhere. The specs serve at
// other addresses, so that they disturb nobody.
const (
	listens  = "127.0.0.1:8080"
	external = "https://scim.example.com"
)

// stage is a cluster in which pages are played.
type stage struct {
	plane *controlplane.ControlPlane
	admin client.Client
	// address is where the operator serves SCIM, console where the console.
	address, console string
	// dir holds the programs that commands call, and kubeconfig, an administrator's.
	dir, kubeconfig string
	cluster         *cluster.Cluster
	process         *exec.Cmd
	companies       int // that have been made
}

// newStage is a cluster in which nothing is installed. It ends with the spec.
func newStage(ctx context.Context) *stage {
	GinkgoHelper()
	s := &stage{address: operator.FreeAddress(), console: operator.FreeAddress(), dir: GinkgoT().TempDir()}
	// Some pages show what happens where the operator's roles are gone, which is no proof that it needs other ones.
	GinkgoT().Setenv(controlplane.AuditDir, "")
	var err error
	s.plane, err = controlplane.Start(ctx, controlplane.Options{Root: root, Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.plane.Stop)
	s.cluster, err = cluster.Start(ctx, s.plane, cluster.Options{Ports: map[int]string{8080: s.address, 8082: s.console}, Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(s.cluster.Stop)

	scheme := installed.Admin.Scheme()
	Expect(apiextensionsv1.AddToScheme(scheme)).To(Succeed())
	s.admin, err = client.New(s.plane.Config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	s.withoutCRDs(ctx)

	s.kubeconfig = filepath.Join(s.dir, "kubeconfig")
	content, err := s.plane.Kubeconfig("administrator", "system:masters")
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(s.kubeconfig, content, 0o600)).To(Succeed())
	for name, program := range map[string]string{"kubectl": s.plane.Kubectl, "kubectl-scim": known.plugin, "helm": known.helm, "jq": known.jq} {
		Expect(os.Symlink(program, filepath.Join(s.dir, name))).To(Succeed())
	}
	DeferCleanup(s.stop)
	return s
}

// withoutCRDs has the cluster know none of ours: what is installed brings its own.
func (s *stage) withoutCRDs(ctx context.Context) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var left apiextensionsv1.CustomResourceDefinitionList
		g.Expect(s.admin.List(ctx, &left)).To(Succeed())
		for _, crd := range left.Items { // one by one: of what is deleted as a collection, Kubernetes leaves the objects in etcd
			g.Expect(client.IgnoreNotFound(s.admin.Delete(ctx, &crd))).To(Succeed())
		}
		g.Expect(left.Items).To(BeEmpty())
	}).Should(Succeed())
}

// install installs the operator by the chart, with these settings beside its address.
func (s *stage) install(ctx context.Context, settings ...string) {
	GinkgoHelper()
	out, err := run(ctx, known.helm, append([]string{
		"install", "scim-operator", "config/chart", "--kubeconfig=" + s.kubeconfig, "--namespace=" + controlplane.OperatorNamespace, "--create-namespace",
		"--set=externalURL=http://" + s.address,
	}, settings...)...)
	Expect(err).NotTo(HaveOccurred(), out)
	s.deploy(ctx)
}

// player plays in the root of the repository, as an administrator of the cluster.
func (s *stage) player() *player {
	return &player{
		dir: root, env: environment(s.dir, "KUBECONFIG="+s.kubeconfig),
		replace: map[string]string{external: "http://" + s.address},
	}
}

// deploy does for the Deployment what nodes would do beside saying that its Pods run: it runs the operator as the ServiceAccount,
// with the arguments that the Deployment has now, and returns when it serves.
func (s *stage) deploy(ctx context.Context) {
	GinkgoHelper()
	ready := s.launch(ctx)
	Eventually(func(g Gomega) {
		answer, err := http.Get(ready)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(answer.Body.Close()).To(Succeed())
		g.Expect(answer.StatusCode).To(Equal(http.StatusOK))
	}).Should(Succeed())
}

// launch is deploy without the waiting. It returns where the operator says whether it is ready.
func (s *stage) launch(ctx context.Context) (ready string) {
	GinkgoHelper()
	s.stop()
	var d appsv1.Deployment
	Expect(s.admin.Get(ctx, client.ObjectKey{Namespace: controlplane.OperatorNamespace, Name: "scim-operator"}, &d)).To(Succeed())
	pod := d.Spec.Template.Spec
	kubeconfig := filepath.Join(s.dir, "operator.kubeconfig")
	content, err := s.plane.AccountKubeconfig(pod.ServiceAccountName)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())
	var arguments []string
	for _, argument := range pod.Containers[0].Args {
		for _, variable := range pod.Containers[0].Env {
			argument = strings.ReplaceAll(argument, "$("+variable.Name+")", variable.Value)
		}
		arguments = append(arguments, argument)
	}
	probe := operator.FreeAddress()
	arguments = append(arguments, "--scim-bind-address="+s.address, "--metrics-bind-address=0",
		"--health-probe-bind-address="+probe, "--leader-election-namespace="+controlplane.OperatorNamespace)
	for _, argument := range arguments {
		if strings.HasPrefix(argument, "--console-bind-address=") {
			arguments = append(arguments, "--console-bind-address="+s.console)
			break
		}
	}
	s.process = exec.Command(installed.Binary, arguments...)
	s.process.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	s.process.Stdout, s.process.Stderr = s.cluster.Log, s.cluster.Log
	Expect(s.process.Start()).To(Succeed())
	return "http://" + probe + "/readyz"
}

// grace is how long the operator may take to end.
const grace = 10 * time.Second

// stop ends the operator as a node does, so that it hands on the lead.
func (s *stage) stop() {
	if s.process != nil {
		process := s.process.Process
		_ = process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(grace, func() { _ = process.Kill() })
		_ = s.process.Wait()
		kill.Stop()
		s.process = nil
	}
}
