package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("Groups", func() {
	var (
		s         *Store
		namespace string
		d         *Directory
	)
	BeforeEach(func(ctx context.Context) {
		s = replica()
		namespace = newNamespace(ctx)
		d = s.Directory(namespace, "okta")
	})

	// people provisions n users and returns their ids, sorted.
	people := func(ctx context.Context, n int) []string {
		GinkgoHelper()
		ids := make([]string, n)
		Expect(inParallel(n, func(i int) error {
			u, err := d.CreateUser(ctx, person(uuid.NewString()))
			if err == nil {
				ids[i] = u.ID
			}
			return err
		})).To(Succeed())
		slices.Sort(ids)
		return ids
	}
	create := func(ctx context.Context, name string, members ...string) *Group {
		GinkgoHelper()
		g := &Group{DisplayName: name}
		for _, id := range members {
			g.Members = append(g.Members, Member{Value: id})
		}
		g, err := d.CreateGroup(ctx, g)
		Expect(err).NotTo(HaveOccurred())
		return g
	}
	membersOf := func(ctx context.Context, id string) []string {
		GinkgoHelper()
		g, err := d.Group(ctx, id, true)
		Expect(err).NotTo(HaveOccurred())
		return memberIDs(g)
	}
	edit := func(ctx context.Context, d *Directory, id string, changes ...MemberChange) error {
		_, err := d.UpdateGroup(ctx, id, keep, changes, false)
		return err
	}
	slicesOf := func(ctx context.Context, id string) []v1alpha1.ScimMemberSlice {
		GinkgoHelper()
		list := &v1alpha1.ScimMemberSliceList{}
		Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		return slices.DeleteFunc(list.Items, func(m v1alpha1.ScimMemberSlice) bool { return m.Spec.Group != id })
	}

	It("show the members they were created with, and users show their groups", func(ctx context.Context) {
		ids := people(ctx, 3)
		g := create(ctx, "Tour Guides", ids[0], ids[1])
		Expect(memberIDs(g)).To(Equal(ids[:2]))
		Expect(g.Members[0]).To(HaveField("Type", "User"))
		Expect(d.User(ctx, ids[0])).To(HaveField("Groups", ConsistOf(GroupRef{Value: g.ID, Display: "Tour Guides", Type: "direct"})))
		Expect(d.User(ctx, ids[2])).To(HaveField("Groups", BeEmpty()))
		page, err := d.List(ctx, Query{Groups: &GroupQuery{Key: &Key{"members.value", ids[1]}}, Count: 5})
		Expect(err).NotTo(HaveOccurred())
		Expect(page.Total).To(Equal(1))
		Expect(page.Resource(ctx, 0)).To(And(HaveField("ID", g.ID), HaveField("Members", BeEmpty())), "members are loaded only when they are asked for")
	})

	DescribeTable("gain and lose members by operations that only look like no change from behind",
		func(ctx context.Context, ahead, behind MemberOp, inside bool) {
			ids := people(ctx, 2)
			members := ids
			if !inside {
				members = ids[:1]
			}
			g := create(ctx, "Commuters", members...)
			frozen := frozenReplica(namespace)
			Expect(edit(ctx, d, g.ID, MemberChange{ahead, ids[1:]})).To(Succeed())
			// What the frozen replica shows is already as it is to be.
			shown, err := frozen.Group(ctx, g.ID, true)
			Expect(err).NotTo(HaveOccurred())
			Expect(slices.Contains(memberIDs(shown), ids[1])).To(Equal(inside))
			go func() { // it can only be acknowledged once the replica sees its own write
				defer GinkgoRecover()
				Eventually(func() []string { return slicesOf(ctx, g.ID)[0].Spec.Members }).Should(Equal(members))
				frozen.thaw()
			}()
			Expect(edit(ctx, frozen.Directory, g.ID, MemberChange{behind, ids[1:]})).To(Succeed())
			Expect(slicesOf(ctx, g.ID)[0].Spec.Members).To(Equal(members))
		},
		Entry("added again", RemoveMembers, AddMembers, true),
		Entry("removed again", AddMembers, RemoveMembers, false),
	)

	It("keep on record which of their members are groups, however the members are written", func(ctx context.Context) {
		ids := people(ctx, 2)
		inner, other := create(ctx, "Inner", ids[0]).ID, create(ctx, "Other").ID
		outer := create(ctx, "Outer", ids...).ID
		recorded := func() (groups []string, nested bool) {
			GinkgoHelper()
			obj := &v1alpha1.ScimGroup{}
			Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: outer}, obj)).To(Succeed())
			for _, m := range slicesOf(ctx, outer) {
				if m.Spec.Epoch == obj.Spec.Membership.Epoch {
					groups = append(groups, m.Spec.Groups...)
				}
			}
			return groups, obj.Spec.Membership.Nested
		}
		groups, nested := recorded()
		Expect(groups).To(BeEmpty())
		Expect(nested).To(BeFalse())
		for _, c := range []struct {
			change MemberChange
			want   []string
		}{
			{MemberChange{AddMembers, []string{inner}}, []string{inner}},
			{MemberChange{AddMembers, []string{other}}, []string{inner, other}},
			{MemberChange{RemoveMembers, []string{inner, ids[0]}}, []string{other}},
			{MemberChange{ReplaceMembers, append([]string{inner}, ids...)}, []string{inner}},
			{MemberChange{AddMembers, people(ctx, 600)}, []string{inner}},
			{MemberChange{ReplaceMembers, []string{ids[1], other}}, []string{other}},
		} {
			Expect(edit(ctx, d, outer, c.change)).To(Succeed())
			groups, nested := recorded()
			Expect(groups).To(ConsistOf(c.want))
			Expect(nested).To(BeTrue())
		}
	})

	It("have one holder of a displayName in any case", func(ctx context.Context) {
		create(ctx, "Staff")
		_, err := d.CreateGroup(ctx, &Group{DisplayName: "STAFF"})
		Expect(err).To(beTaken("displayName"))
	})

	It("take no member that does not exist, and then change nothing", func(ctx context.Context) {
		ids := people(ctx, 1)
		_, err := d.CreateGroup(ctx, &Group{DisplayName: "Ghosts", Members: []Member{{Value: ids[0]}, {Value: "nobody"}}})
		Expect(err).To(MatchError(And(ContainSubstring("invalidValue"), ContainSubstring(`"nobody"`))))
		Expect(d.List(ctx, Query{Groups: &GroupQuery{}, Count: 1})).To(HaveField("Total", 0))
		g := create(ctx, "People", ids[0])
		_, err = d.UpdateGroup(ctx, g.ID, func(g *Group) (*Group, error) {
			next := *g
			next.DisplayName = "Renamed"
			return &next, nil
		}, []MemberChange{{RemoveMembers, ids}, {AddMembers, []string{"nobody"}}}, false)
		Expect(err).To(MatchError(ContainSubstring("invalidValue")))
		Expect(d.Group(ctx, g.ID, true)).To(And(HaveField("DisplayName", "People"), HaveField("Members", HaveLen(1))))
		foreign, err := s.Directory(namespace, "entra").CreateUser(ctx, person("foreign"))
		Expect(err).NotTo(HaveOccurred())
		Expect(edit(ctx, d, g.ID, MemberChange{AddMembers, []string{foreign.ID}})).To(MatchError(ContainSubstring("invalidValue")))
	})

	It("make changes of members in their order", func(ctx context.Context) {
		ids := people(ctx, 4)
		g := create(ctx, "Sequence", ids[0])
		Expect(edit(ctx, d, g.ID, MemberChange{AddMembers, ids[1:3]}, MemberChange{RemoveMembers, ids[:2]})).To(Succeed())
		Expect(membersOf(ctx, g.ID)).To(Equal(ids[2:3]))
		Expect(edit(ctx, d, g.ID, MemberChange{ReplaceMembers, ids[:2]}, MemberChange{AddMembers, ids[3:]})).To(Succeed())
		Expect(membersOf(ctx, g.ID)).To(Equal([]string{ids[0], ids[1], ids[3]}))
		Expect(edit(ctx, d, g.ID, MemberChange{ReplaceMembers, nil})).To(Succeed())
		Expect(membersOf(ctx, g.ID)).To(BeEmpty())
	})

	It("get a new version when members change, and only then", func(ctx context.Context) {
		ids := people(ctx, 2)
		g := create(ctx, "Versions", ids[0])
		before := slicesOf(ctx, g.ID)
		same, err := d.UpdateGroup(ctx, g.ID, keep, []MemberChange{{AddMembers, ids[:1]}, {RemoveMembers, ids[1:]}}, false)
		Expect(err).NotTo(HaveOccurred())
		Expect(same.Meta).To(Equal(g.Meta))
		Expect(slicesOf(ctx, g.ID)).To(Equal(before), "nothing was written")
		more, err := d.UpdateGroup(ctx, g.ID, keep, []MemberChange{{AddMembers, ids[1:]}}, false)
		Expect(err).NotTo(HaveOccurred())
		Expect(more.Meta.Version).NotTo(Equal(g.Meta.Version))
	})

	It("lose no member to parallel changes on several replicas", func(ctx context.Context) {
		ids := people(ctx, 60)
		g := create(ctx, "Parallel", ids[:20]...)
		replicas := []*Directory{d, replica().Directory(namespace, "okta")}
		var changing sync.WaitGroup
		for i := range 40 {
			changing.Go(func() {
				defer GinkgoRecover()
				r := replicas[i%2]
				Expect(edit(ctx, r, g.ID, MemberChange{AddMembers, ids[20+i : 21+i]})).To(Succeed())
				if i < 20 {
					Expect(edit(ctx, r, g.ID, MemberChange{RemoveMembers, ids[i : i+1]})).To(Succeed())
				}
			})
		}
		changing.Wait()
		// What the other replica has acknowledged, this one shows a moment later.
		Eventually(func() []string { return membersOf(ctx, g.ID) }).Should(Equal(ids[20:]))
	})

	It("spread over more slices as they grow, and over fewer as they shrink", func(ctx context.Context) {
		ids := people(ctx, 620)
		g := create(ctx, "Growing", ids[:240]...)
		Expect(slicesOf(ctx, g.ID)).To(HaveLen(1))
		for start := 240; start < 600; start += 60 {
			Expect(edit(ctx, d, g.ID, MemberChange{AddMembers, ids[start : start+60]})).To(Succeed())
		}
		Expect(membersOf(ctx, g.ID)).To(Equal(ids[:600]))
		Expect(len(slicesOf(ctx, g.ID))).To(BeNumerically(">", 1))

		By("repeating a full push without a write")
		before := slicesOf(ctx, g.ID)
		Expect(edit(ctx, d, g.ID, MemberChange{ReplaceMembers, ids[:600]})).To(Succeed())
		Expect(slicesOf(ctx, g.ID)).To(Equal(before))

		By("replacing all")
		Expect(edit(ctx, d, g.ID, MemberChange{ReplaceMembers, ids[20:620]})).To(Succeed())
		Expect(membersOf(ctx, g.ID)).To(Equal(ids[20:620]))

		By("emptying it")
		Expect(edit(ctx, d, g.ID, MemberChange{RemoveMembers, ids[120:]})).To(Succeed())
		Expect(membersOf(ctx, g.ID)).To(Equal(ids[20:120]))
		Expect(slicesOf(ctx, g.ID)).To(HaveLen(1))
	})

	It("hide members that are gone, and take them with them when they are deleted", func(ctx context.Context) {
		ids := people(ctx, 2)
		g := create(ctx, "Leaving", ids...)
		Expect(d.DeleteUser(ctx, ids[0], func(*User) error { return nil })).To(Succeed())
		Expect(membersOf(ctx, g.ID)).To(Equal(ids[1:]))
		Expect(d.DeleteGroup(ctx, g.ID, func(*Group) error { return nil })).To(Succeed())
		_, err := d.Group(ctx, g.ID, true)
		Expect(err).To(MatchError(ErrNotFound))
		Expect(slicesOf(ctx, g.ID)).To(BeEmpty())
		Expect(d.User(ctx, ids[1])).To(HaveField("Groups", BeEmpty()))
	})

	It("keep every acknowledged member when a replica crashes between any two writes", func(ctx context.Context) {
		ids := people(ctx, 30)
		doomed := mortalReplica()
		for writes := range int64(9) {
			g := create(ctx, fmt.Sprint("Crash ", writes), ids[:10]...)
			By(fmt.Sprint("crashing a rewrite before write ", writes+1))
			doomed.left.Store(writes)
			_, err := doomed.Directory(namespace, "okta").rewrite(ctx, g.ID, memberEdit{add: memberSet{ids[10]: true}})
			doomed.left.Store(1 << 40)
			acknowledged := slices.Clone(ids[:10])
			if err == nil {
				acknowledged = append(acknowledged, ids[10])
			}
			Eventually(func() []string { return membersOf(ctx, g.ID) }).Should(ContainElements(acknowledged))
			Expect(edit(ctx, d, g.ID, MemberChange{AddMembers, ids[11:12]})).To(Succeed())
			Expect(membersOf(ctx, g.ID)).To(ContainElements(append(acknowledged, ids[11])))
			Expect(edit(ctx, d, g.ID, MemberChange{RemoveMembers, ids[10:11]})).To(Succeed())
			Expect(membersOf(ctx, g.ID)).To(Equal(append(slices.Clone(ids[:10]), ids[11])))
		}
	})

	It("keep what was acknowledged when a replica crashes between any two writes of their growth and shrinking", func(ctx context.Context) {
		ids := people(ctx, 510)
		for _, step := range []struct {
			name   string
			start  []string
			then   []MemberChange
			change MemberChange
			want   []string
			slices int
		}{
			{"the first member", nil, nil, MemberChange{AddMembers, ids[:1]}, ids[:1], 1},
			{"doubling", ids[:250], []MemberChange{{AddMembers, ids[250:500]}}, MemberChange{AddMembers, ids[500:]}, ids, 4},
			{"a full push of others", ids[:300], nil, MemberChange{ReplaceMembers, ids[200:500]}, ids[200:500], 2},
			{"halving", ids[:300], []MemberChange{{RemoveMembers, ids[130:]}}, MemberChange{RemoveMembers, ids[120:130]}, ids[:120], 1},
		} {
			crashed := true
			for writes := int64(0); crashed; writes++ {
				By(fmt.Sprintf("%s, crashing before write %d", step.name, writes+1))
				doomed := mortalReplica()
				g := create(ctx, fmt.Sprint(step.name, " ", writes), step.start...)
				for _, c := range step.then {
					Expect(edit(ctx, d, g.ID, c)).To(Succeed())
				}
				former := membersOf(ctx, g.ID)
				Eventually(func() []string {
					seen, err := doomed.Directory(namespace, "okta").Group(ctx, g.ID, true)
					Expect(err).NotTo(HaveOccurred())
					return memberIDs(seen)
				}).Should(Equal(former))
				doomed.left.Store(writes)
				err := edit(ctx, doomed.Directory(namespace, "okta"), g.ID, step.change)
				crashed = doomed.left.Load() < 0
				if err == nil {
					Eventually(func() []string { return membersOf(ctx, g.ID) }).Should(Equal(step.want), "it was acknowledged")
				} else {
					stay := slices.DeleteFunc(slices.Clone(former), func(id string) bool { return !slices.Contains(step.want, id) })
					Expect(membersOf(ctx, g.ID)).To(ContainElements(stay))
					Expect(edit(ctx, d, g.ID, step.change)).To(Succeed(), "the identity provider sends it again")
					Expect(membersOf(ctx, g.ID)).To(Equal(step.want))
				}
				if !crashed {
					Expect(slicesOf(ctx, g.ID)).To(HaveLen(step.slices))
				}
			}
		}
	})

	It("are right after rewrites, changes and crashes at random", func(ctx context.Context) {
		const writers, rounds = 4, 12
		ids := people(ctx, writers*4)
		g := create(ctx, "Chaos", ids...)
		var mu sync.Mutex
		want := map[string]bool{} // what the last acknowledged change of each id was; each id has one writer
		for _, id := range ids {
			want[id] = true
		}
		var writing sync.WaitGroup
		for w := range writers {
			r := mortalReplica()
			rng := rand.New(rand.NewPCG(uint64(GinkgoRandomSeed()), uint64(w)))
			writing.Go(func() {
				defer GinkgoRecover()
				own := ids[w*4 : w*4+4]
				for range rounds {
					id := own[rng.IntN(len(own))]
					change := memberEdit{add: memberSet{id: true}}
					if rng.IntN(2) == 0 {
						change = memberEdit{remove: memberSet{id: true}}
					}
					attempt := func() error {
						if rng.IntN(3) == 0 {
							_, err := r.Directory(namespace, "okta").rewrite(ctx, g.ID, change)
							return err
						}
						obj, _, err := find(ctx, r.Directory(namespace, "okta"), r.groups, g.ID)
						if err == nil {
							_, err = r.Directory(namespace, "okta").editMembers(ctx, obj, change)
						}
						return err
					}
					r.left.Store(rng.Int64N(8))
					err := attempt()
					r.left.Store(1 << 40)
					if err != nil { // as an identity provider does
						Expect(attempt()).To(Succeed())
					}
					mu.Lock()
					want[id] = change.add[id]
					mu.Unlock()
				}
			})
		}
		writing.Wait()
		var expected []string
		for id, member := range want {
			if member {
				expected = append(expected, id)
			}
		}
		slices.Sort(expected)
		obj, err := fetch(ctx, d, s.groups, g.ID)
		Expect(err).NotTo(HaveOccurred())
		live, err := d.liveMemberIDs(ctx, obj.Name)
		Expect(err).NotTo(HaveOccurred())
		slices.Sort(live)
		Expect(live).To(Equal(expected))
		Eventually(func() []string { return membersOf(ctx, g.ID) }).Should(Equal(expected))
	})
})
