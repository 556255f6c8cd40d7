package controllers

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

// k8s is every process's own client: the cluster as an administrator and a SCIM server see it.
var k8s client.WithWatch

// administrator is the configuration of that client.
var administrator *rest.Config

// shared is what the first process tells the others.
var shared struct {
	Kubeconfig []byte
	// AuditLog is the file of the one manager's audit log.
	AuditLog string
}

const (
	suiteSweepDelay    = 4 * time.Second
	suiteHandOverGrace = 3 * time.Second
)

func TestControllers(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(30 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	SetDefaultConsistentlyDuration(1500 * time.Millisecond)
	RunSpecs(t, "Controllers")
}

// The first process runs the one control plane and the one manager; every process is a client.
var _ = SynchronizedBeforeSuite(func(ctx context.Context) []byte {
	plane, err := controlplane.Start(ctx, controlplane.Options{Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	everywhereElse := CacheOptions()
	everywhereElse.DefaultFieldSelector = outsideIsolation()
	audit, err := os.Create(filepath.Join(GinkgoT().TempDir(), "audit.log"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(audit.Close)
	runManager(asOperator(ctx, plane), everywhereElse, Options{Audit: slog.New(slog.NewJSONHandler(audit, nil))})
	shared.AuditLog = audit.Name()
	shared.Kubeconfig, err = plane.Kubeconfig("administrator", "system:masters")
	Expect(err).NotTo(HaveOccurred())
	told, err := json.Marshal(shared)
	Expect(err).NotTo(HaveOccurred())
	return told
}, func(told []byte) {
	Expect(json.Unmarshal(told, &shared)).To(Succeed())
	config, err := clientcmd.RESTConfigFromKubeConfig(shared.Kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	administrator = config
	k8s, err = client.NewWithWatch(config, client.Options{Scheme: testScheme()})
	Expect(err).NotTo(HaveOccurred())
})

// asOperator is the configuration of a client that may do what the operator's ClusterRole says, and nothing else.
func asOperator(ctx context.Context, plane *controlplane.ControlPlane) *rest.Config {
	root, err := controlplane.Root()
	Expect(err).NotTo(HaveOccurred())
	Expect(controlplane.Apply(ctx, plane.Config, filepath.Join(root, "config", "rbac", "role.yaml"))).To(Succeed())
	admin, err := client.New(plane.Config, client.Options{Scheme: testScheme()})
	Expect(err).NotTo(HaveOccurred())
	Expect(admin.Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "scim-operator"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "scim-operator"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "scim-operator"}},
	})).To(Succeed())
	config, err := plane.User("scim-operator")
	Expect(err).NotTo(HaveOccurred())
	return config
}

// runManager runs the controllers until the spec ends, or stop is called.
func runManager(config *rest.Config, cached cache.Options, o Options) (stop func()) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	ctrl.SetLogger(GinkgoLogr)
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:     testScheme(),
		Cache:      cached,
		Metrics:    server.Options{BindAddress: "0"},
		Controller: ctrlconfig.Controller{SkipNameValidation: new(true)}, // two managers in one process
	})
	Expect(err).NotTo(HaveOccurred())
	o.ExternalURL, o.SweepDelay, o.HandOverGrace = "https://scim.example.com/", suiteSweepDelay, suiteHandOverGrace
	Expect(SetupWithManager(mgr, o)).To(Succeed())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		Eventually(done).Should(Receive(Succeed()))
	})
	DeferCleanup(stop)
	return stop
}

func testScheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	return scheme
}
