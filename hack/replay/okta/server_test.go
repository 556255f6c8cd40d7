package okta

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// server is a small SCIM server that answers as Okta wants it. It knows only
// the requests that Okta makes.
type server struct {
	*httptest.Server
	takeAway bool // deactivated people are no longer listed
	spoil    func(r *http.Request, answer *httptest.ResponseRecorder)
	asked    []string // method, path and body of every request

	resources map[string][]provider.Resource // by endpoint
	created   int
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{resources: map[string][]provider.Resource{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) tenant(app App) *Tenant {
	return &Tenant{BaseURL: s.URL, Token: "secret", App: app}
}

func (s *server) options(apps ...App) Options {
	return Options{BaseURL: s.URL, Token: "secret", Apps: apps, Users: 12, Groups: 5}
}

// ServeHTTP is never called twice at once: a tenant sends one request at a time.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Type", "application/scim+json")
	s.answer(answer, r, body)
	if s.spoil != nil {
		s.spoil(r, answer)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, body []byte) {
	name, id, one := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	endpoint := "/" + name
	switch {
	case r.Header.Get("Authorization") != "Bearer secret":
		reply(w, http.StatusUnauthorized, provider.Resource{"detail": "wrong token"})
	case !one && r.Method == http.MethodGet:
		s.list(w, r, endpoint)
	case !one:
		s.create(w, endpoint, body)
	default:
		s.one(w, r.Method, endpoint, id, body)
	}
}

var equals = regexp.MustCompile(`^(\w+) eq "(.*)"$`)

func (s *server) list(w http.ResponseWriter, r *http.Request, endpoint string) {
	matching := s.visible(endpoint)
	if filter := equals.FindStringSubmatch(r.URL.Query().Get("filter")); filter != nil {
		matching = slices.DeleteFunc(matching, func(r provider.Resource) bool {
			return !strings.EqualFold(valueOf(r, filter[1]), filter[2])
		})
	}
	start, _ := strconv.Atoi(r.URL.Query().Get("startIndex"))
	count, _ := strconv.Atoi(r.URL.Query().Get("count"))
	from := min(start-1, len(matching))
	shown := matching[from:min(from+count, len(matching))]
	reply(w, http.StatusOK, provider.Resource{
		"schemas": []string{provider.ListSchema}, "totalResults": len(matching), "startIndex": start,
		"itemsPerPage": len(shown), "Resources": append([]provider.Resource{}, shown...),
	})
}

func valueOf(r provider.Resource, attribute string) string {
	if attribute == "email" {
		return r["emails"].([]any)[0].(map[string]any)["value"].(string)
	}
	return r[attribute].(string)
}

func (s *server) visible(endpoint string) []provider.Resource {
	return slices.DeleteFunc(slices.Clone(s.resources[endpoint]), func(r provider.Resource) bool {
		return s.takeAway && r["active"] == false
	})
}

func (s *server) create(w http.ResponseWriter, endpoint string, body []byte) {
	created, _ := provider.Decode(body)
	delete(created, "password")
	for _, r := range s.resources[endpoint] {
		if r["userName"] != created["userName"] || r["displayName"] != created["displayName"] {
			continue
		}
		if r["active"] != false {
			reply(w, http.StatusConflict, provider.Resource{"scimType": "uniqueness", "detail": "taken"})
			return
		}
		s.set(r, created)
		reply(w, http.StatusCreated, r)
		return
	}
	s.created++
	created["id"] = fmt.Sprintf("id-%d", s.created)
	s.resources[endpoint] = append(s.resources[endpoint], created)
	reply(w, http.StatusCreated, created)
}

func (s *server) one(w http.ResponseWriter, method, endpoint, id string, body []byte) {
	place := slices.IndexFunc(s.visible(endpoint), func(r provider.Resource) bool { return r.ID() == id })
	if place < 0 {
		reply(w, http.StatusNotFound, provider.Resource{"detail": "no such resource"})
		return
	}
	stored := s.visible(endpoint)[place]
	switch method {
	case http.MethodPut:
		sent, _ := provider.Decode(body)
		clear(stored)
		stored["id"] = id
		s.set(stored, sent)
	case http.MethodPatch:
		var sent struct{ Operations []provider.Operation }
		_ = json.Unmarshal(body, &sent)
		for _, o := range sent.Operations {
			s.patch(stored, o)
		}
		if endpoint == provider.Groups {
			w.WriteHeader(http.StatusNoContent)
			return
		}
	case http.MethodDelete:
		s.resources[endpoint] = slices.DeleteFunc(s.resources[endpoint], func(r provider.Resource) bool { return r.ID() == id })
		w.WriteHeader(http.StatusNoContent)
		return
	}
	reply(w, http.StatusOK, stored)
}

func (s *server) set(stored, sent provider.Resource) {
	id := stored["id"]
	maps.Copy(stored, sent)
	stored["id"] = id
}

func (s *server) patch(stored provider.Resource, o provider.Operation) {
	members, _ := stored["members"].([]any)
	switch value, isObject := o.Value.(map[string]any); {
	case isObject:
		s.set(stored, value)
	case o.Op == "replace":
		stored["members"] = o.Value
	case o.Op == "add":
		members = slices.DeleteFunc(members, func(m any) bool { return strings.Contains(provider.Text(o.Value), provider.Text(m)) })
		stored["members"] = append(members, o.Value.([]any)...)
	case o.Op == "remove":
		stored["members"] = slices.DeleteFunc(members, func(m any) bool {
			return strings.Contains(o.Path, fmt.Sprintf("%q", m.(map[string]any)["value"]))
		})
	}
}

func reply(w http.ResponseWriter, status int, body provider.Resource) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
