package store

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func TestStore(t *testing.T) {
	RegisterFailHandler(Fail)
	suite, reporter := GinkgoConfiguration()
	suite.RandomizeAllSpecs = true
	RunSpecs(t, "store", suite, reporter)
}

// cluster is the one control plane of all parallel processes.
var cluster *rest.Config

var _ = SynchronizedBeforeSuite(func(ctx context.Context) []byte {
	plane, err := controlplane.Start(ctx, controlplane.Options{Progress: GinkgoWriter})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(plane.Stop)
	kubeconfig, err := plane.Kubeconfig("suite", "system:masters")
	Expect(err).NotTo(HaveOccurred())
	return kubeconfig
}, func(kubeconfig []byte) {
	var err error
	cluster, err = clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	cluster.QPS = -1
})

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
func newNamespace(ctx context.Context, s *Store) string {
	GinkgoHelper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "store-"}}
	Expect(s.client.Create(ctx, ns)).To(Succeed())
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
	for _, r := range found.Resources {
		page = append(page, r.(*User))
	}
	return page, found.Total, nil
}

func beTaken(attribute string) OmegaMatcher { return MatchError(HavePrefix(attribute + " is taken")) }
