package store

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// app makes the mirrors of an app's roles and rewrites their members, as the controllers do.
type app struct{ *Directory }

// show makes the mirror of a role and returns its id.
func (a app) show(ctx context.Context, role string, members []string) string {
	GinkgoHelper()
	g := &v1alpha1.ScimGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: a.key.namespace, Name: newID()},
		Spec: v1alpha1.ScimGroupSpec{
			DirectoryRef: v1alpha1.DirectoryReference{Name: a.key.name}, Origin: v1alpha1.OriginApp,
			RoleRef: &v1alpha1.RoleReference{Name: "role-" + uuid.NewString()}, DisplayName: role,
		},
	}
	Expect(admin.Create(ctx, g)).To(Succeed())
	Expect(a.rewrite(ctx, g.Name, members, func() {})).To(BeTrue())
	return g.Name
}

// rewrite puts other members in a mirror: slices of a fresh epoch, then the group under its resource version, then the old
// slices go. It reports whether the group was still the app's to rewrite. Before the commit it waits for hold to return.
func (a app) rewrite(ctx context.Context, id string, members []string, hold func()) bool {
	GinkgoHelper()
	g, err := fetch(ctx, a.Directory, a.store.groups, id)
	Expect(err).NotTo(HaveOccurred())
	if !isMirror(g) {
		return false
	}
	old := g.Spec.Membership
	g.Spec.Membership, err = a.createEpoch(ctx, id, setOf(members), nil)
	Expect(err).NotTo(HaveOccurred())
	hold()
	err = admin.Update(ctx, g)
	if apierrors.IsConflict(err) {
		Expect(a.deleteEpoch(ctx, id, g.Spec.Membership)).To(Succeed())
		return false
	}
	Expect(err).NotTo(HaveOccurred())
	Expect(a.deleteEpoch(ctx, id, old)).To(Succeed())
	return true
}

var _ = Describe("A mirror of a role", func() {
	var (
		s         *Store
		namespace string
		d         *Directory
		theApp    app
		ids       []string
	)
	// knows waits until the replica knows that roles are importable.
	knows := func(d *Directory) {
		GinkgoHelper()
		Eventually(func() v1alpha1.Importable { return d.policy().groups.Importable }).Should(Equal(v1alpha1.ImportableAll))
	}
	BeforeEach(func(ctx context.Context) {
		s = replica()
		namespace = newNamespace(ctx)
		d = s.Directory(namespace, "okta")
		theApp = app{s.Directory(namespace, "okta")}
		Expect(admin.Create(ctx, &v1alpha1.ScimDirectory{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "okta"},
			Spec: v1alpha1.ScimDirectorySpec{Groups: v1alpha1.GroupsPolicy{
				Meaning: v1alpha1.GroupsAreRoles, Importable: v1alpha1.ImportableAll,
			}},
		})).To(Succeed())
		knows(d)
		ids = make([]string, 16)
		Expect(inParallel(len(ids), func(i int) error {
			u, err := d.CreateUser(ctx, person(uuid.NewString()))
			if err == nil {
				ids[i] = u.ID
			}
			return err
		})).To(Succeed())
		slices.Sort(ids)
	})

	live := func(ctx context.Context, id string) (*v1alpha1.ScimGroup, []string) {
		GinkgoHelper()
		g, err := fetch(ctx, d, s.groups, id)
		Expect(err).NotTo(HaveOccurred())
		members, err := d.liveMemberIDs(ctx, id)
		Expect(err).NotTo(HaveOccurred())
		slices.Sort(members)
		return g, members
	}
	// epochs are those of the group that have slices.
	epochs := func(ctx context.Context, id string) []string {
		GinkgoHelper()
		list := &v1alpha1.ScimMemberSliceList{}
		Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		var names []string
		for _, m := range list.Items {
			if m.Spec.Group == id {
				names = append(names, m.Spec.Epoch)
			}
		}
		return slices.Compact(names)
	}

	DescribeTable("is taken over by any change, before its members are touched: a rewrite under way comes too late",
		func(ctx context.Context, op MemberOp, places, want []int) {
			id := theApp.show(ctx, "Admins", ids[:4])
			change := MemberChange{Op: op}
			for _, place := range places {
				change.IDs = append(change.IDs, ids[place])
			}
			rewritten := theApp.rewrite(ctx, id, ids[8:12], func() {
				g, err := d.UpdateGroup(ctx, id, keep, []MemberChange{change}, false)
				Expect(err).NotTo(HaveOccurred())
				Expect(g.ID).To(Equal(id))
			})
			Expect(rewritten).To(BeFalse())
			g, members := live(ctx, id)
			Expect(g.Spec).To(And(HaveField("Origin", BeEmpty()), HaveField("RoleRef.Name", HavePrefix("role-"))))
			expected := []string{}
			for _, place := range want {
				expected = append(expected, ids[place])
			}
			Expect(members).To(ConsistOf(expected))
			Expect(epochs(ctx, id)).To(ConsistOf(g.Spec.Membership.Epoch))
			Expect(theApp.rewrite(ctx, id, nil, func() {})).To(BeFalse(), "the next one does not even begin")
		},
		Entry("a member added", AddMembers, []int{5}, []int{0, 1, 2, 3, 5}),
		Entry("a member removed", RemoveMembers, []int{1}, []int{0, 2, 3}),
		Entry("all replaced", ReplaceMembers, []int{6, 7}, []int{6, 7}),
		Entry("a member added that is one already", AddMembers, []int{2}, []int{0, 1, 2, 3}),
		Entry("nobody removed", RemoveMembers, []int{9}, []int{0, 1, 2, 3}),
		Entry("the very members pushed", ReplaceMembers, []int{0, 1, 2, 3}, []int{0, 1, 2, 3}),
		Entry("nothing", AddMembers, nil, []int{0, 1, 2, 3}),
	)

	It("loses no acknowledged change of a member while it is rewritten and taken over on several replicas", func(ctx context.Context) {
		replicas := []*Directory{d, replica().Directory(namespace, "okta")}
		knows(replicas[1])
		for round := range 6 {
			id := theApp.show(ctx, fmt.Sprint("Role ", round), ids[:8])
			var working sync.WaitGroup
			working.Go(func() {
				defer GinkgoRecover()
				for few := false; theApp.rewrite(ctx, id, ids[:map[bool]int{true: 7, false: 8}[few]], func() {}); {
					few = !few
				}
			})
			// Each id has one writer: four of them join, four leave.
			for i := range 8 {
				working.Go(func() {
					defer GinkgoRecover()
					change := MemberChange{RemoveMembers, ids[i : i+1]}
					if i >= 4 {
						change = MemberChange{AddMembers, ids[i+4 : i+5]}
					}
					_, err := replicas[i%2].UpdateGroup(ctx, id, keep, []MemberChange{change}, false)
					Expect(err).NotTo(HaveOccurred())
				})
			}
			working.Wait()
			g, members := live(ctx, id)
			Expect(isMirror(g)).To(BeFalse())
			Expect(members).To(ContainElements(ids[4], ids[5], ids[6], ids[8], ids[9], ids[10], ids[11]))
			for _, gone := range ids[:4] {
				Expect(members).NotTo(ContainElement(gone))
			}
		}
	})

	It("is linked by one of several that push a group of its name, whole, while it is rewritten", func(ctx context.Context) {
		replicas := []*Directory{d, replica().Directory(namespace, "okta")}
		knows(replicas[1])
		for round := range 4 {
			role := fmt.Sprint("Role ", round)
			id := theApp.show(ctx, role, ids[:8])
			var working sync.WaitGroup
			working.Go(func() {
				defer GinkgoRecover()
				for theApp.rewrite(ctx, id, ids[:8], func() {}) {
				}
			})
			var mu sync.Mutex
			var winners []int
			for i := range 4 {
				working.Go(func() {
					defer GinkgoRecover()
					g, err := replicas[i%2].CreateGroup(ctx, &Group{DisplayName: role, ExternalID: fmt.Sprint(i), Members: []Member{{Value: ids[i]}}})
					if err != nil {
						Expect(err).To(beTaken("displayName"))
						return
					}
					Expect(g.ID).To(Equal(id))
					mu.Lock()
					defer mu.Unlock()
					winners = append(winners, i)
				})
			}
			working.Wait()
			Expect(winners).To(HaveLen(1))
			g, members := live(ctx, id)
			Expect(g.Spec).To(And(HaveField("Origin", BeEmpty()), HaveField("ExternalID", fmt.Sprint(winners[0]))))
			Expect(members).To(Equal(ids[winners[0] : winners[0]+1]))
			Expect(epochs(ctx, id)).To(ConsistOf(g.Spec.Membership.Epoch))
		}
	})

	It("is linked by a push that a replica makes before it has seen the mirror", func(ctx context.Context) {
		behind := frozenReplica(namespace)
		id := theApp.show(ctx, "Admins", ids[:2])
		pushed := make(chan *Group, 1)
		go func() {
			defer GinkgoRecover()
			g, err := behind.CreateGroup(ctx, &Group{DisplayName: "Admins"})
			Expect(err).NotTo(HaveOccurred())
			pushed <- g
		}()
		Eventually(func() int {
			list := &v1alpha1.ScimGroupList{}
			Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			return len(list.Items)
		}).Should(Equal(2))
		behind.thaw()
		Eventually(pushed, "10s").Should(Receive(HaveField("ID", id)))
		_, members := live(ctx, id)
		Expect(members).To(BeEmpty(), "none were pushed")
		Expect(d.List(ctx, Query{Groups: &GroupQuery{}, Count: 5})).To(HaveField("Total", 1))
	})

	It("is a mirror, or wholly linked, when a replica crashes between any two writes", func(ctx context.Context) {
		doomed := mortalReplica()
		for writes := range int64(4) {
			role := fmt.Sprint("Role ", writes)
			id := theApp.show(ctx, role, ids[:2])
			doomed.left.Store(writes)
			_, err := doomed.Directory(namespace, "okta").CreateGroup(ctx, &Group{DisplayName: role, Members: []Member{{Value: ids[3]}}})
			doomed.left.Store(1 << 40)
			if g, members := live(ctx, id); isMirror(g) {
				Expect(err).To(HaveOccurred())
				Expect(members).To(Equal(ids[:2]))
				Expect(theApp.rewrite(ctx, id, ids[4:5], func() {})).To(BeTrue())
			} else {
				Expect(members).To(Equal(ids[3:4]))
			}
		}
	})
})
