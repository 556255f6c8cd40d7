package okta

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// known makes the server hold one person and one group, pushed by the app, and
// forgets the requests of that.
func (s *server) known(t *testing.T, tenant *Tenant) (Person, string, *Group) {
	t.Helper()
	p := person(0)
	id, err := tenant.PushUser(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	g, err := tenant.CreateGroup(t.Context(), "Engineering", []Member{{ID: id, Display: p.UserName}})
	if err != nil {
		t.Fatal(err)
	}
	s.asked = nil
	return p, id, g
}

const (
	patchPrefix = `{"Operations":[`
	patchSuffix = `],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}`
	groupSuffix = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"]}`
	sameName    = `PATCH /Groups/id-2 ` + patchPrefix + `{"op":"replace","value":{"displayName":"Engineering","id":"id-2"}}` + patchSuffix
	first       = `{"value":"id-1","display":"amara.almeida@example.com"}`
)

func TestShapes(t *testing.T) {
	for _, tt := range []struct {
		name      string
		act       func(ctx context.Context, t *Tenant, id string, g *Group) error
		catalogue []string
		wizard    []string
	}{
		{
			"deactivate",
			func(ctx context.Context, t *Tenant, id string, _ *Group) error { return t.SetActive(ctx, id, false) },
			[]string{`PATCH /Users/id-1 ` + patchPrefix + `{"op":"replace","value":{"active":false}}` + patchSuffix},
			[]string{`GET /Users/id-1`, `PUT /Users/id-1 {"active":false,`},
		},
		{
			"activate",
			func(ctx context.Context, t *Tenant, id string, _ *Group) error { return t.SetActive(ctx, id, true) },
			[]string{`PATCH /Users/id-1 ` + patchPrefix + `{"op":"replace","value":{"active":true}}` + patchSuffix},
			[]string{`GET /Users/id-1`, `PUT /Users/id-1 {"active":true,`},
		},
		{
			"update a profile",
			func(ctx context.Context, t *Tenant, id string, _ *Group) error {
				return t.UpdateUser(ctx, id, person(0).promoted())
			},
			[]string{`GET /Users/id-1`, `PUT /Users/id-1 {"active":true,`},
			[]string{`GET /Users/id-1`, `PUT /Users/id-1 {"active":true,`},
		},
		{
			"rename a group",
			func(ctx context.Context, t *Tenant, _ string, g *Group) error { return t.RenameGroup(ctx, g, "R&D") },
			[]string{`PATCH /Groups/id-2 ` + patchPrefix + `{"op":"replace","value":{"displayName":"R\u0026D","id":"id-2"}}` + patchSuffix},
			[]string{`PUT /Groups/id-2 {"displayName":"R\u0026D","members":[` + first + `],` + groupSuffix},
		},
		{
			"exchange members",
			func(ctx context.Context, t *Tenant, id string, g *Group) error {
				return t.ChangeMembers(ctx, g, []Member{{"id-9", "nine"}}, []Member{{id, "one"}})
			},
			[]string{sameName, `PATCH /Groups/id-2 ` + patchPrefix + `{"op":"remove","path":"members[value eq \"id-1\"]"},` +
				`{"op":"add","path":"members","value":[{"value":"id-9","display":"nine"}]}` + patchSuffix},
			[]string{`PUT /Groups/id-2 {"displayName":"Engineering","id":"id-2","members":[{"value":"id-9","display":"nine"}],` + groupSuffix},
		},
		{
			"change nothing",
			func(ctx context.Context, t *Tenant, _ string, g *Group) error {
				return t.ChangeMembers(ctx, g, nil, nil)
			},
			nil, nil,
		},
		{
			"replace the members",
			func(ctx context.Context, t *Tenant, _ string, g *Group) error { return t.ReplaceMembers(ctx, g, nil) },
			[]string{sameName, `PATCH /Groups/id-2 ` + patchPrefix + `{"op":"replace","path":"members","value":[]}` + patchSuffix},
			[]string{`PUT /Groups/id-2 {"displayName":"Engineering","id":"id-2","members":[],` + groupSuffix},
		},
		{
			"push a group now",
			func(ctx context.Context, t *Tenant, _ string, g *Group) error { return t.PushNow(ctx, g) },
			[]string{sameName, `PATCH /Groups/id-2 ` + patchPrefix + `{"op":"replace","value":{"members":[` + first + `]}}` + patchSuffix},
			[]string{`PUT /Groups/id-2 {"displayName":"Engineering","id":"id-2","members":[` + first + `],` + groupSuffix},
		},
		{
			"create a group",
			func(ctx context.Context, t *Tenant, _ string, _ *Group) error {
				_, err := t.CreateGroup(ctx, "Finance", nil)
				return err
			},
			[]string{`POST /Groups {"displayName":"Finance","members":[],` + groupSuffix,
				`PATCH /Groups/id-3 ` + patchPrefix + `{"op":"replace","value":{"displayName":"Finance","id":"id-3"}}` + patchSuffix},
			[]string{`POST /Groups {"displayName":"Finance","members":[],` + groupSuffix,
				`PUT /Groups/id-3 {"displayName":"Finance","members":[],` + groupSuffix},
		},
		{
			"look a group up",
			func(ctx context.Context, t *Tenant, _ string, _ *Group) error {
				_, err := t.FindGroup(ctx, `Say "hi"`)
				return err
			},
			[]string{`GET /Groups?filter=displayName%20eq%20%22Say%20%5C%22hi%5C%22%22&startIndex=1&count=100`},
			[]string{`GET /Groups?filter=displayName%20eq%20%22Say%20%5C%22hi%5C%22%22&startIndex=1&count=100`},
		},
		{
			"delete a group",
			func(ctx context.Context, t *Tenant, _ string, g *Group) error { return t.DeleteGroup(ctx, g) },
			[]string{`DELETE /Groups/id-2`}, []string{`DELETE /Groups/id-2`},
		},
	} {
		for app, want := range map[App][]string{Catalogue: tt.catalogue, Wizard: tt.wizard} {
			t.Run(tt.name+" "+string(app), func(t *testing.T) {
				s := newServer(t)
				tenant := s.tenant(app)
				_, id, g := s.known(t, tenant)
				if err := tt.act(t.Context(), tenant, id, g); err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(s.asked, want, strings.HasPrefix) {
					t.Errorf("sent\n%s\nwant\n%s", strings.Join(s.asked, "\n"), strings.Join(want, "\n"))
				}
			})
		}
	}
}

func TestCreateUserSendsWhatOktaAlwaysSends(t *testing.T) {
	s := newServer(t)
	if _, err := s.tenant(Wizard).PushUser(t.Context(), person(0)); err != nil {
		t.Fatal(err)
	}
	if want := `GET /Users?filter=userName%20eq%20%22amara.almeida%40example.com%22&startIndex=1&count=100`; s.asked[0] != want {
		t.Errorf("looked up by %s, want %s", s.asked[0], want)
	}
	for _, part := range []string{`"groups":[]`, `"active":true`, `"externalId":"00u`, `"locale":"en-US"`} {
		if !strings.Contains(s.asked[1], part) {
			t.Errorf("sent %s, want it to contain %s", s.asked[1], part)
		}
	}
	if !regexp.MustCompile(`"password":"\w{8,}"`).MatchString(s.asked[1]) {
		t.Errorf("sent %s, want a password", s.asked[1])
	}
}

func TestUpdateSendsBackWhatItDoesNotKnow(t *testing.T) {
	s := newServer(t)
	tenant := s.tenant(Catalogue)
	p, id, _ := s.known(t, tenant)
	s.resources[provider.Users][0]["urn:example:1.0:User"] = map[string]any{"badge": 12345678901234567}
	if err := tenant.UpdateUser(t.Context(), id, p); err != nil {
		t.Fatal(err)
	}
	if put := s.asked[len(s.asked)-1]; !strings.Contains(put, `"urn:example:1.0:User":{"badge":12345678901234567}`) || !strings.Contains(put, `"id":"id-1"`) {
		t.Errorf("put back %s, want the id and the unknown attribute in it", put)
	}
}

func TestPushUserBringsBackWhoIsInactive(t *testing.T) {
	for _, app := range []App{Catalogue, Wizard} {
		s := newServer(t)
		tenant := s.tenant(app)
		p, id, _ := s.known(t, tenant)
		if err := tenant.SetActive(t.Context(), id, false); err != nil {
			t.Fatal(err)
		}
		again, err := tenant.PushUser(t.Context(), p)
		if err != nil || again != id {
			t.Errorf("%s: pushed as %q, %v; want the old id %q", app, again, err, id)
		}
		if err := tenant.VerifyUser(t.Context(), id, p, true); err != nil {
			t.Error(err)
		}
	}
}

func TestPeopleAreLookedUpByTheUniqueIdentifierField(t *testing.T) {
	s := newServer(t)
	tenant := s.tenant(Wizard)
	tenant.Identifier = "email"
	p, id, _ := s.known(t, tenant)
	again, err := tenant.PushUser(t.Context(), p)
	if err != nil || again != id {
		t.Errorf("pushed as %q, %v; want the old id %q", again, err, id)
	}
	if want := `GET /Users?filter=email%20eq%20%22amara.almeida%40example.com%22&startIndex=1&count=100`; s.asked[0] != want {
		t.Errorf("looked up by %s, want %s", s.asked[0], want)
	}
	s.spoil = func(r *http.Request, answer *httptest.ResponseRecorder) {
		if r.URL.Query().Get("filter") != "" {
			body := strings.ReplaceAll(answer.Body.String(), `"value":"amara`, `"value":"bruno`)
			answer.Body.Reset()
			answer.Body.WriteString(body)
		}
	}
	if _, err := tenant.FindUser(t.Context(), p.UserName); err == nil || !strings.Contains(err.Error(), `whose email is ["bruno.almeida@example.com"]`) {
		t.Errorf("got %v, want a refusal of somebody else", err)
	}
}

func TestTheHeaderIsSentAsItWasPasted(t *testing.T) {
	for pasted, want := range map[string]string{"": "Bearer secret", "bearer  Bearer secret": "bearer  Bearer secret"} {
		s := newServer(t)
		var sent string
		s.spoil = func(r *http.Request, _ *httptest.ResponseRecorder) { sent = r.Header.Get("Authorization") }
		tenant := s.tenant(Catalogue)
		tenant.Authorization = pasted
		_, _ = tenant.FindUser(t.Context(), "amara@example.com") // this server knows one form only
		if sent != want {
			t.Errorf("sent %q, want %q", sent, want)
		}
	}
}
