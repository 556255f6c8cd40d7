package scimserver_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/scimserver"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// record is one record of the audit log.
type record map[string]any

// is matches a record by its fields but those that every record of the tenant has alike; what is not given is absent.
func is(operation, resource string, result int, more ...any) OmegaMatcher {
	want := record{"operation": operation, "resource": resource, "result": float64(result)}
	for i := 0; i < len(more); i += 2 {
		want[more[i].(string)] = more[i+1]
	}
	return WithTransform(func(r record) record {
		rest := record{}
		for key, value := range r {
			switch key {
			case "time", "level", "msg", "request", "namespace", "directory", "token", "source":
			default:
				rest[key] = value
			}
		}
		return rest
	}, Equal(want))
}

func list(values ...string) []any {
	all := []any{}
	for _, v := range values {
		all = append(all, v)
	}
	return all
}

// auditLog is one that a spec reads.
type auditLog struct {
	*gbytes.Buffer
	read int
}

// audited gives a tenant a server of its own with an audit log.
func (t *tenant) audited(o scimserver.Options) *auditLog {
	GinkgoHelper()
	log := &auditLog{Buffer: gbytes.NewBuffer()}
	o.Audit = slog.New(slog.NewJSONHandler(log, nil))
	t.url = serve(storage, o).URL
	return log
}

// next are the records that have come since the last call. A record is there before its request is answered.
func (l *auditLog) next() []record {
	GinkgoHelper()
	lines := strings.SplitAfter(string(l.Contents()[l.read:]), "\n")
	l.read = len(l.Contents())
	records := []record{}
	for _, line := range lines[:len(lines)-1] {
		var r record
		Expect(json.Unmarshal([]byte(line), &r)).To(Succeed())
		records = append(records, r)
	}
	return records
}

func (l *auditLog) only() record {
	GinkgoHelper()
	records := l.next()
	Expect(records).To(HaveLen(1))
	return records[0]
}

var _ = Describe("The audit log", func() {
	It("says who changed what of a user, when, and never to what", func(ctx SpecContext) {
		t := newTenant(ctx)
		log := t.audited(scimserver.Options{})
		before := time.Now()
		id := t.call(http.MethodPost, "/Users", `{"userName":"secret@example.com","name":{"familyName":"Secret"},"password":"secret",
			"emails":[{"value":"secret@example.com"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Secret"}}`,
			"X-Request-Id", "r-1").id()
		created := log.only()
		Expect(created).To(is("UserCreated", "ScimUser/"+id, 201,
			"attributes", list("active", "emails", "name.familyName", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "userName")))
		Expect(created).To(And(
			HaveKeyWithValue("msg", "scim"), HaveKeyWithValue("request", "r-1"), HaveKeyWithValue("namespace", t.namespace),
			HaveKeyWithValue("directory", "okta"), HaveKeyWithValue("token", "okta"), HaveKeyWithValue("source", "127.0.0.1")))
		at, err := time.Parse(time.RFC3339, created["time"].(string))
		Expect(err).NotTo(HaveOccurred())
		Expect(at).To(BeTemporally("~", before, time.Minute))

		t.patch("/Users/"+id, `{"op":"replace","path":"name.givenName","value":"secret"}`, `{"op":"replace","path":"title","value":"secret"}`)
		Expect(log.only()).To(is("UserUpdated", "ScimUser/"+id, 200, "attributes", list("name.givenName", "title")))
		t.patch("/Users/"+id, `{"op":"replace","value":{"active":false}}`)
		Expect(log.only()).To(is("UserDeactivated", "ScimUser/"+id, 200, "attributes", list("active")))
		Expect(t.call(http.MethodPost, "/Users", `{"userName":"Secret@example.com"}`).id()).To(Equal(id))
		Expect(log.only()).To(And(HaveKeyWithValue("operation", "UserReactivated"), HaveKeyWithValue("attributes", ContainElements("active", "userName", "emails"))))
		t.call(http.MethodPut, "/Users/"+id, `{"userName":"Secret@example.com","nickName":"secret"}`)
		Expect(log.only()).To(is("UserUpdated", "ScimUser/"+id, 200, "attributes", list("nickName")))
		t.call(http.MethodDelete, "/Users/"+id, nil)
		Expect(log.only()).To(is("UserDeleted", "ScimUser/"+id, 204))
		Expect(strings.ToLower(string(log.Contents()))).NotTo(ContainSubstring("secret"))
		Expect(string(log.Contents())).NotTo(ContainSubstring(t.token))
	})

	It("says who was deleted by a deactivation, and came back", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Users.Deactivation = v1alpha1.DeactivationDelete })
		user := t.addUser("ada")
		group := t.addGroup("Engineers", user)
		log := t.audited(scimserver.Options{})
		Expect(t.call(http.MethodPatch, "/Users/"+user, `{"Operations":[{"op":"replace","value":{"active":false}}]}`, "X-Request-Id", "r-1").status).To(Equal(http.StatusOK))
		Expect(log.only()).To(is("UserDeleted", "ScimUser/"+user, 200))
		var tombstone v1alpha1.ScimTombstone
		Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: user}, &tombstone)).To(Succeed())
		Expect(tombstone.Annotations).To(HaveKeyWithValue(v1alpha1.RequestAnnotation, "r-1"))
		Expect(t.addUser("ada")).To(Equal(user))
		Expect(log.only()).To(is("UserReactivated", "ScimUser/"+user, 201, "attributes", list("active", "userName")))
		Expect(t.members(group)).To(BeEmpty())
	})

	It("says whom the identity provider took over", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) { d.Spec.Users.Importable = v1alpha1.ImportableAll })
		mirror := &v1alpha1.ScimUser{
			ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: uuid.NewString()},
			Spec: v1alpha1.ScimUserSpec{
				DirectoryRef: v1alpha1.DirectoryReference{Name: "okta"}, Origin: v1alpha1.OriginApp,
				MemberRef:      &v1alpha1.MemberReference{Name: "ada"},
				UserAttributes: v1alpha1.UserAttributes{UserName: "ada", Active: true},
			},
		}
		Expect(cluster.Create(ctx, mirror)).To(Succeed())
		Eventually(func() any { return t.get("/Users").body["totalResults"] }).WithTimeout(10 * time.Second).Should(BeEquivalentTo("1"))
		log := t.audited(scimserver.Options{})
		Expect(t.addUser("ada")).To(Equal(mirror.Name))
		Expect(log.only()).To(is("UserLinked", "ScimUser/"+mirror.Name, 201))
	})

	It("says which role the identity provider linked", func(ctx SpecContext) {
		t := newTenant(ctx, func(d *v1alpha1.ScimDirectory) {
			d.Spec.Groups.Meaning, d.Spec.Groups.Importable = v1alpha1.GroupsAreRoles, v1alpha1.ImportableAll
		})
		ada := t.addUser("ada")
		mirror := &v1alpha1.ScimGroup{
			ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: uuid.NewString()},
			Spec: v1alpha1.ScimGroupSpec{
				DirectoryRef: v1alpha1.DirectoryReference{Name: "okta"}, Origin: v1alpha1.OriginApp,
				RoleRef: &v1alpha1.RoleReference{Name: "admin"}, DisplayName: "Admin",
			},
		}
		Expect(cluster.Create(ctx, mirror)).To(Succeed())
		Eventually(func() any { return t.get("/Groups").body["totalResults"] }).WithTimeout(10 * time.Second).Should(BeEquivalentTo("1"))
		log := t.audited(scimserver.Options{})
		Expect(t.addGroup("Admin", ada)).To(Equal(mirror.Name))
		Expect(log.only()).To(is("GroupLinked", "ScimGroup/"+mirror.Name, 201, "attributes", list("members"),
			"membersAdded", list(ada), "membersAddedCount", 1.0))
	})

	It("says who removed whom from what", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada, bob, eve := t.addUser("ada"), t.addUser("bob"), t.addUser("eve")
		log := t.audited(scimserver.Options{})
		id := t.addGroup("Engineers", ada)
		Expect(log.only()).To(is("GroupCreated", "ScimGroup/"+id, 201, "attributes", list("displayName", "members"),
			"membersAdded", list(ada), "membersAddedCount", 1.0))
		t.patch("/Groups/"+id, `{"op":"add","path":"members","value":[{"value":"`+ada+`"},{"value":"`+bob+`"}]}`)
		Expect(log.only()).To(is("MemberAdded", "ScimGroup/"+id, 204, "attributes", list("members"), "membersAdded", list(bob), "membersAddedCount", 1.0))
		t.patch("/Groups/"+id, `{"op":"remove","path":"members[value eq \"`+ada+`\"]"}`, `{"op":"remove","path":"members[value eq \"`+eve+`\"]"}`)
		Expect(log.only()).To(is("MemberRemoved", "ScimGroup/"+id, 204, "attributes", list("members"), "membersRemoved", list(ada), "membersRemovedCount", 1.0))
		t.patch("/Groups/"+id, `{"op":"replace","path":"members","value":[{"value":"`+eve+`"}]}`, `{"op":"replace","path":"displayName","value":"Staff"}`)
		Expect(log.only()).To(is("GroupUpdated", "ScimGroup/"+id, 204, "attributes", list("displayName", "members"),
			"membersAdded", list(eve), "membersAddedCount", 1.0, "membersRemoved", list(bob), "membersRemovedCount", 1.0))
		t.patch("/Groups/"+id, `{"op":"replace","path":"displayName","value":"STAFF"}`)
		Expect(log.only()).To(is("GroupUpdated", "ScimGroup/"+id, 204, "attributes", list("displayName")))
		t.call(http.MethodDelete, "/Groups/"+id, nil)
		Expect(log.only()).To(is("GroupDeleted", "ScimGroup/"+id, 204, "membersRemoved", list(eve), "membersRemovedCount", 1.0))
	})

	It("names a hundred members, and counts all that a push really moves", func(ctx SpecContext) {
		t := newTenant(ctx)
		ids := make([]string, 600)
		var adding sync.WaitGroup
		for worker := range 20 {
			adding.Go(func() {
				defer GinkgoRecover()
				for i := worker; i < len(ids); i += 20 {
					ids[i] = t.addUser(fmt.Sprintf("user-%d", i))
				}
			})
		}
		adding.Wait()
		log := t.audited(scimserver.Options{})
		id := t.addGroup("Everybody", ids[:500]...)
		Expect(log.only()).To(And(HaveKeyWithValue("membersAdded", HaveLen(100)), HaveKeyWithValue("membersAddedCount", 500.0)))
		members := []string{}
		for _, member := range ids[200:] {
			members = append(members, `{"value":"`+member+`"}`)
		}
		t.patch("/Groups/"+id, `{"op":"replace","path":"members","value":[`+strings.Join(members, ",")+`]}`)
		Expect(log.only()).To(And(
			HaveKeyWithValue("membersAddedCount", 100.0), HaveKeyWithValue("membersAdded", ConsistOf(list(ids[500:]...)...)),
			HaveKeyWithValue("membersRemovedCount", 200.0), HaveKeyWithValue("membersRemoved", HaveLen(100))))
	})

	It("holds what was refused and what changed nothing, and no reads", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.addUser("ada")
		group := t.addGroup("Engineers", id)
		log := t.audited(scimserver.Options{})
		t.get("/Users")
		t.get("/Users/" + id)
		t.call(http.MethodPost, "/Users/.search", `{}`)
		t.call(http.MethodPost, "/Nothing", `{}`)
		t.call(http.MethodDelete, "/Users/"+id, nil, "Authorization", "Bearer unknown")
		Expect(log.next()).To(BeEmpty())

		t.call(http.MethodPost, "/Users", `{"userName":"ADA"}`)
		Expect(log.only()).To(is("UserCreated", "ScimUser", 409, "scimType", "uniqueness"))
		t.patch("/Users/secret@example.com", `{"op":"replace","path":"title","value":"x"}`)
		Expect(log.only()).To(is("UserUpdated", "ScimUser", 404))
		t.call(http.MethodDelete, "/Groups/"+group, nil, "If-Match", `W/"0"`)
		Expect(log.only()).To(is("GroupDeleted", "ScimGroup/"+group, 412))
		t.patch("/Users/"+id, `{"op":"replace","path":"userName","value":"ada"}`)
		Expect(log.only()).To(is("UserUpdated", "ScimUser/"+id, 200))
		t.patch("/Groups/"+group, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)
		Expect(log.only()).To(is("GroupUpdated", "ScimGroup/"+group, 204))
		t.patch("/Groups/"+group, `{"op":"add","path":"members","value":[{"value":"secret"}]}`)
		Expect(log.only()).To(is("GroupUpdated", "ScimGroup/"+group, 400, "scimType", "invalidValue"))
		Expect(string(log.Contents())).NotTo(ContainSubstring("secret"))
	})

	It("has a record for each operation of a bulk request, or one of the whole if that was refused", func(ctx SpecContext) {
		t := newTenant(ctx)
		log := t.audited(scimserver.Options{})
		a := t.call(http.MethodPost, "/Bulk", `{"Operations":[
			{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"ada"}},
			{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"Engineers","members":[{"value":"bulkId:u"}]}},
			{"method":"POST","path":"/Users","bulkId":"v","data":{"userName":"ada"}}]}`, "X-Request-Id", "r-1")
		Expect(a.statuses()).To(Equal("201 201 409"), a.String())
		records := log.next()
		Expect(records).To(HaveExactElements(
			is("UserCreated", "ScimUser/"+a.made(0), 201, "attributes", list("active", "userName")),
			is("GroupCreated", "ScimGroup/"+a.made(1), 201, "attributes", list("displayName", "members"), "membersAdded", list(a.made(0)), "membersAddedCount", 1.0),
			is("UserCreated", "ScimUser", 409, "scimType", "uniqueness")))
		Expect(records).To(HaveEach(And(HaveKeyWithValue("request", "r-1"), HaveKeyWithValue("source", "127.0.0.1"))))
		t.call(http.MethodPost, "/Bulk", `{"Operations":{}}`)
		Expect(log.only()).To(And(HaveKeyWithValue("result", 400.0), Not(HaveKey("operation")), Not(HaveKey("resource"))))
	})

	It("gives the client's address as a trusted proxy tells it", func(ctx SpecContext) {
		t := newTenant(ctx)
		post := func(forwarded string) {
			t.call(http.MethodPost, "/Users", `{"userName":{}}`, "X-Forwarded-For", forwarded)
		}
		log := t.audited(scimserver.Options{})
		post("203.0.113.7")
		Expect(log.only()).To(HaveKeyWithValue("source", "127.0.0.1"))
		log = t.audited(scimserver.Options{TrustForwardedHeaders: true})
		for forwarded, source := range map[string]string{
			"203.0.113.7":                "203.0.113.7",
			"10.0.0.1, ::ffff:192.0.2.1": "192.0.2.1",
			"2001:db8::1":                "2001:db8::1",
			"203.0.113.7, nonsense":      "127.0.0.1",
		} {
			post(forwarded)
			Expect(log.only()).To(HaveKeyWithValue("source", source), forwarded)
		}
	})

	It("loses no change and doubles none when many writers meet", func(ctx SpecContext) {
		t := newTenant(ctx)
		ids := make([]string, 12)
		for i := range ids {
			ids[i] = t.addUser(fmt.Sprintf("user-%d", i))
		}
		group := t.addGroup("Engineers")
		log := t.audited(scimserver.Options{})
		replica, err := store.New(config, store.Options{MaxStaleness: time.Minute, Log: logr.Discard()})
		Expect(err).NotTo(HaveOccurred())
		start(replica)
		other := *t
		other.url = serve(replica, scimserver.Options{Audit: slog.New(slog.NewJSONHandler(log, nil))}).URL
		var adding sync.WaitGroup
		for _, id := range ids {
			for _, each := range []*tenant{t, &other} {
				adding.Go(func() {
					defer GinkgoRecover()
					Expect(each.patch("/Groups/"+group, `{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`).status).To(Equal(http.StatusNoContent))
				})
			}
		}
		adding.Wait()
		added := []any{}
		records := log.next()
		for _, r := range records {
			if ids, ok := r["membersAdded"].([]any); ok {
				added = append(added, ids...)
			}
		}
		Expect(records).To(HaveLen(2 * len(ids)))
		Expect(added).To(ConsistOf(list(ids...)...), "each was added once, by one of the two")
	})

	It("is told of in what was written, by the id of the request", func(ctx SpecContext) {
		t := newTenant(ctx)
		id := t.call(http.MethodPost, "/Users", `{"userName":"ada"}`, "X-Request-Id", "r-1").id()
		requestOf := func(obj client.Object, name string) string {
			GinkgoHelper()
			Expect(cluster.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: name}, obj)).To(Succeed())
			return obj.GetAnnotations()[v1alpha1.RequestAnnotation]
		}
		Expect(requestOf(&v1alpha1.ScimUser{}, id)).To(Equal("r-1"))
		group := t.call(http.MethodPost, "/Groups", `{"displayName":"Engineers"}`, "X-Request-Id", "r-2").id()
		Expect(requestOf(&v1alpha1.ScimGroup{}, group)).To(Equal("r-2"))
		t.call(http.MethodPatch, "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`, "X-Request-Id", "r-3")
		var slices v1alpha1.ScimMemberSliceList
		Expect(cluster.List(ctx, &slices, client.InNamespace(t.namespace))).To(Succeed())
		Expect(slices.Items).To(ConsistOf(HaveField("ObjectMeta", WithTransform(func(m metav1.ObjectMeta) string {
			return m.Annotations[v1alpha1.RequestAnnotation]
		}, Equal("r-3")))))

		By("writing nothing for what is no change")
		stored := t.stored(ctx)
		t.call(http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","path":"userName","value":"ada"}]}`, "X-Request-Id", "r-4")
		t.call(http.MethodPatch, "/Groups/"+group, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`, "X-Request-Id", "r-5")
		Expect(t.stored(ctx)).To(Equal(stored))
	})
})
