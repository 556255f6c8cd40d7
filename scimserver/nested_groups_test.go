package scimserver_test

import (
	"net/http"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("A group in a group", func() {
	member := func(id string) string {
		return `{"op":"add","path":"members","value":[{"value":"` + id + `"}]}`
	}

	It("is a member of type Group, and its people show the outer group as indirect (RFC 7643 §4.1.2, §4.2)", func(ctx SpecContext) {
		t := newTenant(ctx)
		base := externalURL + "/scim/v2/" + t.namespace + "/okta"
		ada := t.addUser("ada")
		inner, middle, outer := t.addGroup("Inner", ada), t.addGroup("Middle"), t.addGroup("Outer", ada)
		Expect(t.patch("/Groups/"+middle, member(inner)).status).To(Equal(http.StatusNoContent))
		Expect(t.patch("/Groups/"+outer, member(middle)).status).To(Equal(http.StatusNoContent))
		Expect(t.get("/Groups/" + middle).body).To(HaveKeyWithValue("members", ConsistOf(SatisfyAll(
			HaveKeyWithValue("value", inner), HaveKeyWithValue("type", "Group"),
			HaveKeyWithValue("display", "Inner"), HaveKeyWithValue("$ref", base+"/Groups/"+inner)))))
		inGroup := func(id, kind string) OmegaMatcher {
			return SatisfyAll(HaveKeyWithValue("value", id), HaveKeyWithValue("type", kind), HaveKeyWithValue("$ref", base+"/Groups/"+id))
		}
		Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups",
			ConsistOf(inGroup(inner, "direct"), inGroup(middle, "indirect"), inGroup(outer, "direct"))))

		Expect(t.patch("/Groups/"+outer, `{"op":"remove","path":"members[value eq \"`+ada+`\"]"}`).status).To(Equal(http.StatusNoContent))
		Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups",
			ConsistOf(inGroup(inner, "direct"), inGroup(middle, "indirect"), inGroup(outer, "indirect"))))

		Expect(t.patch("/Groups/"+middle, `{"op":"remove","path":"members","value":[{"$ref":null,"value":"`+inner+`"}]}`).status).
			To(Equal(http.StatusNoContent), "Microsoft Entra ID removes by value")
		Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups", ConsistOf(inGroup(inner, "direct"))))
	})

	It("is found by members.value from its direct members only", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		inner := t.addGroup("Inner", ada)
		outer := t.addGroup("Outer", inner)
		found := func(id string) any {
			return t.get(`/Groups?attributes=id&filter=members.value+eq+"` + id + `"`).body["Resources"]
		}
		Expect(found(ada)).To(ConsistOf(HaveKeyWithValue("id", inner)))
		Expect(found(inner)).To(ConsistOf(HaveKeyWithValue("id", outer)))
	})

	It("may be in itself and in a cycle, which does no harm", func(ctx SpecContext) {
		t := newTenant(ctx)
		ada := t.addUser("ada")
		a, b, c := t.addGroup("A", ada), t.addGroup("B"), t.addGroup("C")
		for _, edge := range [][2]string{{b, a}, {c, b}, {a, c}, {a, a}} {
			Expect(t.patch("/Groups/"+edge[0], member(edge[1])).status).To(Equal(http.StatusNoContent))
		}
		Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups", ConsistOf(
			SatisfyAll(HaveKeyWithValue("value", a), HaveKeyWithValue("type", "direct")),
			SatisfyAll(HaveKeyWithValue("value", b), HaveKeyWithValue("type", "indirect")),
			SatisfyAll(HaveKeyWithValue("value", c), HaveKeyWithValue("type", "indirect")))))
		Expect(t.call(http.MethodDelete, "/Groups/"+b, nil).status).To(Equal(http.StatusNoContent))
		Expect(t.get("/Users/" + ada).body).To(HaveKeyWithValue("groups", HaveLen(1)))
		Expect(t.get("/Groups/" + c).body).NotTo(HaveKey("members"))
	})
})
