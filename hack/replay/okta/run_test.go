package okta

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

func TestRunLeavesTheServerAsPushed(t *testing.T) {
	for _, tt := range []struct {
		name     string
		apps     []App
		takeAway bool
	}{
		{"catalogue", []App{Catalogue}, false},
		{"wizard", []App{Wizard}, false},
		{"both", []App{Catalogue, Wizard}, false},
		{"leavers taken away", []App{Catalogue, Wizard}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			s.takeAway = tt.takeAway
			for range 2 {
				if err := Run(t.Context(), s.options(tt.apps...), nil); err != nil {
					t.Fatal(err)
				}
				s.expect(t, len(tt.apps))
			}
		})
	}
}

// expect counts what a run of 12 users and 5 groups leaves, however often.
func (s *server) expect(t *testing.T, apps int) {
	t.Helper()
	if got := len(s.resources[provider.Users]); got != 12 {
		t.Errorf("%d users, want 12", got)
	}
	inactive := 0
	for _, r := range s.resources[provider.Users] {
		if r["active"] == false {
			inactive++
		}
	}
	if inactive != apps {
		t.Errorf("%d inactive users, want one for each of %d apps", inactive, apps)
	}
	var names []string
	for _, r := range s.resources[provider.Groups] {
		names = append(names, r["displayName"].(string))
	}
	slices.Sort(names)
	if want := []string{"Administrators", "Engineering", "Finance", "Sales", "Support"}; !slices.Equal(names, want) {
		t.Errorf("groups %v, want %v", names, want)
	}
}

func TestRunReportsEveryAct(t *testing.T) {
	var finished []string
	err := Run(t.Context(), newServer(t).options(Wizard), func(e provider.Event) {
		if e.Done == e.Total {
			finished = append(finished, e.Act)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	acts := newPlay(nil, cast(12, 5, 1)[0]).acts()
	if len(finished) != len(acts) {
		t.Errorf("finished %v, want all %d acts", finished, len(acts))
	}
}

func TestRunRefusesWhatOktaRefuses(t *testing.T) {
	status := func(code int, body string) func(*httptest.ResponseRecorder) {
		return func(a *httptest.ResponseRecorder) {
			a.Code = code
			a.Body.Reset()
			a.Body.WriteString(body)
		}
	}
	replace := func(old, spoiled string) func(*httptest.ResponseRecorder) {
		return func(a *httptest.ResponseRecorder) {
			body := strings.ReplaceAll(a.Body.String(), old, spoiled)
			a.Body.Reset()
			a.Body.WriteString(body)
		}
	}
	for _, tt := range []struct {
		name    string
		app     App
		request string // how the spoiled requests begin
		spoil   func(*httptest.ResponseRecorder)
		want    string
	}{
		{"wrong token", Catalogue, "GET /Users", status(401, `{"detail":"unknown token"}`),
			"test the credentials: GET /Users?startIndex=1&count=2: the answer was 401 Unauthorized (unknown token); Okta needs 200 OK"},
		{"a number in quotes", Catalogue, "GET /Users", replace(`"totalResults":0`, `"totalResults":"0"`),
			`a list whose totalResults is "0"; Okta needs a whole JSON number`},
		{"a fraction", Catalogue, "GET /Users", replace(`"startIndex":1`, `"startIndex":1.5`), "a list whose startIndex is 1.5"},
		{"no itemsPerPage", Catalogue, "GET /Users", replace(`itemsPerPage`, `perPage`), "a list whose itemsPerPage is missing"},
		{"itemsPerPage as asked", Catalogue, "GET /Groups", replace(`"itemsPerPage":0`, `"itemsPerPage":100`),
			"itemsPerPage 100 with 0 Resources"},
		{"startIndex from zero", Catalogue, "GET /Users", replace(`"startIndex":1`, `"startIndex":0`), "startIndex 0; Okta needs startIndex 1"},
		{"Resources null", Catalogue, "GET /Users", replace(`"Resources":[]`, `"Resources":null`), "a list whose Resources is missing or null"},
		{"Resources missing", Wizard, "GET /Groups", replace(`"Resources":[],`, ``), "GET /Groups?startIndex=1&count=100: the answer was a list whose Resources"},
		{"an empty page of many", Catalogue, "GET /Users?startIndex=1&count=100", replace(`"totalResults":0`, `"totalResults":3`),
			"import: GET /Users?startIndex=1&count=100: the answer was no Resources from startIndex 1 of 3"},
		{"totalResults of the page", Catalogue, "GET /Users?filter=", replace(`"totalResults":1`, `"totalResults":0`), "totalResults 0 with 1 Resources from startIndex 1"},
		{"an endless answer", Catalogue, "GET /Users", status(200, strings.Repeat(" ", 16<<20+1)), "an answer of more than 16 MiB"},
		{"no list schema", Catalogue, "GET /Users", replace(provider.ListSchema, "urn:other"), "a list with the schemas"},
		{"HTML", Catalogue, "GET /Users", func(a *httptest.ResponseRecorder) { a.Header().Set("Content-Type", "text/html") },
			`of Content-Type "text/html"; Okta needs application/scim+json`},
		{"no JSON", Catalogue, "GET /Users", status(200, "<html>"), "no JSON object"},
		{"two objects", Catalogue, "GET /Users", status(200, "{}{}"), "no JSON object (more than one value)"},
		{"conflict on create", Catalogue, "POST /Users", status(409, `{"scimType":"uniqueness","detail":"userName is taken"}`),
			"push people: POST /Users: the answer was 409 Conflict (uniqueness: userName is taken); Okta needs 201 Created"},
		{"created with 200", Catalogue, "POST /Users", status(200, `{"id":"x"}`), "the answer was 200 OK"},
		{"empty body on create", Wizard, "POST /Users", status(201, ""), "POST /Users: the answer was 201 with an empty body"},
		{"no id", Wizard, "POST /Users", replace(`"id":`, `"ident":`), "a resource whose id is missing or null"},
		{"a number as id", Wizard, "POST /Users", status(201, `{"id":7}`), "a resource whose id is 7"},
		{"password echoed", Wizard, "POST /Users", replace(`{"active"`, `{"password":"x","active"`), "a password is never returned"},
		{"another userName", Wizard, "POST /Users", replace("@example.com", "@example.org"), "a user whose userName is"},
		{"created inactive", Wizard, "POST /Users", replace(`"active":true`, `"active":false`), "a user whose active is false; Okta needs active true"},
		{"a filter that selects all", Wizard, "GET /Users?filter=", func(a *httptest.ResponseRecorder) {
			status(200, `{"schemas":["`+provider.ListSchema+`"],"totalResults":1,"startIndex":1,"itemsPerPage":1,"Resources":[{"id":"x","userName":"other"}]}`)(a)
		}, "only what the filter selects"},
		{"update ignored", Wizard, "PUT /Users", replace("Senior ", ""), `push a new title: PUT /Users/id-1: the answer was title "Software Engineer"; Okta needs title "Senior Software Engineer"`},
		{"updated without a body", Catalogue, "PUT /Users", status(204, ""), "the answer was 204 No Content; Okta needs 200 OK"},
		{"deactivation ignored by PATCH", Catalogue, "PATCH /Users", replace(`"active":false`, `"active":true`), "deactivate a person: PATCH /Users/id-12"},
		{"deactivation ignored by PUT", Wizard, "PUT /Users/id-12", replace(`"active":false`, `"active":"False"`), `deactivate a person: PUT /Users/id-12: the answer was a user whose active is "False"`},
		{"deactivation forgotten", Catalogue, "GET /Users?filter=", replace(`"active":false`, `"active":true`), "active false after the deactivation"},
		{"group patch refused", Catalogue, "PATCH /Groups", status(500, ""), "push groups: PATCH /Groups/id-13: the answer was 500 Internal Server Error; Okta needs 200 OK or 204 No Content"},
		{"another resource", Wizard, "PUT /Groups", replace(`"id":"id-13"`, `"id":"id-99"`), "the answer was the resource id-99"},
		{"group kept its name", Wizard, "PUT /Groups", replace(`"Sales"`, `"Everyone in Sales"`), "push group names: PUT /Groups/id-16"},
		{"members ignored", Catalogue, "GET /Groups/", replace(`"members"`, `"people"`), "verify groups: GET /Groups/id-13: the answer was 0 members, without [id-2 id-5 id-9], with []"},
		{"attributes wiped", Catalogue, "GET /Users/id-5", replace(`"locale":"en-US"`, `"x":1`), "verify people: GET /Users/id-5: the answer was locale missing or null"},
		{"wait without a number", Catalogue, "GET /Users", func(a *httptest.ResponseRecorder) {
			a.Header().Set("Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT")
			status(429, "")(a)
		}, `429 Too Many Requests with Retry-After "Wed, 21 Oct 2026 07:28:00 GMT"; Okta needs Retry-After as a whole number of seconds`},
		{"never ready", Catalogue, "GET /Users", func(a *httptest.ResponseRecorder) {
			a.Header().Set("Retry-After", "0")
			status(503, "")(a)
		}, "503 Service Unavailable, ten times; Okta needs an answer within ten tries"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newServer(t)
			s.spoil = func(r *http.Request, answer *httptest.ResponseRecorder) {
				if strings.HasPrefix(r.Method+" "+r.URL.RequestURI(), tt.request) {
					tt.spoil(answer)
				}
			}
			err := Run(t.Context(), s.options(tt.app), nil)
			if _, refused := errors.AsType[*provider.Refusal](err); !refused {
				t.Fatalf("got %v, want a refusal", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got  %s\nwant %s", err, tt.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the message tells the token: %s", err)
			}
		})
	}
}

func TestRunWantsPossibleOptions(t *testing.T) {
	valid := Options{BaseURL: "http://127.0.0.1:1", Token: "t", Apps: []App{Catalogue, Wizard}, Users: 4, Groups: 5}
	for want, edit := range map[string]func(*Options){
		"the SCIM base URL and the token are both needed": func(o *Options) { o.Token = "" },
		"no app to play": func(o *Options) { o.Apps = nil },
		`app "entra"`:    func(o *Options) { o.Apps = []App{"entra"} },
		"3 users: want at least 4, two for each app": func(o *Options) { o.Users = 3 },
		"6 groups: want 0 to 5":                      func(o *Options) { o.Groups = 6 },
		"GET /Users?startIndex=1&count=2: ":          func(*Options) {}, // nobody answers
	} {
		o := valid
		edit(&o)
		if err := Run(t.Context(), o, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The groups still name the old id of who comes back.
func TestRunRefusesANewIDForAReturner(t *testing.T) {
	s := newServer(t)
	left := false
	s.spoil = func(r *http.Request, answer *httptest.ResponseRecorder) {
		if r.Method == http.MethodPost && left {
			body := strings.ReplaceAll(answer.Body.String(), `"id":"id-12"`, `"id":"id-99"`)
			answer.Body.Reset()
			answer.Body.WriteString(body)
		}
		left = left || r.Method == http.MethodPut && strings.Contains(answer.Body.String(), `"active":false`)
	}
	err := Run(t.Context(), s.options(Wizard), nil)
	if err == nil || !strings.Contains(err.Error(), "back under the new id id-99; Okta needs the old id id-12") {
		t.Errorf("got %v, want a refusal of the new id", err)
	}
}
