package controllers

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

var _ = Describe("The API server", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	// refused expects that a write failed, and why.
	refused := func(err error, message string) {
		GinkgoHelper()
		Expect(err).To(MatchError(ContainSubstring(message)))
	}

	It("keeps a user, a group and a slice in their directory", func() {
		refusedChange(w, w.user("okta", "ada@example.com"), func(u *v1alpha1.ScimUser) { u.Spec.DirectoryRef.Name = "entra" },
			"directoryRef cannot be changed: a user stays in the directory")
		group := w.group("okta", "Staff")
		refusedChange(w, group, func(g *v1alpha1.ScimGroup) { g.Spec.DirectoryRef.Name = "entra" },
			"directoryRef cannot be changed: a group stays in the directory")
		refusedChange(w, v1alpha1.SliceName(group, "aaaaaaaa", 0), func(s *v1alpha1.ScimMemberSlice) { s.Spec.Shard = 1 },
			"directoryRef, group, epoch and shard of a slice cannot be changed")
	})

	It("changes no sealed slice", func() {
		slice := v1alpha1.SliceName(w.group("okta", "Staff"), "aaaaaaaa", 0)
		change(w, slice, func(s *v1alpha1.ScimMemberSlice) { s.Spec.Sealed = true })
		refusedChange(w, slice, func(s *v1alpha1.ScimMemberSlice) { s.Spec.Members = []string{"new"} },
			"a sealed slice takes no more changes")
	})

	It("wants a group named in exactly one way", func() {
		for _, s := range []v1alpha1.GroupSelector{{Directory: "okta"}, {DisplayName: "a", Name: "b"}} {
			role := &v1alpha1.AppRole{ObjectMeta: metav1.ObjectMeta{Name: "admin", Namespace: w.ns}}
			role.Spec.GrantedTo = []v1alpha1.GroupSelector{s}
			refused(k8s.Create(w.ctx, role), "name the group by exactly one of displayName, externalId and name")
		}
	})

	Describe("of a directory's extensions", func() {
		const acme = "urn:ietf:params:scim:schemas:extension:acme:2.0:User"
		text := func(name string) v1alpha1.ExtensionAttribute {
			return v1alpha1.ExtensionAttribute{Name: name, Type: "string"}
		}
		sub := func(name string) v1alpha1.ExtensionSubAttribute {
			return v1alpha1.ExtensionSubAttribute{Name: name, Type: "string"}
		}
		complexOf := func(name string, subs ...v1alpha1.ExtensionSubAttribute) v1alpha1.ExtensionAttribute {
			return v1alpha1.ExtensionAttribute{Name: name, Type: "complex", SubAttributes: subs}
		}
		directoryWith := func(urn string, attributes ...v1alpha1.ExtensionAttribute) *v1alpha1.ScimDirectory {
			d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{GenerateName: "okta-", Namespace: w.ns}}
			d.Spec.Extensions = []v1alpha1.ExtensionSchema{{URN: urn, Name: "Acme", ResourceType: v1alpha1.ExtendsUser, Attributes: attributes}}
			return d
		}

		It("wants URNs that nobody else has", func() {
			for _, urn := range []string{
				"urn:ietf:params:scim:schemas:core:2.0:User", "URN:IETF:params:scim:schemas:extension:enterprise:2.0:User",
				"urn:ietf:params:scim:api:messages:2.0:PatchOp", "urn:ietf:params:scim:schemas:extension:enterprise:2.0",
			} {
				refused(k8s.Create(w.ctx, directoryWith(urn, text("a"))), "urn names a schema that RFC 7643 or RFC 7644 defines")
			}
			for _, urn := range []string{"acme", "urn:acme", "urn:acme:", "urn:acme:a b", `urn:acme:a"b`, "urn:acme:a[b]", "urn:acme:" + strings.Repeat("a", 256)} {
				refused(k8s.Create(w.ctx, directoryWith(urn, text("a"))), "spec.extensions[0].urn")
			}
			for _, urn := range []string{strings.ToUpper(acme), acme + ":more"} {
				d := directoryWith(acme, text("a"))
				d.Spec.Extensions = append(d.Spec.Extensions, directoryWith(urn, text("a")).Spec.Extensions...)
				refused(k8s.Create(w.ctx, d), "two extensions have the same urn, or one urn is the beginning of another")
			}
		})

		It("wants attributes that SCIM can tell apart and name", func() {
			refused(k8s.Create(w.ctx, directoryWith(acme)), "spec.extensions[0].attributes")
			refused(k8s.Create(w.ctx, directoryWith(acme, text("a"), text("a"))), "Duplicate value")
			refused(k8s.Create(w.ctx, directoryWith(acme, text("level"), text("Level"))), "two attributes have the same name in different case")
			refused(k8s.Create(w.ctx, directoryWith(acme, complexOf("a", sub("b"), sub("B")))), "two subAttributes have the same name in different case")
			for _, name := range []string{"", "1a", "a.b", "a:b", "a b", "$id", strings.Repeat("a", 65)} {
				refused(k8s.Create(w.ctx, directoryWith(acme, text(name))), "spec.extensions[0].attributes[0].name")
			}
		})

		It("wants sub-attributes exactly where the type is complex, and of one level", func() {
			const belong = "subAttributes belong to type complex"
			refused(k8s.Create(w.ctx, directoryWith(acme, complexOf("desk"))), belong)
			plain := complexOf("desk", sub("floor"))
			plain.Type = "string"
			refused(k8s.Create(w.ctx, directoryWith(acme, plain)), belong)
			nested := sub("floor")
			nested.Type = "complex"
			refused(k8s.Create(w.ctx, directoryWith(acme, complexOf("desk", nested))), `Unsupported value: "complex"`)
			list := sub("floor")
			list.MultiValued = true
			Expect(k8s.Create(w.ctx, directoryWith(acme, complexOf("desk", list)))).To(Succeed())
			lists := complexOf("desks", list)
			lists.MultiValued = true
			refused(k8s.Create(w.ctx, directoryWith(acme, lists)), "a sub-attribute of a multi-valued attribute has a single value")
		})

		It("wants what is writeOnly never returned (RFC 7643 §7)", func() {
			pin, part := text("pin"), sub("pin")
			pin.Mutability, part.Mutability = "writeOnly", "writeOnly"
			refused(k8s.Create(w.ctx, directoryWith(acme, pin)), "an attribute with mutability writeOnly needs returned: never")
			refused(k8s.Create(w.ctx, directoryWith(acme, complexOf("a", part))), "an attribute with mutability writeOnly needs returned: never")
			pin.Returned = "never"
			Expect(k8s.Create(w.ctx, directoryWith(acme, pin))).To(Succeed())
		})

		It("wants what is required known to clients, so that a PUT of what was read is accepted", func() {
			const message = "a required attribute must be one that a client can send and that a GET shows"
			for _, c := range []v1alpha1.AttributeCharacteristics{{Mutability: "readOnly"}, {Returned: "never"}, {Returned: "request"}} {
				c.Required = true
				whole, part := text("level"), sub("level")
				whole.AttributeCharacteristics, part.AttributeCharacteristics = c, c
				refused(k8s.Create(w.ctx, directoryWith(acme, whole)), message)
				refused(k8s.Create(w.ctx, directoryWith(acme, complexOf("a", part))), message)
			}
		})

		It("bounds their number", func() {
			d := directoryWith(acme, text("a"))
			for i := range 8 {
				d.Spec.Extensions = append(d.Spec.Extensions, directoryWith(fmt.Sprintf("urn:acme:%d", i), text("a")).Spec.Extensions...)
			}
			refused(k8s.Create(w.ctx, d), "must have at most 8 items")
			var many []v1alpha1.ExtensionAttribute
			var parts []v1alpha1.ExtensionSubAttribute
			for i := range 64 {
				many = append(many, text(fmt.Sprint("a", i)))
				parts = append(parts, sub(fmt.Sprint("a", i)))
			}
			Expect(k8s.Create(w.ctx, directoryWith(acme, many...))).To(Succeed())
			refused(k8s.Create(w.ctx, directoryWith(acme, append(many, text("more"))...)), "must have at most 64 items")
			refused(k8s.Create(w.ctx, directoryWith(acme, complexOf("a", parts...))), "must have at most 32 items")
		})
	})

	It("bounds a directory's name and wants a sensible expirationTime", func() {
		d := &v1alpha1.ScimDirectory{ObjectMeta: metav1.ObjectMeta{Name: strings.Repeat("a", 64), Namespace: w.ns}}
		refused(k8s.Create(w.ctx, d), "the name of a ScimDirectory has at most 63 characters")
		d.Name = "okta"
		d.Spec.Tokens = []v1alpha1.DirectoryToken{{
			Name: "idp", SecretRef: v1alpha1.SecretReference{Name: "s"}, Scopes: []v1alpha1.TokenScope{},
			ExpirationTime: &metav1.Time{Time: noon.AddDate(-20, 0, 0)},
		}}
		refused(k8s.Create(w.ctx, d), "expirationTime must be a date such as 2030-03-31T00:00:00Z")
	})
})

// refusedChange expects that the API server refuses a change, whoever else writes the object at that time.
func refusedChange[T any, P interface {
	*T
	client.Object
}](w *world, name string, f func(P), message string) {
	GinkgoHelper()
	Eventually(func() error {
		o := get[T, P](w, name)
		f(o)
		return k8s.Update(w.ctx, o)
	}).Should(MatchError(ContainSubstring(message)))
}
