package grafana

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// Only Grafana itself says that somebody is gone: what stands in its place while it is down may answer 404 to everything.
func TestNobodyIsTakenForGoneByAnotherServer(t *testing.T) {
	const list, page = `{"teams": [], "totalCount": 0}`, "<html>"
	for name, c := range map[string]struct {
		remove, search int
		answer         string
		shown          bool // Grafana has just shown the membership
		gone           bool
	}{
		"removed":                            {remove: 200, gone: true},
		"no member, says Grafana":            {remove: 404, search: 200, answer: list, gone: true},
		"no member, says a gateway":          {remove: 404, search: 404, answer: page},
		"no member, and a page":              {remove: 404, search: 200, answer: page},
		"no member, and then down":           {remove: 404, search: 503},
		"a user who was deleted":             {remove: 500, search: 200, answer: list, gone: true},
		"a member, but Grafana fails":        {remove: 500, search: 200, answer: list, shown: true},
		"a member, but Grafana is down":      {remove: 502, search: 200, answer: list},
		"a member, but Grafana says no":      {remove: 403, search: 200, answer: list},
		"a member, but Grafana is not there": {remove: 301, search: 200, answer: list},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodDelete {
					w.WriteHeader(c.remove)
					return
				}
				w.WriteHeader(c.search)
				_, _ = w.Write([]byte(c.answer))
			}))
			defer server.Close()
			m := membership{7, "uid"}
			s := &system{grafana: client{targets.API{Base: server.URL, Client: server.Client()}, "secret"}}
			s.members = map[membership]bool{m: c.shown}
			if err := s.remove(t.Context(), change{membership: m, team: team{UID: "uid"}}); (err == nil) != c.gone {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestATeamThatIsGoneIsNotTakenForTheOneOfThatNumber(t *testing.T) {
	asked := serve(t, http.StatusTeapot, "")
	s := &system{grafana: asked}
	if err := s.remove(t.Context(), change{membership: membership{7, "12"}, team: team{UID: "12"}}); err != nil {
		t.Errorf("Grafana was asked: %v", err)
	}
}

// Grafana refuses to add a member again by the same status as other things.
func TestWhoIsAMemberAlreadyCountsAsAdded(t *testing.T) {
	for members, added := range map[string]bool{`[{"userId": 6}, {"userId": 7}]`: true, `[{"userId": 6}]`: false, `[]`: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			_, _ = w.Write([]byte(members))
		}))
		s := &system{grafana: client{targets.API{Base: server.URL, Client: server.Client()}, "secret"}}
		err := s.add(t.Context(), change{membership: membership{7, "uid"}, team: team{UID: "uid"}})
		if (err == nil) != added || err != nil && !targets.IsRefused(err) {
			t.Errorf("with the members %s, the error is %v", members, err)
		}
		server.Close()
	}
}
