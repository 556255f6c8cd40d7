package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("A directory's policy for users", func() {
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

	// says makes the directory. Replicas that are started later know it, too.
	says := func(ctx context.Context, policy v1alpha1.UsersPolicy) {
		GinkgoHelper()
		Expect(admin.Create(ctx, &v1alpha1.ScimDirectory{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "okta"},
			Spec:       v1alpha1.ScimDirectorySpec{Users: policy},
		})).To(Succeed())
		Eventually(func() v1alpha1.UsersPolicy { return d.policy().users }).WithTimeout(20 * time.Second).
			Should(Equal(policy.WithDefaults()))
	}
	users := func(ctx context.Context) []v1alpha1.ScimUser {
		GinkgoHelper()
		list := &v1alpha1.ScimUserList{}
		Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		return list.Items
	}
	tombstones := func(ctx context.Context) []v1alpha1.ScimTombstone {
		GinkgoHelper()
		list := &v1alpha1.ScimTombstoneList{}
		Expect(admin.List(ctx, list, client.InNamespace(namespace))).To(Succeed())
		return list.Items
	}
	mailing := func(userName, address string) *User {
		u := person(userName)
		u.Emails = []v1alpha1.MultiValue{{Value: address}}
		return u
	}
	put := func(ctx context.Context, name string, u *User, origin v1alpha1.Origin) *v1alpha1.ScimUser {
		GinkgoHelper()
		obj := &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: d.userSpec(u)}
		obj.Spec.Origin = origin
		Expect(admin.Create(ctx, obj)).To(Succeed())
		return obj
	}
	fetched := func(ctx context.Context, d *Directory, id string) *v1alpha1.ScimUser {
		GinkgoHelper()
		obj, err := fetch(ctx, d, d.store.users, id)
		Expect(err).NotTo(HaveOccurred())
		return obj
	}
	leave := changed(func(a *v1alpha1.UserAttributes) { a.Active = false })

	Describe("identifier: email", func() {
		BeforeEach(func(ctx context.Context) {
			says(ctx, v1alpha1.UsersPolicy{Identifier: v1alpha1.IdentifierEmail})
		})

		It("lets one of several replicas that race have an address, whatever the userNames", func(ctx context.Context) {
			replicas := []*Directory{d, replica().Directory(namespace, "okta"), replica().Directory(namespace, "okta")}
			for round := range 15 {
				address := fmt.Sprintf("Racer%d@example.com", round)
				var won atomic.Int32
				var racing sync.WaitGroup
				for i, r := range replicas {
					racing.Go(func() {
						defer GinkgoRecover()
						_, err := r.CreateUser(ctx, mailing(fmt.Sprint("racer", round, "-", i), address))
						if err == nil {
							won.Add(1)
							return
						}
						Expect(err).To(beTaken("email"))
					})
				}
				racing.Wait()
				Expect(won.Load()).To(BeNumerically("<=", 1))
				stored := 0
				for _, u := range users(ctx) {
					if u.Spec.PrimaryEmail() == address {
						stored++
					}
				}
				Expect(stored).To(BeEquivalentTo(won.Load()), "what was refused is gone, what was acknowledged is there")
			}
		})

		It("gives a user the former address back when another replica has taken the new one", func(ctx context.Context) {
			u, err := d.CreateUser(ctx, mailing("ada", "ada@example.com"))
			Expect(err).NotTo(HaveOccurred())
			s.now = onceBefore(s.now, func() { put(ctx, "rival", mailing("rival", "Wanted@example.com"), "") })
			_, err = d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.Emails[0].Value, a.Title = "wanted@example.com", "Dr" }))
			Expect(err).To(beTaken("email"))
			Expect(fetch(ctx, d, s.users, u.ID)).To(HaveField("Spec.UserAttributes", SatisfyAll(
				HaveField("Title", ""), HaveField("Emails", ConsistOf(HaveField("Value", "ada@example.com"))))))
		})

		It("gives back only what must be unique where another call has changed the user meanwhile", func(ctx context.Context) {
			before := put(ctx, "ada", mailing("ada", "ada@example.com"), "")
			written := before.DeepCopy()
			written.Spec.Emails[0].Value = "wanted@example.com"
			Expect(admin.Update(ctx, written)).To(Succeed())
			since := written.DeepCopy()
			since.Spec.Title = "Dr"
			Expect(admin.Update(ctx, since)).To(Succeed())
			p := d.policy()
			gained := without(s.users.unique(p, written), s.users.unique(p, before))
			Expect(gained).To(ConsistOf(Key{"email", "wanted@example.com"}))
			Expect(restore(ctx, d, s.users, p, gained, written, before)).To(Succeed())
			Expect(fetch(ctx, d, s.users, "ada")).To(HaveField("Spec.UserAttributes", SatisfyAll(
				HaveField("Title", "Dr"), HaveField("Emails", ConsistOf(HaveField("Value", "ada@example.com"))))))
		})
	})

	Describe("deactivation: Delete", func() {
		BeforeEach(func(ctx context.Context) {
			says(ctx, v1alpha1.UsersPolicy{Deactivation: v1alpha1.DeactivationDelete})
		})

		It("forgets nobody whom a crash leaves half deleted or half brought back", func(ctx context.Context) {
			u, err := d.CreateUser(ctx, person("ada"))
			Expect(err).NotTo(HaveOccurred())

			By("crashing before each write of a deactivation")
			for writes := range int64(2) {
				doomed := mortalReplica()
				doomed.left.Store(writes)
				_, err := doomed.Directory(namespace, "okta").UpdateUser(ctx, u.ID, leave)
				Expect(err).To(MatchError(ErrUnavailable))
				Expect(d.User(ctx, u.ID)).To(HaveField("Active", true))
				_, err = d.CreateUser(ctx, person("ada"))
				Expect(err).To(beTaken("userName"), "a tombstone beside its user counts for nothing")
			}
			Expect(tombstones(ctx)).To(HaveLen(1))
			Expect(d.UpdateUser(ctx, u.ID, leave)).To(HaveField("Active", false))
			Expect(users(ctx)).To(BeEmpty())

			By("crashing before the write that brings the person back")
			doomed := mortalReplica()
			doomed.left.Store(0)
			_, err = doomed.Directory(namespace, "okta").CreateUser(ctx, person("ada"))
			Expect(err).To(MatchError(ErrUnavailable))
			Expect(tombstones(ctx)).To(HaveLen(1))

			By("crashing before the tombstone goes")
			doomed = mortalReplica()
			doomed.left.Store(1)
			Expect(doomed.Directory(namespace, "okta").CreateUser(ctx, person("ada"))).To(HaveField("ID", u.ID))
			Expect(tombstones(ctx)).To(HaveLen(1))

			By("deleting and bringing back once more")
			Eventually(func() (*User, error) { return d.User(ctx, u.ID) }).Should(HaveField("Active", true))
			Expect(d.UpdateUser(ctx, u.ID, leave)).To(HaveField("ID", u.ID))
			Expect(d.CreateUser(ctx, person("ADA"))).To(HaveField("ID", u.ID))
			Expect(tombstones(ctx)).To(BeEmpty())
		})

		It("takes nothing from somebody who is there, beside a tombstone under a former name", func(ctx context.Context) {
			u, err := d.CreateUser(ctx, person("ada"))
			Expect(err).NotTo(HaveOccurred())
			Expect(d.bury(ctx, d.policy(), fetched(ctx, d, u.ID))).To(Succeed())
			_, err = d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.UserName = "countess" }))
			Expect(err).NotTo(HaveOccurred())
			g, err := d.CreateGroup(ctx, &Group{DisplayName: "Engineers", Members: []Member{{Value: u.ID}}})
			Expect(err).NotTo(HaveOccurred())
			// The same from where the index does not show the user.
			_, err = d.raise(ctx, d.policy(), &tombstones(ctx)[0], &v1alpha1.ScimUser{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}, Spec: d.userSpec(person("ada"))})
			Expect(err).To(MatchError(errNotFormer))
			Expect(d.CreateUser(ctx, person("ada"))).To(HaveField("ID", Not(Equal(u.ID))))
			Expect(d.Group(ctx, g.ID, true)).To(WithTransform(memberIDs, ConsistOf(u.ID)))
		})

		It("gives the id to one of several replicas that bring the same person back", func(ctx context.Context) {
			replicas := []*Directory{d, replica().Directory(namespace, "okta"), replica().Directory(namespace, "okta")}
			for round := range 8 {
				name := fmt.Sprint("boomerang", round)
				u, err := d.CreateUser(ctx, person(name))
				Expect(err).NotTo(HaveOccurred())
				_, err = d.UpdateUser(ctx, u.ID, leave)
				Expect(err).NotTo(HaveOccurred())
				for _, r := range replicas {
					Eventually(func() *v1alpha1.ScimTombstone {
						return r.tombstoneOf(r.policy(), &v1alpha1.ScimUser{Spec: d.userSpec(person(name))})
					}).WithTimeout(10 * time.Second).ShouldNot(BeNil())
				}
				var won atomic.Int32
				var racing sync.WaitGroup
				for _, r := range replicas {
					racing.Go(func() {
						defer GinkgoRecover()
						back, err := r.CreateUser(ctx, person(name))
						if err != nil {
							Expect(err).To(beTaken("userName"))
							return
						}
						Expect(back.ID).To(Equal(u.ID))
						won.Add(1)
					})
				}
				racing.Wait()
				Expect(won.Load()).To(BeEquivalentTo(1), "the first to create the user has won")
				Expect(users(ctx)).To(ConsistOf(HaveField("Name", u.ID)))
				Expect(d.DeleteUser(ctx, u.ID, func(*User) error { return nil })).To(Succeed())
			}
		})

		// deleted returns the id of somebody who was deleted.
		deleted := func(ctx context.Context) string {
			GinkgoHelper()
			u, err := d.CreateUser(ctx, person("ada"))
			Expect(err).NotTo(HaveOccurred())
			_, err = d.UpdateUser(ctx, u.ID, leave)
			Expect(err).NotTo(HaveOccurred())
			return u.ID
		}
		// deaf is a replica that makes of each creation of a user what is given, and never learns that it succeeded.
		deaf := func(create func(ctx context.Context, c client.Client, u *v1alpha1.ScimUser)) *Directory {
			GinkgoHelper()
			return intercepted(interceptor.Funcs{
				Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
					if u, ok := obj.(*v1alpha1.ScimUser); ok {
						create(ctx, c, u.DeepCopy())
						return errors.New("the answer was lost")
					}
					return c.Create(ctx, obj, opts...)
				},
			}).Directory(namespace, "okta")
		}

		It("takes back its own write whose answer was lost", func(ctx context.Context) {
			id := deleted(ctx)
			r := deaf(func(ctx context.Context, c client.Client, u *v1alpha1.ScimUser) {
				Expect(c.Create(ctx, u)).To(Succeed())
			})
			_, err := r.CreateUser(ctx, person("ada"))
			Expect(err).To(MatchError(ErrUnavailable))
			Expect(users(ctx)).To(BeEmpty())
			// To a replica that has yet to see this, nobody is to be brought back.
			Eventually(func() error { _, err := d.User(ctx, id); return err }).Should(MatchError(ErrNotFound))
			Expect(d.CreateUser(ctx, person("ada"))).To(HaveField("ID", id))
		})

		It("leaves what another replica was acknowledged under the same id", func(ctx context.Context) {
			id := deleted(ctx)
			r := deaf(func(ctx context.Context, _ client.Client, _ *v1alpha1.ScimUser) {
				Expect(d.CreateUser(ctx, person("Ada"))).To(HaveField("ID", id))
			})
			_, err := r.CreateUser(ctx, person("ada"))
			Expect(err).To(MatchError(ErrUnavailable))
			Expect(users(ctx)).To(ConsistOf(HaveField("Spec.UserName", "Ada")))
		})

		It("leaves a change that another replica was acknowledged for somebody who is being brought back", func(ctx context.Context) {
			id := deleted(ctx)
			r := deaf(func(ctx context.Context, c client.Client, u *v1alpha1.ScimUser) {
				Expect(c.Create(ctx, u)).To(Succeed())
				Expect(d.UpdateUser(ctx, id, changed(func(a *v1alpha1.UserAttributes) { a.Title = "Dr" }))).To(HaveField("Title", "Dr"))
			})
			_, err := r.CreateUser(ctx, person("ada"))
			Expect(err).To(MatchError(ErrUnavailable))
			Expect(users(ctx)).To(ConsistOf(HaveField("Spec.Title", "Dr")))
		})

		It("stores a change of another replica that comes first, and asks again whether the user leaves", func(ctx context.Context) {
			u, err := d.CreateUser(ctx, person("ada"))
			Expect(err).NotTo(HaveOccurred())
			first := true
			conditional := func(u *User) (*User, error) {
				next := *u
				next.UserAttributes = u.UserAttributes.DeepCopy()
				next.Active = u.Title == "stays"
				next.Title = "stays"
				return &next, nil
			}
			r := intercepted(interceptor.Funcs{
				Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
					if _, ok := obj.(*v1alpha1.ScimUser); ok && first {
						first = false
						_, err := d.UpdateUser(ctx, u.ID, changed(func(a *v1alpha1.UserAttributes) { a.Title = "stays" }))
						Expect(err).NotTo(HaveOccurred())
					}
					return c.Delete(ctx, obj, opts...)
				},
			}).Directory(namespace, "okta")
			Expect(r.UpdateUser(ctx, u.ID, conditional)).To(HaveField("Active", true))
			Expect(users(ctx)).To(ConsistOf(HaveField("Spec.Title", "stays")))
		})
	})

	Describe("importable: All", func() {
		BeforeEach(func(ctx context.Context) {
			says(ctx, v1alpha1.UsersPolicy{Importable: v1alpha1.ImportableAll})
		})

		It("lets a mirror give way to a user of the same name", func(ctx context.Context) {
			u, err := d.CreateUser(ctx, person("ada"))
			Expect(err).NotTo(HaveOccurred())
			m := put(ctx, "late", person("Ada"), v1alpha1.OriginApp)
			Expect(s.users.feed.waitFor(ctx, m)).To(Succeed())
			_, err = d.UpdateUser(ctx, m.Name, changed(func(a *v1alpha1.UserAttributes) { a.Title = "Dr" }))
			Expect(err).To(MatchError(ContainSubstring(u.ID)))
			Expect(err).To(beTaken("userName"))
			_, err = d.CreateUser(ctx, person("ADA"))
			Expect(err).To(beTaken("userName"))
			Expect(fetch(ctx, d, s.users, m.Name)).To(HaveField("Spec.Origin", v1alpha1.OriginApp))
		})

		It("puts a mirror back that loses its name while it is taken over", func(ctx context.Context) {
			m := put(ctx, "mirror", person("ada"), v1alpha1.OriginApp)
			Expect(s.users.feed.waitFor(ctx, m)).To(Succeed())
			s.now = onceBefore(s.now, func() { put(ctx, "rival", person("Ada"), "") })
			_, err := d.UpdateUser(ctx, m.Name, changed(func(a *v1alpha1.UserAttributes) { a.Title = "Dr" }))
			Expect(err).To(beTaken("userName"))
			Expect(fetch(ctx, d, s.users, m.Name)).To(HaveField("Spec", SatisfyAll(
				HaveField("Origin", v1alpha1.OriginApp), HaveField("Title", ""))))
		})
	})

	It("takes over a mirror that the controllers make at the same time as the person is posted", func(ctx context.Context) {
		s.now = onceBefore(s.now, func() { put(ctx, "mirror", person("Ada"), v1alpha1.OriginApp) })
		Expect(d.CreateUser(ctx, person("ada"))).To(HaveField("ID", "mirror"))
		Expect(users(ctx)).To(ConsistOf(HaveField("Spec", SatisfyAll(HaveField("Origin", BeEmpty()), HaveField("UserName", "ada")))))
	})

	It("shows a hidden mirror that another replica has just taken over", func(ctx context.Context) {
		m := put(ctx, "mirror", person("ada"), v1alpha1.OriginApp)
		Expect(s.users.feed.waitFor(ctx, m)).To(Succeed())
		frozen := frozenReplica(namespace)
		_, err := frozen.User(ctx, m.Name)
		Expect(err).To(MatchError(ErrNotFound))
		Expect(d.CreateUser(ctx, person("ada"))).To(HaveField("ID", m.Name))
		Expect(frozen.User(ctx, m.Name)).To(HaveField("UserName", "ada"))
	})
})
