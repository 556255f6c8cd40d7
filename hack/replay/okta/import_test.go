package okta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/hack/replay/provider"
)

// crowded is a server with more people than two pages hold.
func crowded(t *testing.T, people int) *server {
	t.Helper()
	s := newServer(t)
	for i := range people {
		s.resources[provider.Users] = append(s.resources[provider.Users], provider.Resource{"id": fmt.Sprint(i), "userName": fmt.Sprint("user", i)})
	}
	return s
}

func TestImportReadsEveryPage(t *testing.T) {
	for _, people := range []int{0, 1, 99, 100, 101, 250} {
		s := crowded(t, people)
		imported, err := s.tenant(Catalogue).ImportUsers(t.Context())
		if err != nil || len(imported) != people {
			t.Errorf("imported %d, %v; want %d", len(imported), err, people)
		}
		if pages := max(1, (people+99)/100); len(s.asked) != pages {
			t.Errorf("%d people took %d requests, want %d", people, len(s.asked), pages)
		}
	}
}

func TestImportRefusesUnstablePages(t *testing.T) {
	for want, change := range map[string]func(list provider.Resource){
		"the resource 0 a second time": func(list provider.Resource) {
			list["Resources"].([]any)[0] = map[string]any{"id": "0", "userName": "user0"}
		},
		"totalResults 249; Okta needs the 250 of the page before": func(list provider.Resource) { list["totalResults"] = 249 },
		"whose userName is missing or null": func(list provider.Resource) {
			delete(list["Resources"].([]any)[3].(map[string]any), "userName")
		},
		"Resources; Okta needs at most the 100 it asked for": func(list provider.Resource) {
			list["Resources"] = append(list["Resources"].([]any), map[string]any{"id": "x"})
		},
	} {
		s := crowded(t, 250)
		s.spoil = func(r *http.Request, answer *httptest.ResponseRecorder) {
			if r.URL.Query().Get("startIndex") != "101" {
				return
			}
			list, err := provider.Decode(answer.Body.Bytes())
			if err != nil {
				t.Error(err)
				return
			}
			change(list)
			answer.Body.Reset()
			_ = json.NewEncoder(answer).Encode(list)
		}
		if _, err := s.tenant(Catalogue).ImportUsers(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestLookupRefusesTwoOfAName(t *testing.T) {
	s := crowded(t, 2)
	s.resources[provider.Users][1]["userName"] = "USER0"
	if _, err := s.tenant(Wizard).FindUser(t.Context(), "user0"); err == nil || !strings.Contains(err.Error(), "2 resources; Okta needs at most one") {
		t.Errorf("got %v, want a refusal of two", err)
	}
}
