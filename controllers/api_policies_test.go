package controllers

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
)

// apply creates an object of a kind whose spec is as in a manifest.
func (w *world) apply(kind, spec string) error {
	GinkgoHelper()
	o := &unstructured.Unstructured{}
	manifest := "apiVersion: " + v1alpha1.GroupVersion.String() + "\nkind: " + kind +
		"\nmetadata: {generateName: made-, namespace: " + w.ns + "}\nspec: " + spec
	Expect(yaml.Unmarshal([]byte(manifest), &o.Object)).To(Succeed(), manifest)
	return k8s.Create(w.ctx, o)
}

var _ = Describe("The API server, of a manifest that cannot be meant so,", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	const (
		listsAndRefusesPeople = "importable: All lists the app's own people for the identity provider to take over, and existing: Reject refuses that"
		listsAndRefusesRoles  = "importable: All lists the app's roles for the identity provider to link, and existing: Reject refuses that"
		aboutRoles            = "importable: All and existing: Reject are about the app's roles, which are groups only with meaning: Role"
		renamesByLinking      = "linking a group in Okta gives it the name it has there, which rename: Reject refuses"
		atLeastAMinute        = "the window must be at least one minute, such as 1h"
		matching              = "should match"
		supported             = "Unsupported value"
		domain                = "spec.users.allowedDomains[0]"
	)

	DescribeTable("refuses it, and says what to change", func(kind, spec, message string) {
		Expect(w.apply(kind, spec)).To(MatchError(ContainSubstring(message)))
	},
		Entry(nil, "ScimDirectory", `{users: {importable: All, existing: Reject}}`, listsAndRefusesPeople),
		Entry(nil, "ScimDirectory", `{groups: {importable: All}}`, aboutRoles),
		Entry(nil, "ScimDirectory", `{groups: {existing: Reject}}`, aboutRoles),
		Entry(nil, "ScimDirectory", `{groups: {meaning: Group, existing: Reject}}`, aboutRoles),
		Entry(nil, "ScimDirectory", `{groups: {meaning: Role, importable: All, existing: Reject}}`, listsAndRefusesRoles),
		Entry(nil, "ScimDirectory", `{groups: {meaning: Role, importable: All, rename: Reject}}`, renamesByLinking),

		Entry(nil, "ScimDirectory", `{users: {identifier: externalId}}`, supported),
		Entry(nil, "ScimDirectory", `{users: {deactivation: delete}}`, supported),
		Entry(nil, "ScimDirectory", `{users: {existing: Merge}}`, supported),
		Entry(nil, "ScimDirectory", `{users: {importable: Some}}`, supported),
		Entry(nil, "ScimDirectory", `{users: {justInTime: Deny}}`, supported),
		Entry(nil, "ScimDirectory", `{groups: {meaning: Team}}`, supported),
		Entry(nil, "ScimDirectory", `{groups: {rename: Allow}}`, supported),
		Entry(nil, "ScimDirectory", `{localEdits: Warn}`, supported),
		Entry(nil, "ScimDirectory", `{deletionPolicy: Orphan}`, supported),
		Entry(nil, "ScimDirectory", `{tokens: [{name: a, secretRef: {name: s}, plaintext: Erase}]}`, supported),
		Entry(nil, "ScimDirectory", `{tokens: [{name: a, secretRef: {name: s}, scopes: [Admin]}]}`, supported),

		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: 30d}}`, matching),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: 1.5h}}`, matching),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: -1h}}`, matching),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: 10m1h}}`, matching),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: 100000h}}`, matching),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: "0"}}`, "at least 2 chars long"),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: ""}}`, "at least 2 chars long"),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: 720}}`, `must be of type string: "integer"`),
		Entry(nil, "ScimDirectory", `{safeguard: {window: 1w}}`, matching),
		Entry(nil, "ScimDirectory", `{safeguard: {window: 100ms}}`, matching),
		Entry(nil, "ScimDirectory", `{safeguard: {window: 59s}}`, atLeastAMinute),
		Entry(nil, "ScimDirectory", `{safeguard: {window: 0h}}`, atLeastAMinute),
		Entry(nil, "ScimDirectory", `{safeguard: {minimum: 0}}`, "greater than or equal to 1"),
		Entry(nil, "ScimDirectory", `{safeguard: {percent: 101}}`, "less than or equal to 100"),
		Entry(nil, "ScimDirectory", `{safeguard: {percent: -1}}`, "greater than or equal to 0"),

		Entry(nil, "ScimDirectory", `{users: {allowedDomains: [Example.com]}}`, domain),
		Entry(nil, "ScimDirectory", `{users: {allowedDomains: ["*.example.com"]}}`, domain),
		Entry(nil, "ScimDirectory", `{users: {allowedDomains: ["@example.com"]}}`, domain),
		Entry(nil, "ScimDirectory", `{users: {allowedDomains: [example.com.]}}`, domain),
		Entry(nil, "ScimDirectory", `{users: {allowedDomains: [a.example, a.example]}}`, "Duplicate value"),
		Entry(nil, "ScimDirectory", `{groups: {reserved: [""]}}`, "spec.groups.reserved[0]"),
		Entry(nil, "ScimDirectory", `{groups: {reserved: [Everyone, Everyone]}}`, "Duplicate value"),
		Entry(nil, "ScimDirectory", `{tokens: [{name: A, secretRef: {name: s}}]}`, "spec.tokens[0].name"),
		Entry(nil, "ScimDirectory", `{tokens: [{name: a, secretRef: {name: s}}, {name: a, secretRef: {name: t}}]}`, "Duplicate value"),
		Entry(nil, "ScimDirectory", `{tokens: [{name: a, secretRef: {name: s}, expirationTime: "2019-12-31T23:59:59Z"}]}`,
			"leave it out for a token that does not expire"),

		Entry(nil, "ScimGroup", `{directoryRef: {name: okta}, displayName: Admin, origin: App}`, "a group of origin App needs roleRef"),
		Entry(nil, "ScimGroup", `{directoryRef: {name: okta}, displayName: Admin, origin: Okta}`, supported),
		Entry(nil, "ScimUser", `{directoryRef: {name: okta}, userName: ada, origin: Okta}`, supported),
	)

	DescribeTable("accepts what only looks like it", func(kind, spec string) {
		Expect(w.apply(kind, spec)).To(Succeed())
	},
		Entry(nil, "ScimDirectory", `{users: {importable: All}}`),
		Entry(nil, "ScimDirectory", `{users: {importable: All, existing: Adopt}}`),
		Entry(nil, "ScimDirectory", `{users: {importable: None, existing: Reject}}`),
		Entry(nil, "ScimDirectory", `{groups: {importable: None}}`),
		Entry(nil, "ScimDirectory", `{groups: {rename: Reject}}`),
		Entry(nil, "ScimDirectory", `{groups: {meaning: Role, existing: Reject}}`),
		Entry(nil, "ScimDirectory", `{groups: {meaning: Role, rename: Reject}}`),
		Entry(nil, "ScimDirectory", `{groups: {meaning: Role, importable: All, rename: Ignore}}`),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: 0s}, safeguard: {}}`),
		Entry(nil, "ScimDirectory", `{users: {tombstoneTTL: 1h30m15s}, safeguard: {window: 60s, minimum: 1, percent: 100}}`),
		Entry(nil, "ScimDirectory", `{users: {allowedDomains: [example, a-1.example.com]}}`),
		Entry(nil, "ScimGroup", `{directoryRef: {name: okta}, displayName: Admin, origin: App, roleRef: {name: admin}}`),
	)

	It("keeps a group linked to its role", func() {
		const message = "roleRef cannot be changed: a group that is linked to a role stays so"
		linked := "linked"
		group := &v1alpha1.ScimGroup{ObjectMeta: metav1.ObjectMeta{Name: linked}}
		group.Spec = v1alpha1.ScimGroupSpec{
			DirectoryRef: v1alpha1.DirectoryReference{Name: "okta"}, DisplayName: "Admin", RoleRef: &v1alpha1.RoleReference{Name: "admin"},
		}
		w.create(group)
		refusedChange(w, linked, func(g *v1alpha1.ScimGroup) { g.Spec.RoleRef.Name = "owner" }, message)
		refusedChange(w, linked, func(g *v1alpha1.ScimGroup) { g.Spec.RoleRef = nil }, message)
	})

	It("says of a mistake in a whole manifest where it is", func() {
		err := w.apply("ScimDirectory", `{primary: true, users: {importable: All, existing: Reject}, groups: {importable: All}, safeguard: {window: 1s}}`)
		for _, place := range []string{"spec.users: ", "spec.groups: ", "spec.safeguard.window: "} {
			Expect(strings.Count(err.Error(), place)).To(Equal(1), err.Error())
		}
	})
})
