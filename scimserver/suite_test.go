package scimserver_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// externalURL is not where the test server is: what it says of itself must not depend on how it is reached.
const externalURL = "https://scim.example.com"

var (
	config  *rest.Config
	cluster client.Client
	storage *store.Store
	server  *httptest.Server
)

func TestSCIMServer(t *testing.T) {
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "SCIM server", suite, reporter)
}

// One control plane serves all processes; each process is a replica of the SCIM server with its own store.
var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	plane, err := controlplane.Start(ctx, controlplane.Options{Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	kubeconfig, err := plane.Kubeconfig("tests", "system:masters")
	Expect(err).NotTo(HaveOccurred())
	return kubeconfig
}, func(kubeconfig []byte) {
	var err error
	config, err = clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	cluster, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	storage, err = store.New(config, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
	Expect(err).NotTo(HaveOccurred())
	server = serve(storage, scimserver.Options{})

	start(storage)
})

// start runs a replica's store until the end of the spec or suite, and returns once it knows everything.
func start(s *store.Store) {
	GinkgoHelper()
	running, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Start(running) }()
	DeferCleanup(func() {
		stop()
		Eventually(ended).WithTimeout(10 * time.Second).Should(Receive(BeNil()))
	})
	Eventually(s.Fresh).WithTimeout(30 * time.Second).Should(Succeed())
}

// serve starts an HTTP server in front of a store.
func serve(s *store.Store, o scimserver.Options) *httptest.Server {
	o.ExternalURL = externalURL + "/"
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	listening := httptest.NewServer(scimserver.New(s, o))
	DeferCleanup(listening.Close)
	return listening
}
