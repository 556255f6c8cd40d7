package store

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/operator"
)

func TestStore(t *testing.T) {
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "store", suite, reporter)
}

// One control plane serves all parallel processes.
var (
	// cluster is how a replica reaches it, with the rights that config/split gives the SCIM server.
	cluster *rest.Config
	// admin is what everybody else does there.
	admin client.Client
)

var _ = SynchronizedBeforeSuite(func(ctx context.Context) []byte {
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
	cluster = configOf(k.Server)
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	var err error
	admin, err = client.New(configOf(k.Administrator), client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
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

// replica starts another store on the cluster, as another process of the operator would have.
func replica() *Store {
	GinkgoHelper()
	s, err := New(cluster, Options{MaxStaleness: time.Minute, Log: logr.Discard()})
	Expect(err).NotTo(HaveOccurred())
	start(s)
	return s
}

func start(s *Store) {
	GinkgoHelper()
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = s.Start(ctx)
	}()
	DeferCleanup(func() {
		stop()
		Eventually(stopped, 10*time.Second).Should(BeClosed())
	})
	Eventually(s.Fresh, 20*time.Second).Should(Succeed())
}

// newNamespace makes a namespace of the spec's own.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "store-"}}
	Expect(admin.Create(ctx, ns)).To(Succeed())
	return ns.Name
}

func person(userName string) *User {
	return &User{UserAttributes: &v1alpha1.UserAttributes{UserName: userName, Active: true}}
}

// changed returns a change for UpdateUser that edits a copy of the attributes.
func changed(edit func(*v1alpha1.UserAttributes)) func(*User) (*User, error) {
	return func(u *User) (*User, error) {
		next := *u
		next.UserAttributes = u.UserAttributes.DeepCopy()
		edit(next.UserAttributes)
		return &next, nil
	}
}

func keep(g *Group) (*Group, error) { return g, nil }

func memberIDs(g *Group) []string {
	ids := make([]string, len(g.Members))
	for i, m := range g.Members {
		ids[i] = m.Value
	}
	slices.Sort(ids)
	return ids
}

func names(users []*User) []string {
	out := make([]string, len(users))
	for i, u := range users {
		out[i] = u.UserName
	}
	return out
}

// listUsers returns a page of users with the number of all, as a query without other kinds has them.
func listUsers(ctx context.Context, d *Directory, q UserQuery, start, count int) (page []*User, total int, err error) {
	found, err := d.List(ctx, Query{Users: &q, Start: start, Count: count})
	if err != nil {
		return nil, 0, err
	}
	for i := range found.Len() {
		r, err := found.Resource(ctx, i)
		if err != nil {
			return nil, 0, err
		}
		page = append(page, new(*r.(*User)))
	}
	return page, found.Total, nil
}

func beTaken(attribute string) OmegaMatcher { return MatchError(HavePrefix(attribute + " is taken")) }
