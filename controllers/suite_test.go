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
	"github.com/scim-operator/scim-operator/hack/operator"
)

// k8s is every process's own client: the cluster as an administrator and a SCIM server see it.
var k8s client.WithWatch

// asControllers is the configuration of the controllers' own client, which may do what config/split says, and nothing else.
var asControllers *rest.Config

// shared is what the first process tells the others.
var shared struct {
	Administrator, Controllers []byte // kubeconfigs
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
	operator.Split(ctx, plane)
	shared.Administrator, err = plane.Kubeconfig("administrator", "system:masters")
	Expect(err).NotTo(HaveOccurred())
	shared.Controllers, err = plane.AccountKubeconfig(operator.Controllers)
	Expect(err).NotTo(HaveOccurred())
	everywhereElse := CacheOptions()
	everywhereElse.DefaultFieldSelector = outsideIsolation()
	audit, err := os.Create(filepath.Join(GinkgoT().TempDir(), "audit.log"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(audit.Close)
	shared.AuditLog = audit.Name()
	runManager(configOf(shared.Controllers), everywhereElse, Options{Audit: slog.New(slog.NewJSONHandler(audit, nil))})
	told, err := json.Marshal(shared)
	Expect(err).NotTo(HaveOccurred())
	return told
}, func(told []byte) {
	Expect(json.Unmarshal(told, &shared)).To(Succeed())
	asControllers = configOf(shared.Controllers)
	var err error
	k8s, err = client.NewWithWatch(configOf(shared.Administrator), client.Options{Scheme: testScheme()})
	Expect(err).NotTo(HaveOccurred())
})

func configOf(kubeconfig []byte) *rest.Config {
	GinkgoHelper()
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	return config
}

// runManager runs the controllers until the spec ends, or stop is called.
func runManager(config *rest.Config, cached cache.Options, o Options) (stop func()) {
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
