package argocd

import (
	"testing"

	. "github.com/onsi/gomega"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func sync(claims map[string]any) Request {
	return Request{Claims: claims, Resource: "applications", Action: "sync", Object: "shop/web"}
}

func TestPoliciesAllowWhomTheyName(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	alice := map[string]any{"sub": "1", "email": "alice@example.com", "groups": []string{"engineering"}}
	bob := map[string]any{"sub": "2", "email": "bob@example.com"}
	for _, test := range []struct {
		name     string
		data     map[string]string
		requests []Request
		allowed  []bool
	}{
		{
			name:     "a person by email",
			data:     map[string]string{"policy.x.csv": "g, alice@example.com, role:admin", "scopes": "[email]"},
			requests: []Request{sync(alice), sync(bob), sync(nil)},
			allowed:  []bool{true, false, false},
		},
		{
			name:     "an email that is no scope",
			data:     map[string]string{"policy.x.csv": "g, alice@example.com, role:admin"},
			requests: []Request{sync(alice)},
			allowed:  []bool{false},
		},
		{
			name: "a group, with a role of two files and a default role",
			data: map[string]string{
				"policy.csv":     "p, role:deployer, applications, sync, shop/*, allow",
				"policy.x.csv":   "g, engineering, role:deployer",
				"policy.default": "role:readonly",
			},
			requests: []Request{
				sync(alice), sync(bob),
				{Claims: bob, Resource: "applications", Action: "get", Object: "shop/web"},
				{Claims: alice, Resource: "applications", Action: "sync", Object: "bank/web"},
			},
			allowed: []bool{true, false, true, false},
		},
		{
			name: "a denial",
			data: map[string]string{
				"policy.x.csv": "g, alice@example.com, role:admin\np, alice@example.com, applications, sync, shop/*, deny",
				"scopes":       "[groups, email]",
			},
			requests: []Request{sync(alice)},
			allowed:  []bool{false},
		},
		{name: "nothing", requests: []Request{sync(alice), sync(map[string]any{"sub": "admin"})}, allowed: []bool{false, true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := NewWithT(t)
			g.Expect(Judge(t.Context(), root, test.data, test.requests)).To(Equal(test.allowed))
		})
	}
}

func TestMalformedPolicyIsRefused(t *testing.T) {
	g := NewWithT(t)
	root, err := controlplane.Root()
	g.Expect(err).NotTo(HaveOccurred())
	_, err = Judge(t.Context(), root, map[string]string{"policy.x.csv": "g, alice@example.com"}, nil)
	g.Expect(err).To(MatchError(ContainSubstring("invalid RBAC policy: g, alice@example.com")))
}
