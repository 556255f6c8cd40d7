package scimserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// users is a directory that says this of its users.
func users(policy v1alpha1.UsersPolicy) func(*v1alpha1.ScimDirectory) {
	return func(d *v1alpha1.ScimDirectory) { d.Spec.Users = policy }
}

const deactivates = `{"op":"replace","value":{"active":false}}` // as Okta sends it

// mirror makes what the controllers make for a local member of the app, and returns its id once the server knows it.
func (t *tenant) mirror(ctx context.Context, userName string, addresses ...string) string {
	GinkgoHelper()
	m := &v1alpha1.ScimUser{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: uuid.Must(uuid.NewV7()).String()},
		Spec: v1alpha1.ScimUserSpec{
			DirectoryRef: v1alpha1.DirectoryReference{Name: t.directory},
			Origin:       v1alpha1.OriginApp, MemberRef: &v1alpha1.MemberReference{Name: "local"},
			UserAttributes: v1alpha1.UserAttributes{UserName: userName, Active: true},
		},
	}
	for _, a := range addresses {
		m.Spec.Emails = append(m.Spec.Emails, v1alpha1.MultiValue{Value: a})
	}
	Expect(cluster.Create(ctx, m)).To(Succeed())
	// Who has been acknowledged a later write has been shown this one.
	later := &store.User{UserAttributes: &v1alpha1.UserAttributes{UserName: m.Name, Active: true}}
	_, err := storage.Directory(t.namespace, "another").CreateUser(ctx, later)
	Expect(err).NotTo(HaveOccurred())
	return m.Name
}

func (t *tenant) user(ctx context.Context, id string) *v1alpha1.ScimUser {
	GinkgoHelper()
	u := &v1alpha1.ScimUser{}
	Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: id}, u)).To(Succeed())
	return u
}

func (t *tenant) tombstones(ctx context.Context) []v1alpha1.ScimTombstone {
	GinkgoHelper()
	list := &v1alpha1.ScimTombstoneList{}
	Expect(cluster.List(ctx, list, client.InNamespace(t.namespace))).To(Succeed())
	return list.Items
}

// post makes a user of JSON.
func (t *tenant) post(user string) *answer {
	GinkgoHelper()
	return t.call(http.MethodPost, "/Users", user)
}

func haveStatus(status int) OmegaMatcher {
	return WithTransform(func(a *answer) int { return a.status }, Equal(status))
}

// say is what an answer says anywhere in its body.
func say(text string) OmegaMatcher {
	return WithTransform((*answer).String, ContainSubstring(text))
}

func beConflict(detail string) OmegaMatcher {
	return SatisfyAll(haveStatus(http.StatusConflict), WithTransform((*answer).scimType, Equal("uniqueness")), say(detail))
}

func beInvalid(detail string) OmegaMatcher {
	return SatisfyAll(haveStatus(http.StatusBadRequest), WithTransform((*answer).scimType, Equal("invalidValue")), say(detail))
}

func beMade(id string) OmegaMatcher {
	return SatisfyAll(haveStatus(http.StatusCreated), WithTransform((*answer).id, Equal(id)))
}

var _ = Describe("users.identifier", func() {
	It("email: keeps two people apart by the primary address, in any case, beside the userName", func(ctx SpecContext) {
		t := newTenant(ctx, users(v1alpha1.UsersPolicy{Identifier: v1alpha1.IdentifierEmail}))
		ada := t.post(`{"userName":"ada","emails":[{"value":"private@example.org"},{"value":"Ada.Łovelace@Example.com","primary":true}]}`)
		Expect(ada).To(haveStatus(http.StatusCreated))
		Expect(t.post(`{"userName":"other","emails":[{"value":"ADA.ŁOVELACE@example.COM"}]}`)).To(beConflict("email is taken"))
		Expect(t.post(`{"userName":"ADA","emails":[{"value":"new@example.com"}]}`)).To(beConflict("userName is taken"))
		Expect(t.post(`{"userName":"ada.łovelace@example.com"}`)).To(beConflict("email is taken"), "without an address the userName identifies")

		By("letting an address be shared that is not the primary one")
		bob := t.post(`{"userName":"bob","emails":[{"value":"bob@example.com"},{"value":"private@example.org"}]}`)
		Expect(bob).To(haveStatus(http.StatusCreated))

		By("refusing a change that makes two people one")
		before := t.stored(ctx)
		for _, operation := range []string{
			`{"op":"replace","path":"emails[value eq \"bob@example.com\"].value","value":"ada.łovelace@example.com"}`,
			`{"op":"replace","path":"emails","value":[{"value":"ADA.ŁOVELACE@EXAMPLE.COM"}]}`,
			`{"op":"replace","value":{"userName":"ada.łovelace@example.com","emails":[]}}`,
		} {
			Expect(t.patch("/Users/"+bob.id(), operation)).To(beConflict(ada.id()), operation)
		}
		Expect(t.call(http.MethodPut, "/Users/"+bob.id(), `{"userName":"bob","emails":[{"value":"ada.łovelace@example.com"}]}`)).To(beConflict("email is taken"))
		Expect(t.stored(ctx)).To(Equal(before))

		By("giving an address free that is no longer somebody's")
		Expect(t.patch("/Users/"+ada.id(), `{"op":"remove","path":"emails"}`)).To(haveStatus(http.StatusOK))
		Expect(t.patch("/Users/"+bob.id(), `{"op":"replace","path":"emails","value":[{"value":"ada.łovelace@example.com"}]}`)).To(haveStatus(http.StatusOK))
	})

	It("email: finds a leaver who is posted again by the address, whatever the userName is now", func(ctx SpecContext) {
		t := newTenant(ctx, users(v1alpha1.UsersPolicy{Identifier: v1alpha1.IdentifierEmail}))
		id := t.post(`{"userName":"ada","emails":[{"value":"ada@example.com"}],"active":false}`).id()
		Expect(t.post(`{"userName":"ada","emails":[{"value":"another@example.com"}]}`)).To(beConflict("userName is taken"), "another person")
		back := t.post(`{"userName":"countess","emails":[{"value":"ADA@example.com"}]}`)
		Expect(back).To(beMade(id))
		Expect(back.body).To(SatisfyAll(HaveKeyWithValue("active", true), HaveKeyWithValue("userName", "countess")))
	})

	It("userName, the default, lets people share an address", func(ctx SpecContext) {
		t := newTenant(ctx)
		Expect(t.post(`{"userName":"ada","emails":[{"value":"desk@example.com"}]}`)).To(haveStatus(http.StatusCreated))
		Expect(t.post(`{"userName":"bob","emails":[{"value":"desk@example.com"}]}`)).To(haveStatus(http.StatusCreated))
	})

	DescribeTable("whatever it is, `email` in a filter and an order is emails.value",
		func(ctx SpecContext, identifier v1alpha1.UserIdentifier) {
			t := newTenant(ctx, users(v1alpha1.UsersPolicy{Identifier: identifier}))
			t.post(`{"userName":"ada","emails":[{"value":"z@example.com"}]}`)
			t.post(`{"userName":"bob","emails":[{"value":"b@example.com"},{"value":"x@example.com"}]}`)
			for _, filter := range []string{`email eq "X@Example.com"`, `emails eq "x@example.com"`, `emails.value eq "x@example.com"`} {
				Expect(t.userNames(filter)).To(Equal([]string{"bob"}), filter)
			}
			Expect(t.get("/Users?sortBy=email").names()).To(Equal([]string{"bob", "ada"}))
		},
		Entry("userName", v1alpha1.IdentifierUserName),
		Entry("email", v1alpha1.IdentifierEmail),
	)
})

var _ = Describe("users.deactivation: Delete", func() {
	deletes := users(v1alpha1.UsersPolicy{Deactivation: v1alpha1.DeactivationDelete})

	DescribeTable("deletes a person whom the identity provider deactivates, and gives the same id back on return",
		func(ctx SpecContext, method, body string) {
			t := newTenant(ctx, deletes)
			made := t.post(`{"userName":"Ada.Łovelace@example.com","externalId":"00u1","title":"Countess"}`)
			id := made.id()
			group := t.addGroup("Engineers", id)
			if method == http.MethodPatch {
				body = `{"Operations":[` + body + `]}`
			}
			gone := t.call(method, "/Users/"+id, body)
			Expect(gone).To(haveStatus(http.StatusOK))
			Expect(gone.body).To(SatisfyAll(HaveKeyWithValue("id", id), HaveKeyWithValue("active", false), HaveKeyWithValue("userName", "Ada.Łovelace@example.com")))

			By("showing nothing of the person any more")
			Expect(t.get("/Users/" + id)).To(haveStatus(http.StatusNotFound))
			Expect(t.call(method, "/Users/"+id, body)).To(haveStatus(http.StatusNotFound))
			Expect(t.patch("/Users/"+id, `{"op":"replace","value":{"active":true}}`)).To(haveStatus(http.StatusNotFound))
			Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(haveStatus(http.StatusNotFound))
			Expect(t.get("/Users").body).To(HaveKeyWithValue("totalResults", jsonNumber("0")))
			Expect(t.members(group)).To(BeEmpty())

			By("remembering no more than hashes")
			Expect(t.tombstones(ctx)).To(HaveLen(1))
			remembered, err := json.Marshal(t.tombstones(ctx)[0])
			Expect(err).NotTo(HaveOccurred())
			for _, value := range []string{"łovelace", "lovelace", "example.com", "00u1", "countess"} {
				Expect(strings.ToLower(string(remembered))).NotTo(ContainSubstring(value))
			}

			By("bringing the person back, whose membership the identity provider has to say again")
			Expect(t.post(`{"userName":"ADA.ŁOVELACE@EXAMPLE.COM","externalId":"00u1"}`)).To(beMade(id))
			Expect(t.members(group)).To(BeEmpty())
			Expect(t.get("/Users/" + id).body).To(SatisfyAll(Not(HaveKey("title")), Not(HaveKey("groups")), HaveKeyWithValue("active", true)))
			Expect(t.tombstones(ctx)).To(BeEmpty())
		},
		Entry("catalogue app of Okta", "PATCH", deactivates),
		Entry("Wizard app of Okta", "PUT", `{"userName":"Ada.Łovelace@example.com","externalId":"00u1","active":false}`),
		Entry("Entra ID", "PATCH", `{"op":"Replace","path":"active","value":"False"}`),
		Entry("with another change", "PATCH", `{"op":"replace","value":{"active":false,"userName":"gone@example.com"}}`),
	)

	It("takes the id back for the same person only", func(ctx SpecContext) {
		t := newTenant(ctx, deletes)
		neighbor := newDirectory(ctx, t.namespace, "entra", deletes)
		id := t.post(`{"userName":"ada@example.com","externalId":"00u1"}`).id()
		Expect(t.patch("/Users/"+id, deactivates)).To(haveStatus(http.StatusOK))
		for _, other := range []*answer{
			neighbor.post(`{"userName":"ada@example.com","externalId":"00u1"}`),
			t.post(`{"userName":"ada@example.com","externalId":"00U1"}`),
			t.post(`{"userName":"ada@example.org","externalId":"00u1"}`),
		} {
			Expect(other).To(haveStatus(http.StatusCreated))
			Expect(other.id()).NotTo(Equal(id))
		}
		Expect(neighbor.get("/Users/" + id)).To(haveStatus(http.StatusNotFound))
		Expect(t.tombstones(ctx)).To(HaveLen(1))
	})

	It("refuses to create somebody who is inactive, and keeps who was inactive before", func(ctx SpecContext) {
		t := newTenant(ctx)
		left := t.post(`{"userName":"left","active":false}`).id()
		directory := &v1alpha1.ScimDirectory{}
		Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: t.directory}, directory)).To(Succeed())
		deletes(directory)
		Expect(cluster.Update(ctx, directory)).To(Succeed())
		Eventually(func() *answer { return t.post(`{"userName":"new","active":false}`) }).WithTimeout(20 * time.Second).Should(beInvalid("active"))

		Expect(t.patch("/Users/"+left, `{"op":"add","path":"title","value":"Dr"}`).body).To(HaveKeyWithValue("active", false))
		Expect(t.patch("/Users/"+left, deactivates)).To(haveStatus(http.StatusOK))
		Expect(t.get("/Users/" + left).body).To(HaveKeyWithValue("title", "Dr"))
		Expect(t.post(`{"userName":"left"}`)).To(beMade(left))
		Expect(t.patch("/Users/"+left, deactivates)).To(haveStatus(http.StatusOK))
		Expect(t.get("/Users/" + left)).To(haveStatus(http.StatusNotFound))
	})

	It("deletes nobody whose version is another than If-Match says", func(ctx SpecContext) {
		t := newTenant(ctx, deletes)
		id := t.addUser("ada")
		stale := t.get("/Users/" + id).header.Get("ETag")
		Expect(t.patch("/Users/"+id, `{"op":"add","path":"title","value":"Dr"}`)).To(haveStatus(http.StatusOK))
		put := func(version string) *answer {
			return t.call(http.MethodPut, "/Users/"+id, `{"userName":"ada","active":false}`, "If-Match", version)
		}
		Expect(put(stale)).To(haveStatus(http.StatusPreconditionFailed))
		Expect(t.tombstones(ctx)).To(BeEmpty())
		Expect(put(t.get("/Users/" + id).header.Get("ETag"))).To(haveStatus(http.StatusOK))
		Expect(t.get("/Users/" + id)).To(haveStatus(http.StatusNotFound))
	})
})

var _ = Describe("users.tombstoneTTL", func() {
	It("is 30 days by default, whatever deactivation means: a DELETE is remembered, too", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(haveStatus(http.StatusNoContent))
		Expect(t.post(`{"userName":"Ada"}`)).To(beMade(id))

		By("forgetting who left longer ago")
		Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(haveStatus(http.StatusNoContent))
		aged := t.tombstones(ctx)[0]
		aged.Spec.DeletionTime = metav1.NewTime(time.Now().Add(-30 * 24 * time.Hour))
		Expect(cluster.Update(ctx, &aged)).To(Succeed())
		Eventually(func(g Gomega) {
			a := t.post(`{"userName":"ada"}`)
			g.Expect(a.status).To(Equal(http.StatusCreated))
			if a.id() == id { // the server has not seen it age yet
				Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(haveStatus(http.StatusNoContent))
				again := t.tombstones(ctx)[0]
				again.Spec.DeletionTime = aged.Spec.DeletionTime
				Expect(cluster.Update(ctx, &again)).To(Succeed())
			}
			g.Expect(a.id()).NotTo(Equal(id))
		}).WithTimeout(20 * time.Second).Should(Succeed())
	})

	It("0s remembers nobody", func(ctx SpecContext) {
		t := newTenant(ctx, users(v1alpha1.UsersPolicy{Deactivation: v1alpha1.DeactivationDelete, TombstoneTTL: &metav1.Duration{}}))
		id := t.addUser("ada")
		Expect(t.patch("/Users/"+id, deactivates)).To(haveStatus(http.StatusOK))
		Expect(t.tombstones(ctx)).To(BeEmpty())
		Expect(t.addUser("ada")).NotTo(Equal(id))
	})
})

var _ = Describe("The app's local members", func() {
	// lists are the userNames in every kind of list.
	lists := func(t *tenant) map[string][]string {
		GinkgoHelper()
		found := map[string][]string{}
		for _, query := range []string{"?count=100", "?cursor", "?sortBy=userName", "?filter=userName+pr", "?filter=userName+pr&sortBy=userName&cursor", "?startIndex=1&count=2"} {
			a := t.get("/Users" + query)
			Expect(a).To(haveStatus(http.StatusOK))
			Expect(a.body).To(HaveKeyWithValue("totalResults", jsonNumber(fmt.Sprint(len(a.names())))), query)
			found[query] = a.names()
		}
		found[".search"] = t.search("", `,"filter":"userName pr"`).names()
		return found
	}
	// named are the filters that find one by what the user is called.
	named := func(t *tenant, id, userName, address string) (found []int) {
		GinkgoHelper()
		for _, filter := range []string{`id eq "` + id + `"`, `userName eq "` + userName + `"`, `email eq "` + address + `"`, `userName eq "` + userName + `" and active eq true`} {
			found = append(found, len(t.userNames(filter)))
		}
		return found
	}

	Describe("with importable: All", func() {
		imports := users(v1alpha1.UsersPolicy{Importable: v1alpha1.ImportableAll})

		It("are imported with everybody else, and can be members of groups", func(ctx SpecContext) {
			t := newTenant(ctx, imports)
			t.addUser("bob")
			id := t.mirror(ctx, "local@example.com", "local@example.com")
			for kind, names := range lists(t) {
				Expect(names).To(ConsistOf("bob", "local@example.com"), kind)
			}
			Expect(named(t, id, "LOCAL@example.com", "local@example.com")).To(HaveEach(1))
			Expect(t.get("/Users/" + id).body).To(SatisfyAll(HaveKeyWithValue("active", true), HaveKeyWithValue("meta", HaveKeyWithValue("resourceType", "User"))))
			group := t.addGroup("Engineers", id)
			Expect(t.members(group)).To(ConsistOf(id))
			Expect(t.get("/Users/" + id).body).To(HaveKeyWithValue("groups", ConsistOf(HaveKeyWithValue("value", group))))
			Expect(t.user(ctx, id).Spec.Origin).To(Equal(v1alpha1.OriginApp), "to be a member of a group is no change of the user")
		})

		DescribeTable("are taken over by any write, under their id",
			func(ctx SpecContext, method, body string, status int) {
				t := newTenant(ctx, imports)
				id := t.mirror(ctx, "local@example.com")
				path := "/Users"
				if method != http.MethodPost {
					path += "/" + id
				}
				version := t.get("/Users/" + id).header.Get("ETag")
				a := t.call(method, path, body)
				Expect(a.status).To(Equal(status), a.String())
				Expect(a.id()).To(Equal(id))
				Expect(a.header.Get("ETag")).NotTo(Equal(version))
				taken := t.user(ctx, id)
				Expect(taken.Spec.Origin).To(BeEmpty())
				Expect(taken.Spec.MemberRef.Name).To(Equal("local"), "the member is the person's under any name")
				Expect(t.get("/Users").body).To(HaveKeyWithValue("totalResults", jsonNumber("1")))
			},
			Entry("a PUT", "PUT", `{"userName":"local@example.com","externalId":"00u1"}`, 200),
			Entry("a PUT of what it is", "PUT", `{"userName":"local@example.com"}`, 200),
			Entry("a PATCH", "PATCH", `{"Operations":[{"op":"add","path":"title","value":"Dr"}]}`, 200),
			Entry("a PATCH that changes nothing", "PATCH", `{"Operations":[{"op":"replace","path":"active","value":true}]}`, 200),
			Entry("a rename", "PATCH", `{"Operations":[{"op":"replace","path":"userName","value":"new@example.com"}]}`, 200),
			Entry("a POST of the same person", "POST", `{"userName":"LOCAL@example.com","externalId":"00u1"}`, 201),
		)

		It("are not deleted before they are taken over: that would take nobody's access away", func(ctx SpecContext) {
			t := newTenant(ctx, imports)
			id := t.mirror(ctx, "local@example.com")
			before := t.stored(ctx)
			Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(SatisfyAll(haveStatus(http.StatusForbidden), say("take it over first")))
			Expect(t.stored(ctx)).To(Equal(before))
			Expect(t.tombstones(ctx)).To(BeEmpty())
			Expect(t.call(http.MethodPut, "/Users/"+id, `{"userName":"local@example.com"}`)).To(haveStatus(http.StatusOK))
			Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(haveStatus(http.StatusNoContent))
		})

		It("stay, inactive, when deactivation deletes: so that the local member loses access", func(ctx SpecContext) {
			t := newTenant(ctx, users(v1alpha1.UsersPolicy{Importable: v1alpha1.ImportableAll, Deactivation: v1alpha1.DeactivationDelete}))
			id := t.mirror(ctx, "local@example.com")
			Expect(t.patch("/Users/"+id, deactivates).body).To(HaveKeyWithValue("active", false))
			Expect(t.get("/Users/" + id).body).To(HaveKeyWithValue("active", false))
			Expect(t.user(ctx, id).Spec.Origin).To(BeEmpty())
		})

		It("are matched by what identifies", func(ctx SpecContext) {
			t := newTenant(ctx, users(v1alpha1.UsersPolicy{Importable: v1alpha1.ImportableAll, Identifier: v1alpha1.IdentifierEmail}))
			id := t.mirror(ctx, "local", "local@example.com")
			Expect(t.post(`{"userName":"LOCAL","emails":[{"value":"another@example.com"}]}`)).To(beConflict("userName is taken"))
			Expect(t.post(`{"userName":"ada","emails":[{"value":"LOCAL@example.com"}]}`)).To(beMade(id))
		})
	})

	hidden := func(ctx context.Context, t *tenant, id string) {
		GinkgoHelper()
		for kind, names := range lists(t) {
			Expect(names).To(ConsistOf("ada", "bob"), kind)
		}
		Expect(named(t, id, "local@example.com", "local@example.com")).To(HaveEach(0))
		Expect(t.get("/Users/" + id)).To(haveStatus(http.StatusNotFound))
		before := t.stored(ctx)
		Expect(t.patch("/Users/"+id, deactivates)).To(haveStatus(http.StatusNotFound))
		Expect(t.call(http.MethodPut, "/Users/"+id, `{"userName":"local@example.com"}`)).To(haveStatus(http.StatusNotFound))
		Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(haveStatus(http.StatusNotFound))
		Expect(t.call(http.MethodPost, "/Groups", `{"displayName":"G","members":[{"value":"`+id+`"}]}`)).To(beInvalid(id))
		Expect(t.bulk(``, `{"method":"PATCH","path":"/Users/`+id+`","data":{"Operations":[`+deactivates+`]}}`, `{"method":"DELETE","path":"/Users/`+id+`"}`).statuses()).To(Equal("404 404"))
		Expect(t.stored(ctx)).To(Equal(before))
	}

	It("are hidden with importable: Provisioned, and taken over by a POST of the same person", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.addUser("ada")
		id := t.mirror(ctx, "local@example.com", "local@example.com")
		t.addUser("bob")
		hidden(ctx, t, id)
		Expect(t.post(`{"userName":"Local@example.com","title":"Dr"}`)).To(beMade(id))
		Expect(t.user(ctx, id).Spec).To(SatisfyAll(HaveField("Origin", BeEmpty()), HaveField("MemberRef.Name", "local"), HaveField("Title", "Dr")))
		Expect(t.get("/Users").names()).To(ConsistOf("ada", "Local@example.com", "bob"))
	})

	It("are hidden with existing: Reject, and keep their names to themselves", func(ctx SpecContext) {
		t := newTenant(ctx, users(v1alpha1.UsersPolicy{Existing: v1alpha1.ExistingReject}))
		t.addUser("ada")
		id := t.mirror(ctx, "local@example.com", "local@example.com")
		bob := t.addUser("bob")
		hidden(ctx, t, id)
		before := t.stored(ctx)
		for _, a := range []*answer{
			t.post(`{"userName":"Local@example.com"}`),
			t.patch("/Users/"+bob, `{"op":"replace","path":"userName","value":"LOCAL@example.com"}`),
		} {
			Expect(a).To(beConflict("local member"))
			Expect(a.text).NotTo(ContainSubstring(id))
		}
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("are no members that a group shows while they are hidden", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, id := t.addUser("ada"), t.mirror(ctx, "local@example.com")
		group := t.addGroup("Engineers", ada)
		slices := &v1alpha1.ScimMemberSliceList{}
		Expect(cluster.List(ctx, slices, client.InNamespace(t.namespace))).To(Succeed())
		slices.Items[0].Spec.Members = append(slices.Items[0].Spec.Members, id)
		Expect(cluster.Update(ctx, &slices.Items[0])).To(Succeed())
		Eventually(func() string { return t.get("/Groups/" + group).header.Get("ETag") }).Should(ContainSubstring(".2"))
		Expect(t.members(group)).To(ConsistOf(ada))
	})
})

var _ = Describe("users.importable: None", func() {
	It("lists nobody whom the filter does not name", func(ctx SpecContext) {
		t := newTenant(ctx, users(v1alpha1.UsersPolicy{Importable: v1alpha1.ImportableNone}))
		id := t.post(`{"userName":"ada","externalId":"00u1","emails":[{"value":"ada@example.com","type":"work"}]}`).id()
		for _, query := range []string{"", "?startIndex=1&count=2", "?cursor", "?sortBy=userName", "?filter=userName+pr", "?filter=active+eq+true", `?filter=userName+sw+%22ada%22`,
			`?filter=userName+eq+%22ada%22+or+active+eq+true`, `?filter=not+(userName+eq+%22bob%22)`} {
			a := t.get("/Users" + query)
			Expect(a).To(haveStatus(http.StatusOK), query)
			Expect(a.body).To(HaveKeyWithValue("totalResults", jsonNumber("0")), query)
			Expect(a.body).NotTo(HaveKey("nextCursor"))
			Expect(a.resources()).To(BeEmpty(), query)
		}
		Expect(t.search("", "").resources()).To(BeEmpty())
		for _, filter := range []string{`id eq "` + id + `"`, `userName eq "ADA"`, `externalId eq "00u1"`, `emails.value eq "ada@example.com"`, `email eq "ADA@example.com"`,
			`emails[type eq "work"].value eq "ada@example.com"`, `active eq true and userName eq "ada"`} {
			Expect(t.userNames(filter)).To(Equal([]string{"ada"}), filter)
		}
		Expect(t.userNames(`userName eq "ada" and active eq false`)).To(BeEmpty())
		Expect(t.get("/Users/" + id).body).To(HaveKeyWithValue("userName", "ada"))
	})
})

var _ = Describe("users.allowedDomains", func() {
	It("lets in whose identifier is an address of one, and says which there are", func(ctx SpecContext) {
		t := newTenant(ctx, users(v1alpha1.UsersPolicy{AllowedDomains: []string{"example.com", "example.org"}}))
		Expect(t.post(`{"userName":"Ada@EXAMPLE.com","emails":[{"value":"ada@home.net"}]}`)).To(haveStatus(http.StatusCreated))
		before := t.stored(ctx)
		for _, refused := range []string{"eve", "eve@evil.net", "eve@sub.example.com", "eve@example.com@evil.net", "eve@evil.net@example.com"} {
			a := t.post(`{"userName":"` + refused + `","emails":[{"value":"eve@example.com"}]}`)
			Expect(a).To(beInvalid("example.com, example.org"), refused)
			Expect(a.text).To(ContainSubstring("userName"))
			Expect(a.text).NotTo(ContainSubstring("eve"), "no value stands in an error")
		}
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("looks at the address that identifies", func(ctx SpecContext) {
		t := newTenant(ctx, users(v1alpha1.UsersPolicy{Identifier: v1alpha1.IdentifierEmail, AllowedDomains: []string{"example.com"}}))
		ada := t.post(`{"userName":"ada","emails":[{"value":"ada@home.net"},{"value":"ada@example.com","primary":true}]}`)
		Expect(ada).To(haveStatus(http.StatusCreated))
		Expect(t.post(`{"userName":"eve@example.com","emails":[{"value":"eve@evil.net"}]}`)).To(beInvalid("primary e-mail address"))
		Expect(t.patch("/Users/"+ada.id(), `{"op":"replace","path":"emails[value eq \"ada@home.net\"].primary","value":true}`)).To(beInvalid("example.com"))
	})

	It("never hinders that somebody leaves, and lets nobody back who could not come in", func(ctx SpecContext) {
		t := newTenant(ctx)
		ids := []string{t.addUser("one@old.net"), t.addUser("two@old.net")}
		directory := &v1alpha1.ScimDirectory{}
		Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: t.directory}, directory)).To(Succeed())
		users(v1alpha1.UsersPolicy{AllowedDomains: []string{"example.com"}})(directory)
		Expect(cluster.Update(ctx, directory)).To(Succeed())
		Eventually(func() *answer { return t.post(`{"userName":"new@old.net"}`) }).WithTimeout(20 * time.Second).Should(beInvalid("example.com"))

		Expect(t.patch("/Users/"+ids[0], `{"op":"add","path":"title","value":"Dr"}`)).To(haveStatus(http.StatusOK))
		Expect(t.patch("/Users/"+ids[0], deactivates)).To(haveStatus(http.StatusOK))
		Expect(t.call(http.MethodPut, "/Users/"+ids[1], `{"userName":"gone@old.net","active":false}`)).To(haveStatus(http.StatusOK))
		for _, a := range []*answer{
			t.patch("/Users/"+ids[0], `{"op":"replace","value":{"active":true}}`),
			t.post(`{"userName":"one@old.net"}`),
		} {
			Expect(a).To(beInvalid("example.com"))
		}
		Expect(t.get("/Users/" + ids[0]).body).To(HaveKeyWithValue("active", false))
		Expect(t.patch("/Users/"+ids[0], `{"op":"replace","value":{"active":true,"userName":"one@example.com"}}`)).To(haveStatus(http.StatusOK))
		Expect(t.call(http.MethodDelete, "/Users/"+ids[1], nil)).To(haveStatus(http.StatusNoContent))
	})
})

var _ = Describe("Bulk with people who come back", func() {
	// Two users who are each other's managers, and one of whom cannot be made.
	circle := func(userName string) []string {
		return []string{
			`{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"` + userName + `","title":"Dr","` + enterprise + `":{"manager":{"value":"bulkId:b"}}}}`,
			`{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"taken","` + enterprise + `":{"manager":{"value":"bulkId:a"}}}}`,
		}
	}

	It("leaves somebody inactive whom a circle brought back that failed", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.addUser("taken")
		left := t.post(`{"userName":"left","nickName":"L","active":false}`).id()
		Expect(t.bulk(``, circle("left")...).statuses()).To(Equal("409 409"))
		Expect(t.get("/Users/" + left).body).To(SatisfyAll(
			HaveKeyWithValue("active", false), HaveKeyWithValue("nickName", "L"), Not(HaveKey("title")), Not(HaveKey(enterprise))))
	})

	It("leaves a local member local whom a circle took over that failed", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.addUser("taken")
		id := t.mirror(ctx, "local")
		Expect(t.bulk(``, circle("local")...).statuses()).To(Equal("409 409"))
		Expect(t.user(ctx, id).Spec).To(SatisfyAll(
			HaveField("Origin", v1alpha1.OriginApp), HaveField("MemberRef", Not(BeNil())), HaveField("Title", BeEmpty())))
		Expect(t.get("/Users/" + id)).To(haveStatus(http.StatusNotFound))
	})

	It("remembers somebody still whom a circle brought back from the dead that failed", func(ctx SpecContext) {
		t := newTenant(ctx)
		t.addUser("taken")
		id := t.addUser("gone")
		Expect(t.call(http.MethodDelete, "/Users/"+id, nil)).To(haveStatus(http.StatusNoContent))
		Expect(t.bulk(``, circle("gone")...).statuses()).To(Equal("409 409"))
		Expect(t.get("/Users/" + id)).To(haveStatus(http.StatusNotFound))
		Expect(t.post(`{"userName":"gone"}`)).To(beMade(id))
	})
})
