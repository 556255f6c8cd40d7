package scimserver_test

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
)

// groupsAreRoles is what a directory says of its groups, beside their meaning.
func groupsAreRoles(policy v1alpha1.GroupsPolicy) func(*v1alpha1.ScimDirectory) {
	policy.Meaning = v1alpha1.GroupsAreRoles
	return func(d *v1alpha1.ScimDirectory) { d.Spec.Groups = policy }
}

// mirrorRole shows a role of the app as a group, as the controllers do, and returns its id when the server knows it.
func (t *tenant) mirrorRole(ctx context.Context, displayName string, members ...string) string {
	GinkgoHelper()
	directory := v1alpha1.DirectoryReference{Name: t.directory}
	group := &v1alpha1.ScimGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: uuid.Must(uuid.NewV7()).String()},
		Spec: v1alpha1.ScimGroupSpec{
			DirectoryRef: directory, DisplayName: displayName, Origin: v1alpha1.OriginApp,
			RoleRef: &v1alpha1.RoleReference{Name: "role-of-the-app"},
		},
	}
	if len(members) > 0 {
		slice := &v1alpha1.ScimMemberSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: v1alpha1.SliceName(group.Name, "aaaaaaaa", 0)},
			Spec:       v1alpha1.ScimMemberSliceSpec{DirectoryRef: directory, Group: group.Name, Epoch: "aaaaaaaa", Members: members},
		}
		Expect(cluster.Create(ctx, slice)).To(Succeed())
		group.Spec.Membership = &v1alpha1.GroupMembership{Epoch: "aaaaaaaa", Shards: 1}
	}
	Expect(cluster.Create(ctx, group)).To(Succeed())
	// The server acknowledges a group once it shows all that were stored before.
	Expect(t.call(http.MethodDelete, "/Groups/"+t.addGroup("probe "+uuid.NewString()), nil).status).To(Equal(http.StatusNoContent))
	return group.Name
}

// object is a group as it is stored.
func (t *tenant) object(ctx context.Context, id string) *v1alpha1.ScimGroup {
	GinkgoHelper()
	group := &v1alpha1.ScimGroup{}
	Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: id}, group)).To(Succeed())
	return group
}

// beLinked says of a stored group that it is the identity provider's, and still the role.
func beLinked() OmegaMatcher {
	return HaveField("Spec", SatisfyAll(HaveField("Origin", BeEmpty()), HaveField("RoleRef.Name", "role-of-the-app")))
}

var _ = Describe("Where groups are roles", func() {
	all := groupsAreRoles(v1alpha1.GroupsPolicy{Importable: v1alpha1.ImportableAll})

	It("Okta imports the app's roles as groups, and Link Group takes one over: the id stays, its name and members are Okta's",
		func(ctx SpecContext) {
			t := newTenant(ctx, all)
			ada, bob, eve := t.addUser("ada"), t.addUser("bob"), t.addUser("eve")
			role := t.mirrorRole(ctx, "Analyst", ada, bob)

			By("importing groups")
			list := t.get("/Groups?startIndex=1&count=100")
			Expect(list.body).To(HaveKeyWithValue("totalResults", BeEquivalentTo("1")))
			Expect(list.resources()).To(ConsistOf(SatisfyAll(
				HaveKeyWithValue("id", role), HaveKeyWithValue("displayName", "Analyst"),
				HaveKeyWithValue("members", ConsistOf(HaveKeyWithValue("value", ada), HaveKeyWithValue("value", bob))))))
			Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups", ConsistOf(HaveKeyWithValue("value", role))))
			Expect(t.object(ctx, role).Spec.Origin).To(Equal(v1alpha1.OriginApp), "reading takes nothing over")

			By("linking Okta's group to it")
			Expect(t.patch("/Groups/"+role, `{"op":"replace","value":{"id":"`+role+`","displayName":"Okta Analysts"}}`).status).
				To(Equal(http.StatusNoContent))
			Expect(t.object(ctx, role)).To(beLinked())
			Expect(t.patch("/Groups/"+role, `{"op":"replace","path":"members","value":[{"value":"`+bob+`"},{"value":"`+eve+`"}]}`).status).
				To(Equal(http.StatusNoContent))
			Expect(t.get("/Groups/" + role).body).To(HaveKeyWithValue("displayName", "Okta Analysts"))
			Expect(t.members(role)).To(ConsistOf(bob, eve))

			By("writing to it in every other way")
			Expect(t.call(http.MethodPut, "/Groups/"+role, `{"displayName":"Analysts","externalId":"00g1"}`).status).To(Equal(http.StatusOK))
			Expect(t.patch("/Groups/"+role, `{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`).status).To(Equal(http.StatusNoContent))
			Expect(t.object(ctx, role)).To(SatisfyAll(beLinked(), HaveField("Spec.ExternalID", "00g1")))
			Expect(t.members(role)).To(ConsistOf(ada))
		})

	DescribeTable("any write takes a role over, even one that changes nothing",
		func(ctx SpecContext, method, body string, members int) {
			t := newTenant(ctx, all)
			ada := t.addUser("ada")
			role := t.mirrorRole(ctx, "Analyst", ada)
			a := t.call(method, "/Groups/"+role, strings.ReplaceAll(body, "<ada>", ada), "If-Match", t.get("/Groups/"+role).header.Get("ETag"))
			Expect(a.status).To(BeNumerically("<", 300), a.String())
			Expect(t.object(ctx, role)).To(beLinked())
			Expect(t.members(role)).To(HaveLen(members))
		},
		Entry("PUT of the same", http.MethodPut, `{"displayName":"Analyst","members":[{"value":"<ada>"}]}`, 1),
		Entry("PUT without members", http.MethodPut, `{"displayName":"Analyst"}`, 0),
		Entry("the same name", http.MethodPatch, `{"Operations":[{"op":"replace","value":{"displayName":"Analyst"}}]}`, 1),
		Entry("a member who is one", http.MethodPatch, `{"Operations":[{"op":"add","path":"members","value":[{"value":"<ada>"}]}]}`, 1),
		Entry("nobody removed", http.MethodPatch, `{"Operations":[{"op":"remove","path":"members[value eq \"nobody\"]"}]}`, 1),
		Entry("a member removed", http.MethodPatch, `{"Operations":[{"op":"remove","path":"members[value eq \"<ada>\"]"}]}`, 0),
	)

	It("a refused write takes nothing over", func(ctx SpecContext) {
		t := newTenant(ctx, all)
		t.addGroup("Staff")
		role := t.mirrorRole(ctx, "Analyst")
		before := t.stored(ctx)
		Expect(t.call(http.MethodPut, "/Groups/"+role, `{"displayName":"staff"}`).scimType()).To(Equal("uniqueness"))
		Expect(t.call(http.MethodPut, "/Groups/"+role, `{"displayName":"Analyst"}`, "If-Match", `W/"no"`).status).To(Equal(http.StatusPreconditionFailed))
		Expect(t.patch("/Groups/"+role, `{"op":"add","path":"members","value":[{"value":"nobody"}]}`).scimType()).To(Equal("invalidValue"))
		Expect(t.patch("/Groups/"+role, `{"op":"replace","path":"displayName","value":""}`).status).To(Equal(http.StatusBadRequest))
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("the group of a role can be deleted once it is linked", func(ctx SpecContext) {
		t := newTenant(ctx, all)
		role := t.mirrorRole(ctx, "Analyst", t.addUser("ada"))
		before := t.stored(ctx)
		Expect(t.call(http.MethodDelete, "/Groups/"+role, nil).status).To(Equal(http.StatusForbidden))
		Expect(t.stored(ctx)).To(Equal(before))
		Expect(t.patch("/Groups/"+role, `{"op":"replace","path":"displayName","value":"Analysts"}`).status).To(Equal(http.StatusNoContent))
		Expect(t.call(http.MethodDelete, "/Groups/"+role, nil).status).To(Equal(http.StatusNoContent))
		Expect(t.stored(ctx)).To(HaveLen(1), "Ada is left")
	})

	for _, existing := range []v1alpha1.Importable{v1alpha1.ImportableAll, v1alpha1.ImportableProvisioned, v1alpha1.ImportableNone} {
		It("a pushed group of a role's name is that role, under its id, with importable: "+string(existing), func(ctx SpecContext) {
			t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{Importable: existing}))
			ada, bob := t.addUser("ada"), t.addUser("bob")
			role := t.mirrorRole(ctx, "Analyst", ada)
			a := t.call(http.MethodPost, "/Groups", `{"displayName":"ANALYST","externalId":"00g1","members":[{"value":"`+bob+`"}]}`)
			Expect(a.status).To(Equal(http.StatusCreated), a.String())
			Expect(a.header.Get("Location")).To(HaveSuffix("/Groups/" + role))
			Expect(a.body).To(SatisfyAll(HaveKeyWithValue("id", role), HaveKeyWithValue("displayName", "ANALYST"),
				HaveKeyWithValue("members", ConsistOf(HaveKeyWithValue("value", bob)))))
			Expect(t.object(ctx, role)).To(SatisfyAll(beLinked(), HaveField("Spec.ExternalID", "00g1")))
			Expect(t.members(role)).To(ConsistOf(bob))
			Expect(t.call(http.MethodPost, "/Groups", `{"displayName":"Analyst"}`).scimType()).To(Equal("uniqueness"), "now it is a group like any other")
		})
	}

	It("the audit log says who linked which role, and whom that made a member or no longer one", func(ctx SpecContext) {
		t := newTenant(ctx, all)
		ada, bob := t.addUser("ada"), t.addUser("bob")
		analyst, admin := t.mirrorRole(ctx, "Analyst", ada), t.mirrorRole(ctx, "Admin", ada)
		log := t.audited(scimserver.Options{})
		t.call(http.MethodPost, "/Groups", `{"displayName":"Analyst","externalId":"00g1","members":[{"value":"`+bob+`"}]}`)
		Expect(log.only()).To(is("GroupLinked", "ScimGroup/"+analyst, 201, "attributes", list("externalId", "members"),
			"membersAdded", list(bob), "membersAddedCount", 1.0, "membersRemoved", list(ada), "membersRemovedCount", 1.0))
		t.patch("/Groups/"+admin, `{"op":"add","path":"members","value":[{"value":"`+bob+`"}]}`)
		Expect(log.only()).To(is("GroupLinked", "ScimGroup/"+admin, 204, "attributes", list("members"),
			"membersAdded", list(bob), "membersAddedCount", 1.0))
	})

	It("a pushed group with a member that does not exist takes no role over", func(ctx SpecContext) {
		t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{}))
		t.mirrorRole(ctx, "Analyst", t.addUser("ada"))
		before := t.stored(ctx)
		Expect(t.call(http.MethodPost, "/Groups", `{"displayName":"Analyst","members":[{"value":"nobody"}]}`).scimType()).To(Equal("invalidValue"))
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("a pushed group of a role's name is refused where existing is Reject, whatever its case, and the role stays hidden", func(ctx SpecContext) {
		t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{Existing: v1alpha1.ExistingReject}))
		role := t.mirrorRole(ctx, "Analyst")
		staff := t.addGroup("Staff")
		before := t.stored(ctx)
		for _, a := range []*answer{
			t.call(http.MethodPost, "/Groups", `{"displayName":"analyst"}`),
			t.call(http.MethodPut, "/Groups/"+staff, `{"displayName":"Analyst"}`),
		} {
			Expect(a.status).To(Equal(http.StatusConflict), a.String())
			Expect(a.scimType()).To(Equal("uniqueness"))
			Expect(a.text).NotTo(ContainSubstring(role), "what is hidden is not named")
		}
		Expect(t.call(http.MethodPut, "/Groups/"+role, `{"displayName":"Analyst"}`).status).To(Equal(http.StatusNotFound))
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("roles that are not importable are as if they were not there, for every read and every write by id", func(ctx SpecContext) {
		t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{}))
		ada := t.addUser("ada")
		inner := t.addGroup("Inner", ada)
		role := t.mirrorRole(ctx, "Analyst", ada, inner)
		before := t.stored(ctx)

		ids := func(a *answer) []string {
			GinkgoHelper()
			Expect(a.status).To(Equal(http.StatusOK), a.String())
			found := []string{}
			for _, r := range a.resources() {
				found = append(found, r["id"].(string))
			}
			Expect(a.body).To(HaveKeyWithValue("totalResults", jsonNumber(strconv.Itoa(len(found)))))
			return found
		}
		for _, query := range []string{
			"", "?startIndex=1&count=100", "?cursor=&count=5", "?sortBy=displayName", "?filter=" + url.QueryEscape(`displayName pr`),
			"?filter=" + url.QueryEscape(`members.value eq "`+ada+`"`), "?filter=" + url.QueryEscape(`not (displayName eq "x")`),
		} {
			Expect(ids(t.get("/Groups"+query))).To(ConsistOf(inner), query)
		}
		for _, filter := range []string{
			`displayName eq "Analyst"`, `id eq "` + role + `"`, `displayName sw "Ana"`, `members.value eq "` + inner + `"`,
		} {
			Expect(ids(t.get("/Groups?filter="+url.QueryEscape(filter)))).To(BeEmpty(), filter)
		}
		for _, endpoint := range []string{"/.search", "/Groups/.search"} {
			a := t.call(http.MethodPost, endpoint, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"meta.resourceType eq \"Group\""}`)
			Expect(ids(a)).To(ConsistOf(inner), endpoint)
		}
		Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups", ConsistOf(HaveKeyWithValue("value", inner))))

		path := "/Groups/" + role
		for method, body := range map[string]any{
			http.MethodGet: nil, http.MethodPut: `{"displayName":"Analyst"}`, http.MethodDelete: nil,
			http.MethodPatch: `{"Operations":[{"op":"add","path":"members","value":[{"value":"` + ada + `"}]}]}`,
		} {
			Expect(t.call(method, path, body).status).To(Equal(http.StatusNotFound), method)
		}
		Expect(t.patch(path, `{"op":"remove","path":"members[display eq \"ada\"]"}`).status).To(Equal(http.StatusNotFound))
		Expect(t.patch(path, `{"op":"add","path":"members","value":[{"value":"nobody"}]}`).status).To(Equal(http.StatusNotFound))
		Expect(t.patch("/Groups/"+inner, `{"op":"add","path":"members","value":[{"value":"`+role+`"}]}`).scimType()).To(Equal("invalidValue"))
		bulk := t.call(http.MethodPost, "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"DELETE","path":"/Groups/`+role+`"},{"method":"PUT","path":"/Groups/`+role+`","data":{"displayName":"Mine"}}]}`)
		Expect(bulk.body["Operations"]).To(HaveEach(HaveKeyWithValue("status", "404")))
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("pages are whole and counted right among hidden roles", func(ctx SpecContext) {
		t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{}))
		want := []string{}
		for _, name := range []string{"A", "B", "C", "D", "E"} {
			want = append(want, t.addGroup(name))
			t.mirrorRole(ctx, "Role "+name)
		}
		got := []string{}
		for _, start := range []string{"1", "3", "5"} {
			a := t.get("/Groups?count=2&startIndex=" + start)
			Expect(a.body).To(HaveKeyWithValue("totalResults", BeEquivalentTo("5")))
			for _, r := range a.resources() {
				got = append(got, r["id"].(string))
			}
		}
		Expect(got).To(Equal(want))
		got = nil
		for cursor, more := "", true; more; {
			a := t.get("/Groups?count=2&cursor=" + url.QueryEscape(cursor))
			for _, r := range a.resources() {
				got = append(got, r["id"].(string))
			}
			cursor, more = a.body["nextCursor"].(string)
		}
		Expect(got).To(Equal(want))
	})

	It("with importable: None a list is empty, as a connection test expects, unless the filter names a group", func(ctx SpecContext) {
		t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{Importable: v1alpha1.ImportableNone}))
		ada := t.addUser("ada")
		staff := t.call(http.MethodPost, "/Groups", `{"displayName":"Staff","externalId":"00g1","members":[{"value":"`+ada+`"}]}`).id()
		t.mirrorRole(ctx, "Analyst", ada)
		for _, query := range []string{
			"?startIndex=1&count=100", "?filter=displayName+pr", "?sortBy=displayName", "?cursor=",
			"?filter=" + url.QueryEscape(`members.value eq "`+ada+`"`), "?filter=" + url.QueryEscape(`displayName eq "Staff" or displayName pr`),
			"?filter=" + url.QueryEscape(`displayName eq "Analyst"`),
		} {
			a := t.get("/Groups" + query)
			Expect(a.status).To(Equal(http.StatusOK), query)
			Expect(a.body).To(HaveKeyWithValue("totalResults", BeEquivalentTo("0")), query)
			Expect(a.resources()).To(BeEmpty(), query)
		}
		for _, filter := range []string{
			`displayName eq "staff"`, `externalId eq "00g1"`, `id eq "` + staff + `"`, `displayName eq "Staff" and members.value eq "` + ada + `"`,
		} {
			Expect(t.get("/Groups?filter="+url.QueryEscape(filter)).resources()).To(ConsistOf(HaveKeyWithValue("id", staff)), filter)
		}
		Expect(t.get("/Groups/" + staff).status).To(Equal(http.StatusOK))
		Expect(t.members(staff)).To(ConsistOf(ada))
		Expect(t.get("/Users").body).To(HaveKeyWithValue("totalResults", BeEquivalentTo("1")), "users are not meant")
	})

	It("another directory neither sees nor takes over a role that is shown in this one", func(ctx SpecContext) {
		t := newTenant(ctx, all)
		role := t.mirrorRole(ctx, "Analyst")
		other := newDirectory(ctx, t.namespace, "entra", all)
		Expect(other.get("/Groups/" + role).status).To(Equal(http.StatusNotFound))
		Expect(other.call(http.MethodPut, "/Groups/"+role, `{"displayName":"Analyst"}`).status).To(Equal(http.StatusNotFound))
		Expect(other.call(http.MethodPost, "/Groups", `{"displayName":"Analyst"}`).id()).NotTo(Equal(role))
		Expect(t.object(ctx, role).Spec.Origin).To(Equal(v1alpha1.OriginApp))
	})
})

var _ = Describe("A group's name", func() {
	DescribeTable("is changed, kept or defended, as rename says, by PUT and by PATCH",
		func(ctx SpecContext, rename v1alpha1.RenamePolicy, status int, name string) {
			t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Rename = rename })
			ada := t.addUser("ada")
			first, second := t.addGroup("Staff"), t.addGroup("Crew")
			patch := t.patch("/Groups/"+first, `{"op":"replace","value":{"id":"`+first+`","displayName":"Everybody"}}`,
				`{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`)
			put := t.call(http.MethodPut, "/Groups/"+second, `{"displayName":"Sailors","members":[{"value":"`+ada+`"}]}`)
			if status == http.StatusBadRequest {
				Expect(patch.scimType()).To(Equal("mutability"))
				Expect(put.scimType()).To(Equal("mutability"))
				Expect(put.text).To(ContainSubstring("groups.rename"))
				Expect(t.members(first)).To(BeEmpty(), "all or nothing")
				Expect(t.members(second)).To(BeEmpty(), "all or nothing")
			} else {
				Expect(patch.status).To(Equal(http.StatusNoContent), patch.String())
				Expect(put.status).To(Equal(http.StatusOK), put.String())
				Expect(put.body).To(HaveKeyWithValue("displayName", Equal(map[bool]string{true: "Crew", false: "Sailors"}[name == "Staff"])))
				Expect(t.members(first)).To(ConsistOf(ada))
				Expect(t.members(second)).To(ConsistOf(ada))
			}
			Expect(t.get("/Groups/" + first).body).To(HaveKeyWithValue("displayName", name))
		},
		Entry("Accept", v1alpha1.RenameAccept, http.StatusOK, "Everybody"),
		Entry("Ignore", v1alpha1.RenameIgnore, http.StatusOK, "Staff"),
		Entry("Reject", v1alpha1.RenameReject, http.StatusBadRequest, "Staff"),
	)

	It("is repeated by Okta with every change of members, which is no rename, in whatever case", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Groups.Rename = v1alpha1.RenameReject })
		ada := t.addUser("ada")
		staff := t.addGroup("Staff")
		for _, name := range []string{"Staff", "STAFF"} {
			Expect(t.patch("/Groups/"+staff, `{"op":"replace","value":{"id":"`+staff+`","displayName":"`+name+`"}}`,
				`{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`).status).To(Equal(http.StatusNoContent))
		}
		Expect(t.get("/Groups/" + staff).body).To(HaveKeyWithValue("displayName", "Staff"))
	})

	It("holds when a role is linked by pushing a group of its name: rename decides how it is spelt", func(ctx SpecContext) {
		t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{Rename: v1alpha1.RenameReject}))
		role := t.mirrorRole(ctx, "Analyst")
		a := t.call(http.MethodPost, "/Groups", `{"displayName":"analyst"}`)
		Expect(a.status).To(Equal(http.StatusCreated), a.String())
		Expect(a.body).To(SatisfyAll(HaveKeyWithValue("id", role), HaveKeyWithValue("displayName", "Analyst")))
	})

	It("that is reserved can be neither created, taken nor linked, in any case", func(ctx SpecContext) {
		t := newTenant(ctx, groupsAreRoles(v1alpha1.GroupsPolicy{
			Importable: v1alpha1.ImportableAll, Reserved: []string{"Everyone", "Admin Center Administrators"},
		}))
		staff := t.addGroup("Staff")
		role := t.mirrorRole(ctx, "Everyone")
		before := t.stored(ctx)
		for what, a := range map[string]*answer{
			"POST":        t.call(http.MethodPost, "/Groups", `{"displayName":"Admin Center Administrators"}`),
			"in any case": t.call(http.MethodPost, "/Groups", `{"displayName":"everyone"}`),
			"PUT":         t.call(http.MethodPut, "/Groups/"+staff, `{"displayName":"admin center administrators"}`),
			"PATCH":       t.patch("/Groups/"+staff, `{"op":"replace","path":"displayName","value":"EVERYONE"}`),
			"linking":     t.patch("/Groups/"+role, `{"op":"add","path":"members","value":[]}`),
		} {
			Expect(a.status).To(Equal(http.StatusConflict), what+": "+a.String())
			Expect(a.scimType()).To(Equal("uniqueness"), what)
			Expect(a.body["detail"]).To(ContainSubstring("reserved by the app"), what)
		}
		Expect(t.stored(ctx)).To(Equal(before))
	})

	It("that was given before it was reserved hinders no other change", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		everyone := t.addGroup("Everyone")
		directory := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: t.directory}}
		Expect(cluster.Get(ctx, client.ObjectKeyFromObject(directory), directory)).To(Succeed())
		directory.Spec.Groups.Reserved = []string{"everyone"}
		Expect(cluster.Update(ctx, directory)).To(Succeed())
		Eventually(func() int {
			return t.call(http.MethodPost, "/Groups", `{"displayName":"EVERYONE"}`).status
		}).WithTimeout(10 * time.Second).Should(Equal(http.StatusConflict))
		Eventually(func() any {
			return t.call(http.MethodPost, "/Groups", `{"displayName":"Everyone"}`).body["detail"]
		}).WithTimeout(10 * time.Second).Should(ContainSubstring("reserved"))
		Expect(t.patch("/Groups/"+everyone, `{"op":"replace","value":{"displayName":"Everyone"}}`,
			`{"op":"add","path":"members","value":[{"value":"`+ada+`"}]}`).status).To(Equal(http.StatusNoContent))
		Expect(t.patch("/Groups/"+everyone, `{"op":"replace","path":"displayName","value":"Staff"}`).status).To(Equal(http.StatusNoContent))
		Expect(t.members(everyone)).To(ConsistOf(ada))
	})
})

var _ = Describe("A group that an administrator has released", func() {
	DescribeTable("is the identity provider's again as soon as that writes to it", func(ctx SpecContext, method, body string) {
		t := newTenant(ctx)
		staff := t.addGroup("Staff")
		group := t.object(ctx, staff)
		metav1.SetMetaDataAnnotation(&group.ObjectMeta, v1alpha1.ReleaseAnnotation, "true")
		metav1.SetMetaDataAnnotation(&group.ObjectMeta, "example.com/note", "kept")
		Expect(cluster.Update(ctx, group)).To(Succeed())
		t.get("/Groups/" + staff)
		Expect(t.object(ctx, staff).Annotations).To(HaveKey(v1alpha1.ReleaseAnnotation), "a read is no write")
		Expect(t.call(method, "/Groups/"+staff, body).status).To(BeNumerically("<", 300))
		Expect(t.object(ctx, staff).Annotations).To(SatisfyAll(
			Not(HaveKey(v1alpha1.ReleaseAnnotation)), HaveKeyWithValue("example.com/note", "kept")))
	},
		Entry("with a PUT of the same", http.MethodPut, `{"displayName":"Staff"}`),
		Entry("with a rename", http.MethodPatch, `{"Operations":[{"op":"replace","path":"displayName","value":"Crew"}]}`),
		Entry("with a change of its members", http.MethodPatch, `{"Operations":[{"op":"remove","path":"members"}]}`),
	)
})
