package install

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func TestInstall(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "install", suite, reporter)
}

// system is where the operator is installed.
const system = "scim-system"

var (
	root       string
	plane      *controlplane.ControlPlane
	kubeconfig string
	admin      client.Client
)

var _ = BeforeSuite(func(ctx context.Context) {
	var err error
	root, err = controlplane.Root()
	Expect(err).NotTo(HaveOccurred())
	plane, err = controlplane.Start(ctx, controlplane.Options{Root: root, Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() error { return plane.Stop() })
	kubeconfig = filepath.Join(GinkgoT().TempDir(), "kubeconfig")
	content, err := plane.Kubeconfig("administrator", "system:masters")
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(kubeconfig, content, 0o600)).To(Succeed())
	admin = as(plane.User("administrator", "system:masters"))
	Expect(controlplane.Apply(ctx, plane.Config, gatewayAPI(ctx))).To(Succeed())
	for _, kind := range []string{"servicemonitors", "prometheusrules"} {
		Expect(controlplane.Apply(ctx, plane.Config, prometheusOperator(ctx, kind))).To(Succeed())
	}
	Expect(admin.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: system, Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}})).To(Succeed())
})

// gatewayAPI is where the CRDs of the Gateway API are.
func gatewayAPI(ctx context.Context) string {
	GinkgoHelper()
	return filepath.Join(download(ctx, "sigs.k8s.io/gateway-api"), "config", "crd", "standard", "gateway.networking.k8s.io_[gh]*s.yaml")
}

// prometheusOperator is where its CRD of a kind is.
func prometheusOperator(ctx context.Context, kind string) string {
	GinkgoHelper()
	module := download(ctx, "github.com/prometheus-operator/prometheus-operator@v0.85.0")
	return filepath.Join(module, "example", "prometheus-operator-crd", "monitoring.coreos.com_"+kind+".yaml")
}

// download returns the folder of a Go module.
func download(ctx context.Context, module string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	command.Dir = filepath.Join(root, "hack", "install", "source")
	out, err := command.Output()
	Expect(err).NotTo(HaveOccurred(), string(out))
	var found struct{ Dir string }
	Expect(json.Unmarshal(out, &found)).To(Succeed())
	return found.Dir
}

// as is a client for who a configuration says.
func as(config *rest.Config, err error) client.Client {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	c, err := client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return c
}
