package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/hack/controlplane"
)

func TestVerdict(t *testing.T) {
	get, list := right{"get", "scim-operator.io", "scimusers"}, right{"list", "scim-operator.io", "scimusers"}
	become := right{impersonate, "", "serviceaccounts"}
	server, controllers, impersonator := role{"server", []right{get, list}}, role{"controllers", []right{get}}, role{"impersonator", []right{become}}
	ask := func(user, role string, r right) request { return request{user: user, role: role, rights: []right{r}} }
	for _, test := range []struct {
		name     string
		roles    []role
		requests []request
		want     []string
	}{
		{name: "all used", roles: []role{server}, requests: []request{ask("s", "server", get), ask("s", "server", list)}},
		{name: "one never used", roles: []role{server}, requests: []request{ask("s", "server", get)},
			want: []string{"role server may list scimusers.scim-operator.io, and no test needs it"}},
		{name: "used by another role", roles: []role{server, controllers},
			requests: []request{ask("s", "server", get), ask("s", "server", list)},
			want:     []string{"role controllers may get scimusers.scim-operator.io"}},
		{name: "each role by a user of its own", roles: []role{server, controllers},
			requests: []request{ask("s", "server", get), ask("s", "server", list), ask("c", "controllers", get)}},
		{name: "one user with both roles", roles: []role{server, controllers},
			requests: []request{ask("all", "server", get), ask("all", "server", list), ask("all", "controllers", get)},
			want:     []string{"role server may get", "role controllers may get"}},
		{name: "acting as somebody", roles: []role{impersonator}, requests: []request{ask("c", "", become)}},
		{name: "refused", roles: []role{controllers},
			requests: []request{ask("c", "controllers", get), {user: "c", rights: []right{list}, refusal: "c cannot list"}},
			want:     []string{"c was refused: c cannot list: give it the right"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := newVerdict(test.roles)
			v.hear(test.requests)
			got := v.complaints()
			if len(got) != len(test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(got[i].Error(), want) {
					t.Errorf("got %v, want %q", got[i], want)
				}
			}
		})
	}
}

func TestRequest(t *testing.T) {
	const allowed = `"authorization.k8s.io/reason":"RBAC: allowed by RoleBinding \"b/ns\" of Role \"leader\" to ServiceAccount \"x/ns\""`
	for _, test := range []struct {
		name, line string
		rights     string
		role       string
		refused    bool
	}{
		{name: "allowed", line: `{"verb":"get","objectRef":{"apiGroup":"g","resource":"leases"},"annotations":{` + allowed + `}}`,
			rights: "get leases.g", role: "leader"},
		{name: "a subresource", line: `{"verb":"patch","objectRef":{"apiGroup":"g","resource":"a","subresource":"status"},"responseStatus":{"code":200}}`,
			rights: "patch a/status.g"},
		{name: "an apply that makes", line: `{"verb":"patch","objectRef":{"resource":"a"},"responseStatus":{"code":201}}`,
			rights: "patch a, create a"},
		{name: "a watch that begins with a list", line: `{"verb":"watch","requestURI":"/a?sendInitialEvents=true","objectRef":{"resource":"a"}}`,
			rights: "watch a, list a"},
		{name: "a watch that goes on", line: `{"verb":"watch","requestURI":"/a?watch=true","objectRef":{"resource":"a"}}`, rights: "watch a"},
		{name: "no object", line: `{"verb":"get","requestURI":"/api"}`},
		{name: "refused by RBAC", rights: "get a", refused: true,
			line: `{"verb":"get","objectRef":{"resource":"a"},"responseStatus":{"code":403,"message":"a is forbidden: User \"x\" cannot get resource \"a\""}}`},
		{name: "refused to act as another", rights: "get a",
			line: `{"verb":"get","objectRef":{"resource":"a"},"responseStatus":{"code":403,"message":"User \"x\" cannot impersonate resource \"serviceaccounts\""}}`},
		{name: "refused by a policy", rights: "get a",
			line: `{"verb":"get","objectRef":{"resource":"a"},"responseStatus":{"code":403,"message":"ValidatingAdmissionPolicy 'p' denied request"}}`},
		{name: "refused to another", rights: "impersonate serviceaccounts",
			line: `{"verb":"get","impersonatedUser":{"username":"y"},"objectRef":{"resource":"a"},"responseStatus":{"code":403,"message":"User \"y\" cannot"}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "audit.jsonl")
			if err := os.WriteFile(path, []byte(test.line+"\n"+test.line[:10]), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := readRequests(path)
			if err != nil || len(got) != 1 {
				t.Fatalf("got %v, %v", got, err)
			}
			var rights []string
			for _, r := range got[0].rights {
				rights = append(rights, r.String())
			}
			if words := strings.Join(rights, ", "); words != test.rights || got[0].role != test.role || (got[0].refusal != "") != test.refused {
				t.Errorf("got %q by %q, refused %q; want %q by %q", words, got[0].role, got[0].refusal, test.rights, test.role)
			}
		})
	}
}

func TestEveryBindingOfTheOperatorIsLookedAt(t *testing.T) {
	root, err := controlplane.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "config", "rbac")
	bindings, err := filepath.Glob(filepath.Join(folder, "*_role_binding.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(bindings) != len(own) {
		t.Errorf("the operator is bound by %v, and has the roles %v", bindings, own)
	}
	if _, err := readRoles(folder); err != nil {
		t.Error(err)
	}
	if err := run(t.TempDir()); err == nil || !strings.Contains(err.Error(), controlplane.AuditDir) {
		t.Errorf("without audit files: %v", err)
	}
}
