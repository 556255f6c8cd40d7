package grafana

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/controllers/targets"
)

// serve is a client of a server that always gives the same answer.
func serve(tb testing.TB, status int, body string) client {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	tb.Cleanup(server.Close)
	return client{targets.API{Base: server.URL, Token: "t", Client: server.Client()}, "secret"}
}

func TestErrorsTellTheMend(t *testing.T) {
	for status, c := range map[int]struct {
		refused bool
		says    string
	}{
		301: {true, "url has to be the address of Grafana itself"},
		400: {true, `change the members of the team "ops": Grafana answered 400 Bad Request`},
		401: {true, `does not accept the token: put that of a service account, which is neither disabled nor expired, into the Secret "secret"`},
		403: {true, "give it the permission teams.permissions:write with scope teams:*, or the role Admin"},
		404: {true, "url has to be the address of Grafana itself"},
		408: {false, "answered 408"},
		429: {false, "answered 429"},
		500: {false, "answered 500"},
		503: {false, "answered 503"},
	} {
		err := serve(t, status, `{"message": "about ada@example.com"}`).add(t.Context(), team{UID: "x", Name: "ops"}, 1)
		switch {
		case err == nil || statusOf(err) != status:
			t.Errorf("%d: the error is %v", status, err)
		case targets.IsRefused(err) != c.refused:
			t.Errorf("%d: refused is %t", status, targets.IsRefused(err))
		case !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "ada"):
			t.Errorf("%d: the error is %q", status, err)
		}
	}
}

func TestAListThatNeverEndsIsNotRead(t *testing.T) {
	_, err := serve(t, http.StatusOK, `{"orgUsers": [{"userId": 1}], "totalCount": 9000000000, "perPage": 1}`).users(t.Context())
	if err == nil || targets.IsRefused(err) || !strings.Contains(err.Error(), "more than 500") {
		t.Errorf("the error is %v", err)
	}
}

func TestTeamsAreNamedInPathsByNumberOrUID(t *testing.T) {
	for path, t2 := range map[string]team{
		"/api/teams/7":         {ID: 7, UID: "abc"},
		"/api/teams/abc":       {UID: "abc"},
		"/api/teams/a%2F..%3F": {UID: "a/..?"},
	} {
		if is := t2.path(); is != path {
			t.Errorf("the path is %s, not %s", is, path)
		}
	}
}

// Whatever a server answers, it is read as a list or told as an error that says no name of a person.
func FuzzList(f *testing.F) {
	for _, seed := range []string{
		`{"orgUsers": [{"userId": 1, "orgId": 1, "login": "ada", "email": "ada@example.com"}], "totalCount": 1, "perPage": 1000}`,
		`{"orgUsers": null, "totalCount": -5, "perPage": -1}`, `{"totalCount": 3, "perPage": 1}`, `[]`, `null`, `{"orgUsers": [null]}`,
		"<html>", `{"totalCount": 9223372036854775807, "perPage": 1000}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		users, err := serve(t, http.StatusOK, body).users(t.Context())
		if err == nil && !json.Valid([]byte(body)) {
			t.Errorf("%q is read as %v", body, users)
		}
		if invalid := new(targets.Invalid); errors.As(err, &invalid) {
			t.Errorf("%q is taken for a mistake in the spec: %v", body, err)
		}
	})
}
