package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testingclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/api/v1alpha1"
	"github.com/scim-operator/scim-operator/controllers/targets"
)

// record is a ledger in which the receiver was told of a role.
type record struct{ client.Reader }

func (record) List(_ context.Context, list client.ObjectList, _ ...client.ListOption) error {
	list.(*v1alpha1.AppTargetLedgerList).Items = []v1alpha1.AppTargetLedger{{Spec: v1alpha1.AppTargetLedgerSpec{
		Entries:   []v1alpha1.LedgerEntry{{Subject: "role/admin", Grants: []string{"title/Administrators"}}},
		Sequences: []v1alpha1.LedgerSequence{{Directory: "okta", Last: 17}},
	}}}
	return nil
}

// stage is a system that is to tell of ada.
func stage(t *testing.T) *system {
	t.Helper()
	s := &system{
		target: &v1alpha1.AppTarget{
			ObjectMeta: metav1.ObjectMeta{Namespace: "acme", Name: "hook", UID: "1"},
			Spec:       v1alpha1.AppTargetSpec{Webhook: &v1alpha1.WebhookTarget{URL: "https://hooks.example.com/scim"}},
		},
		clock:   testingclock.NewFakePassiveClock(time.Date(2026, 7, 1, 9, 30, 0, 0, time.UTC)),
		refused: map[string][]string{},
	}
	var err error
	if s.ledger, err = targets.OpenLedger(t.Context(), nil, record{}, s.target); err != nil {
		t.Fatal(err)
	}
	s.Want([]targets.Person{ada}, []targets.Role{{Name: "admin", DisplayName: "Administrators"}})
	return s
}

var ada = targets.Person{
	ID: "ada", Directory: "okta", UserName: "ada@example.com", Email: "ada@example.com", DisplayName: "Ada Lovelace",
	ExternalID: "00u1", Active: true, Roles: []string{"admin"},
}

// examples are one message of each type, as the documentation shows them.
func examples(t *testing.T) []call {
	s := stage(t)
	here := knownOf(s.wanted["ada"])
	away := known{identity: here.identity}
	renamed := here
	renamed.identity = "okta/0"
	var calls []call
	tell := func(subject string, from, to known) {
		e, is := s.begin(subject, v1alpha1.LedgerEntry{Subject: subject, Grants: from.facts()})
		if !is && len(to.facts()) > 0 {
			t.Fatalf("nothing is to be told of %s", subject)
		}
		for i, event := range eventsBetween(from, to) {
			calls = append(calls, s.callFor(subject, event, int64(i+1), e.Pending))
		}
	}
	tell("ada", known{}, here)
	tell("ada", renamed, here)
	tell("ada", away, here)
	s.wanted["ada"] = away.facts()
	tell("ada", here, away)
	delete(s.people, "ada")
	delete(s.wanted, "ada")
	tell("ada", away, known{})
	tell("role/admin", known{}, known{title: "Administrators"})
	tell("role/admin", known{title: "Admins"}, known{title: "Administrators"})
	delete(s.wanted, "role/admin")
	tell("role/admin", known{title: "Administrators"}, known{})
	s = stage(t)
	return append(calls, s.take(s.snapshotNow()).calls...)
}

func TestMessagesAreDocumented(t *testing.T) {
	content, err := os.ReadFile("../../../docs/targets.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]map[string]any{}
	for line := range strings.Lines(string(content)) {
		var m map[string]any
		if strings.HasPrefix(line, `{"type":`) {
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			documented[m["type"].(string)] = m
		}
	}
	for _, c := range examples(t) {
		body, err := json.Marshal(c.message)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		like := documented[c.message.Type]
		if like == nil {
			t.Errorf("docs/targets.md shows no %s:\n%s", c.message.Type, body)
		} else if a, b := shape(m), shape(like); a != b {
			t.Errorf("docs/targets.md shows %s as\n%s, but it is\n%s\n%s", c.message.Type, b, a, body)
		}
	}
}

// shape is JSON without its values.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		keys := map[string]string{}
		for k, value := range v {
			keys[k] = shape(value)
		}
		text, _ := json.Marshal(keys)
		return string(text)
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		return "[" + shape(v[0]) + "]"
	case bool:
		return "bool"
	case float64:
		return "number"
	default:
		return "text"
	}
}

func TestIdsDifferByAllThatTheyStandFor(t *testing.T) {
	s := stage(t)
	other := stage(t)
	other.target.UID = "2"
	seen := map[string]bool{}
	for _, id := range []string{
		s.idOf("event", "okta", "1"), s.idOf("event", "okta", "11"), s.idOf("event", "okta1", "1"), s.idOf("event", "", "1"),
		s.idOf("snapshot", "okta", "1"), other.idOf("event", "okta", "1"),
	} {
		if seen[id] {
			t.Errorf("%s stands for two things", id)
		}
		seen[id] = true
	}
	if s.idOf("event", "okta", "1") != stage(t).idOf("event", "okta", "1") {
		t.Error("an id is not the same when it is made again")
	}
}

func TestAnswersAreJudged(t *testing.T) {
	address := &url.URL{Scheme: "https", Host: "hooks.example.com", Path: "/secret-path"}
	const ok, refused, invalid, down = "ok", "refused", "invalid", "down"
	for status, want := range map[int]string{
		301: invalid, 302: invalid, 307: invalid, 308: invalid, 400: refused, 401: refused, 403: refused, 404: refused, 408: down,
		409: refused, 410: invalid, 422: refused, 429: down, 500: down, 502: down, 503: down, 504: down,
	} {
		err := judge(address, roleGranted, &targets.StatusError{Status: status, Body: []byte("ada@example.com")})
		got := down
		if _, is := errors.AsType[*targets.Invalid](err); is {
			got = invalid
		} else if targets.IsRefused(err) {
			got = refused
		}
		if got != want {
			t.Errorf("%d means %s, not %s", status, got, want)
		}
		if strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%d: %v says too much", status, err)
		}
		if !strings.Contains(err.Error(), http.StatusText(status)) {
			t.Errorf("%d: %v does not say what was answered", status, err)
		}
	}
	if err := judge(address, roleGranted, nil); err != nil {
		t.Error(err)
	}
}
