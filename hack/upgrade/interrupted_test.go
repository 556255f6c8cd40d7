package upgrade

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/hack/controlplane"
	"github.com/scim-operator/scim-operator/hack/operator"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// steps are the places at which whoever halves a group can end, by how many writes it has made by then. The first takes a
// member out; the resize follows.
var steps = []string{
	1: "before it seals",
	2: "one slice sealed",
	3: "all slices sealed",
	4: "the new slice made",
	5: "the new epoch committed",
	6: "one old slice deleted",
}

// teamAfter is the name of the group whose resize ended after so many writes.
func teamAfter(writes int) string { return fmt.Sprintf("Team %d", writes) }

var errEnded = errors.New("this writer has ended")

// mortal passes calls on until it has made its last write of members: from then on nothing reaches the API server.
type mortal struct {
	http.RoundTripper
	left *atomic.Int64
}

// RoundTrip passes a call on.
func (m mortal) RoundTrip(r *http.Request) (*http.Response, error) {
	members := strings.Contains(r.URL.Path, "/scimgroups") || strings.Contains(r.URL.Path, "/scimmemberslices")
	if members && r.Method != http.MethodGet && m.left.Add(-1) < 0 {
		return nil, errEnded
	}
	return m.RoundTripper.RoundTrip(r)
}

// interruptedResizes leaves one group for each step of a resize, with those who stay, of whom the IdP was told that the
// leaver is out.
func interruptedResizes(ctx context.Context, i *operator.Installation, stay []string, leaver string) {
	GinkgoHelper()
	kubeconfig, err := i.Plane.AccountKubeconfig(controlplane.OperatorAccount)
	Expect(err).NotTo(HaveOccurred())
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	asOperator, err := client.New(config, client.Options{Scheme: i.Admin.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	for writes := 1; writes < len(steps); writes++ {
		By(steps[writes])
		id := spreadGroup(ctx, asOperator, teamAfter(writes), append(slices.Clone(stay), leaver))
		left := &atomic.Int64{}
		left.Store(int64(writes))
		doomed := rest.CopyConfig(config)
		doomed.Wrap(func(rt http.RoundTripper) http.RoundTripper { return mortal{rt, left} })
		s, err := store.New(doomed, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
		Expect(err).NotTo(HaveOccurred())
		life, end := context.WithCancel(ctx)
		go func() { _ = s.Start(life) }()
		Expect(s.WaitForSync(ctx)).To(Succeed())
		_, err = s.Directory(namespace, "okta").UpdateGroup(ctx, id, func(g *store.Group) (*store.Group, error) { return g, nil },
			[]store.MemberChange{{Op: store.RemoveMembers, IDs: []string{leaver}}}, false)
		end()
		Expect(err).NotTo(HaveOccurred(), "a resize is no concern of the caller's")
		Expect(left.Load()).To(BeNumerically("<", 0), "it has ended in the middle")
	}
}

// spreadGroup makes a group whose members are spread over two slices, as one that was large has them.
func spreadGroup(ctx context.Context, c client.Client, name string, members []string) string {
	GinkgoHelper()
	g := &v1alpha1.ScimGroup{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: uuid.Must(uuid.NewV7()).String()}}
	g.Spec.DirectoryRef.Name, g.Spec.DisplayName = "okta", name
	g.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "aaaaaaaa", Shards: 2}
	for shard := range g.Spec.Membership.Shards {
		s := &v1alpha1.ScimMemberSlice{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: v1alpha1.SliceName(g.Name, g.Spec.Membership.Epoch, shard),
		}}
		s.Spec = v1alpha1.ScimMemberSliceSpec{DirectoryRef: g.Spec.DirectoryRef, Group: g.Name, Epoch: g.Spec.Membership.Epoch, Shard: shard}
		for _, id := range slices.Sorted(slices.Values(members)) {
			if v1alpha1.HomeShard(id, g.Spec.Membership.Shards) == shard {
				s.Spec.Members = append(s.Spec.Members, id)
			}
		}
		Expect(c.Create(ctx, s)).To(Succeed())
	}
	Expect(c.Create(ctx, g)).To(Succeed())
	return g.Name
}

// membership says how the members of a group are stored: "2 slices, 1 sealed", and who is in those of its epoch.
func membership(ctx context.Context, i *operator.Installation, group string) (stored string, members []string) {
	GinkgoHelper()
	var g v1alpha1.ScimGroup
	Expect(i.Admin.Get(ctx, key(group), &g)).To(Succeed())
	sealed := 0
	for shard := range g.Spec.Membership.Shards {
		var s v1alpha1.ScimMemberSlice
		Expect(i.Admin.Get(ctx, key(v1alpha1.SliceName(group, g.Spec.Membership.Epoch, shard)), &s)).To(Succeed())
		members = append(members, s.Spec.Members...)
		if s.Spec.Sealed {
			sealed++
		}
	}
	return fmt.Sprintf("%d slices, %d sealed", g.Spec.Membership.Shards, sealed), members
}

// membersOf are a group's members as the identity provider sees them.
func (c *cluster) membersOf(group string) (ids []string) {
	GinkgoHelper()
	for _, m := range c.scim(http.MethodGet, "/Groups/"+group, "").body.Members {
		ids = append(ids, m.Value)
	}
	return ids
}
