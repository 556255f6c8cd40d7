package scimserver_test

import (
	"context"
	"encoding/json"
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
	"github.com/scim-operator/scim-operator/hack/operator"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// externalURL is not where the test server is: what it says of itself must not depend on how it is reached.
const externalURL = "https://scim.example.com"

// The specs look at the cluster and change it as an administrator; the server has the rights that config/split gives it.
var (
	config  *rest.Config // the server's
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
	operator.Split(ctx, plane)
	var k kubeconfigs
	k.Administrator, err = plane.Kubeconfig("administrator", "system:masters")
	Expect(err).NotTo(HaveOccurred())
	k.Server, err = plane.AccountKubeconfig(operator.Server)
	Expect(err).NotTo(HaveOccurred())
	told, err := json.Marshal(k)
	Expect(err).NotTo(HaveOccurred())
	return told
}, func(told []byte) {
	var k kubeconfigs
	Expect(json.Unmarshal(told, &k)).To(Succeed())
	var err error
	config = configOf(k.Server)
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	cluster, err = client.New(configOf(k.Administrator), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())

	storage, err = store.New(config, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
	Expect(err).NotTo(HaveOccurred())
	server = serve(storage, scimserver.Options{})

	start(storage)
})

// kubeconfigs are what the first process tells the others.
type kubeconfigs struct{ Administrator, Server []byte }

func configOf(kubeconfig []byte) *rest.Config {
	GinkgoHelper()
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	config.QPS = -1
	return config
}

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
