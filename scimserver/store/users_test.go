package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("Users", func() {
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

	object := func(ctx context.Context, id string) *v1alpha1.ScimUser {
		GinkgoHelper()
		obj := &v1alpha1.ScimUser{}
		Expect(admin.Get(ctx, client.ObjectKey{Namespace: namespace, Name: id}, obj)).To(Succeed())
		return obj
	}

	It("are found by id and by every key as soon as they are created", func(ctx context.Context) {
		sent := person("Ada@example.com")
		sent.ExternalID = "00u1"
		sent.Emails = []v1alpha1.MultiValue{{Value: "Ada@Work.example", Type: "work"}}
		u, err := d.CreateUser(ctx, sent)
		Expect(err).NotTo(HaveOccurred())
		Expect(d.User(ctx, u.ID)).To(HaveField("UserName", "Ada@example.com"))
		for _, k := range []Key{
			{"id", u.ID}, {"userName", "ADA@example.COM"}, {"externalId", "00u1"}, {"emails.value", "ada@work.EXAMPLE"},
		} {
			page, total, err := listUsers(ctx, d, UserQuery{Key: &k}, 0, 10)
			Expect(err).NotTo(HaveOccurred())
			Expect(total).To(Equal(1), "%v", k)
			Expect(page[0].ID).To(Equal(u.ID))
		}
		_, total, _ := listUsers(ctx, d, UserQuery{Key: &Key{"externalId", "00U1"}}, 0, 10)
		Expect(total).To(BeZero(), "externalId is case-exact")
	})

	It("come in pages that later users do not move", func(ctx context.Context) {
		for i := range 5 {
			_, err := d.CreateUser(ctx, person(fmt.Sprint("user", i)))
			Expect(err).NotTo(HaveOccurred())
		}
		first, total, err := listUsers(ctx, d, UserQuery{}, 0, 2)
		Expect(err).NotTo(HaveOccurred())
		Expect(total).To(Equal(5))
		all, _, _ := listUsers(ctx, d, UserQuery{}, 0, 100)
		second, _, _ := listUsers(ctx, d, UserQuery{}, 2, 2)
		third, _, _ := listUsers(ctx, d, UserQuery{}, 4, 2)
		Expect(append(append(names(first), names(second)...), names(third)...)).To(Equal(names(all)))
		beyond, total, _ := listUsers(ctx, d, UserQuery{}, 9, 2)
		Expect(beyond).To(BeEmpty())
		Expect(total).To(Equal(5))
		odd, total, _ := listUsers(ctx, d, UserQuery{Match: func(u *User) bool { return u.UserName != "user3" }}, 1, 1)
		Expect(total).To(Equal(4))
		Expect(odd).To(HaveLen(1))
	})

	It("have one holder of a userName in any case", func(ctx context.Context) {
		_, err := d.CreateUser(ctx, person("grace"))
		Expect(err).NotTo(HaveOccurred())
		_, err = d.CreateUser(ctx, person("GRACE"))
		Expect(err).To(beTaken("userName"))
		other, err := d.CreateUser(ctx, person("hopper"))
		Expect(err).NotTo(HaveOccurred())
		_, err = d.UpdateUser(ctx, other.ID, changed(func(a *v1alpha1.UserAttributes) { a.UserName = "Grace" }))
		Expect(err).To(beTaken("userName"))
		Expect(object(ctx, other.ID).Spec.UserName).To(Equal("hopper"))
		_, err = s.Directory(namespace, "entra").CreateUser(ctx, person("grace"))
		Expect(err).NotTo(HaveOccurred(), "names are unique in a directory, not beyond")
	})

	It("have one holder of a userName when two replicas race", func(ctx context.Context) {
		replicas := []*Directory{d, replica().Directory(namespace, "okta"), replica().Directory(namespace, "okta")}
		for round := range 20 {
			name := fmt.Sprint("racer", round)
			var won atomic.Int32
			var racing sync.WaitGroup
			for _, r := range replicas {
				racing.Go(func() {
					defer GinkgoRecover()
					_, err := r.CreateUser(ctx, person(name))
					if err == nil {
						won.Add(1)
						return
					}
					Expect(err).To(beTaken("userName"))
				})
			}
			racing.Wait()
			Expect(won.Load()).To(BeNumerically("<=", 1))
			list := &v1alpha1.ScimUserList{}
			Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
			stored := 0
			for _, u := range list.Items {
				if u.Spec.UserName == name {
					stored++
				}
			}
			Expect(stored).To(BeEquivalentTo(won.Load()), "what was refused is gone, what was acknowledged is there")
		}
	})

	It("show two holders of a userName when a replica crashed before it could undo its write, until one goes", func(ctx context.Context) {
		var holder *User
		var crashed atomic.Bool
		doomed := intercepted(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
				if _, ok := obj.(*v1alpha1.ScimUser); ok {
					var err error
					holder, err = d.CreateUser(ctx, person("wanted")) // by a replica that is faster
					Expect(err).NotTo(HaveOccurred())
					defer crashed.Store(true)
				}
				return c.Create(ctx, obj, opts...)
			},
			Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
				if crashed.Load() {
					return errCrashed
				}
				return c.Delete(ctx, obj, opts...)
			},
		})
		_, err := doomed.Directory(namespace, "okta").CreateUser(ctx, person("Wanted"))
		Expect(err).To(HaveOccurred(), "it is never acknowledged")

		holders := func() []string {
			found, total, err := listUsers(ctx, d, UserQuery{Key: &Key{"userName", "wanted"}}, 0, 10)
			Expect(err).NotTo(HaveOccurred())
			Expect(found).To(HaveLen(total))
			return names(found)
		}
		Eventually(holders).Should(ConsistOf("wanted", "Wanted"))
		_, err = d.CreateUser(ctx, person("WANTED"))
		Expect(err).To(beTaken("userName"), "there is no third")
		Expect(d.DeleteUser(ctx, holder.ID, func(*User) error { return nil })).To(Succeed())
		Expect(holders()).To(ConsistOf("Wanted"))
	})

	It("keep their former name when a rename loses against another replica", func(ctx context.Context) {
		u, err := d.CreateUser(ctx, person("before"))
		Expect(err).NotTo(HaveOccurred())
		// The other writer is a replica whose write this one's index has not shown when it looks for the first time: made
		// between the change being computed and its being stored.
		rival := &v1alpha1.ScimUser{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rival"},
			Spec: v1alpha1.ScimUserSpec{
				DirectoryRef:   v1alpha1.DirectoryReference{Name: "okta"},
				UserAttributes: v1alpha1.UserAttributes{UserName: "Wanted", Active: true},
			},
		}
		s.now = onceBefore(s.now, func() { Expect(admin.Create(ctx, rival)).To(Succeed()) })
		_, err = d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.UserName, a.Title = "wanted", "Dr" }))
		Expect(err).To(beTaken("userName"))
		Expect(object(ctx, u.ID).Spec.UserAttributes).To(Equal(v1alpha1.UserAttributes{UserName: "before", Active: true}))
	})

	It("are not written when nothing changes", func(ctx context.Context) {
		u, err := d.CreateUser(ctx, person("still"))
		Expect(err).NotTo(HaveOccurred())
		before := object(ctx, u.ID)
		same, err := d.UpdateUser(ctx, u.ID, changed(func(*v1alpha1.UserAttributes) {}))
		Expect(err).NotTo(HaveOccurred())
		Expect(same.Meta).To(Equal(u.Meta))
		Expect(object(ctx, u.ID).ResourceVersion).To(Equal(before.ResourceVersion))
	})

	It("are changed by an operation that only looks like no change from behind", func(ctx context.Context) {
		u, err := d.CreateUser(ctx, person("lag"))
		Expect(err).NotTo(HaveOccurred())
		frozen := frozenReplica(namespace)
		_, err = d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.Active = false }))
		Expect(err).NotTo(HaveOccurred())
		// The frozen replica still shows the user active. The person is to be active: that is a change now.
		Expect(frozen.User(ctx, u.ID)).To(HaveField("Active", true))
		go func() { // it can only be acknowledged once the replica sees its own write
			defer GinkgoRecover()
			Eventually(func() bool { return object(ctx, u.ID).Spec.Active }).Should(BeTrue())
			frozen.thaw()
		}()
		_, err = frozen.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.Active = true }))
		Expect(err).NotTo(HaveOccurred())
		Expect(object(ctx, u.ID).Spec.Active).To(BeTrue())
	})

	It("take every one of many parallel changes", func(ctx context.Context) {
		u, err := d.CreateUser(ctx, person("busy"))
		Expect(err).NotTo(HaveOccurred())
		other := replica().Directory(namespace, "okta")
		var changing sync.WaitGroup
		for i := range 20 {
			r := []*Directory{d, other}[i%2]
			changing.Go(func() {
				defer GinkgoRecover()
				_, err := r.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) {
					a.Emails = append(a.Emails, v1alpha1.MultiValue{Value: fmt.Sprint(i, "@example.com")})
				}))
				Expect(err).NotTo(HaveOccurred())
			})
		}
		changing.Wait()
		Expect(object(ctx, u.ID).Spec.Emails).To(HaveLen(20))
	})

	It("come back under their old id when they are posted again", func(ctx context.Context) {
		sent := person("rejoin@example.com")
		sent.ExternalID = "00u9"
		u, err := d.CreateUser(ctx, sent)
		Expect(err).NotTo(HaveOccurred())
		_, err = d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.Active = false }))
		Expect(err).NotTo(HaveOccurred())

		By("refusing somebody else with the same userName")
		stranger := person("Rejoin@example.com")
		stranger.ExternalID = "00u10"
		_, err = d.CreateUser(ctx, stranger)
		Expect(err).To(beTaken("userName"))

		By("taking the same person back")
		again := person("married@example.com")
		again.ExternalID = "00u9"
		back, err := d.CreateUser(ctx, again)
		Expect(err).NotTo(HaveOccurred())
		Expect(back.ID).To(Equal(u.ID))
		Expect(back.Active).To(BeTrue())
		Expect(back.UserName).To(Equal("married@example.com"))
	})

	It("are gone once they are deleted", func(ctx context.Context) {
		u, err := d.CreateUser(ctx, person("gone"))
		Expect(err).NotTo(HaveOccurred())
		Expect(d.DeleteUser(ctx, u.ID, func(*User) error { return nil })).To(Succeed())
		_, err = d.User(ctx, u.ID)
		Expect(err).To(MatchError(ErrNotFound))
		_, total, _ := listUsers(ctx, d, UserQuery{}, 0, 1)
		Expect(total).To(BeZero())
		Expect(d.DeleteUser(ctx, u.ID, func(*User) error { return nil })).To(MatchError(ErrNotFound))
	})

	It("are seen by another replica that has not heard of them yet", func(ctx context.Context) {
		frozen := frozenReplica(namespace)
		u, err := d.CreateUser(ctx, person("news"))
		Expect(err).NotTo(HaveOccurred())
		Expect(frozen.User(ctx, u.ID)).To(HaveField("UserName", "news"))
	})

	It("of one directory do not exist for another", func(ctx context.Context) {
		u, err := d.CreateUser(ctx, person("mine"))
		Expect(err).NotTo(HaveOccurred())
		for _, other := range []*Directory{s.Directory(namespace, "entra"), s.Directory(newNamespace(ctx), "okta")} {
			_, err = other.User(ctx, u.ID)
			Expect(err).To(MatchError(ErrNotFound))
			_, err = other.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.Active = false }))
			Expect(err).To(MatchError(ErrNotFound))
			Expect(other.DeleteUser(ctx, u.ID, func(*User) error { return nil })).To(MatchError(ErrNotFound))
			_, total, _ := listUsers(ctx, other, UserQuery{}, 0, 1)
			Expect(total).To(BeZero())
			_, total, _ = listUsers(ctx, other, UserQuery{Key: &Key{"id", u.ID}}, 0, 1)
			Expect(total).To(BeZero())
		}
		Expect(object(ctx, u.ID).Spec.Active).To(BeTrue())
	})
})
