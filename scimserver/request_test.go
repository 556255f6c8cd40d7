package scimserver

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestOktaIsAnsweredWithinSixtySeconds(t *testing.T) {
	const patience = 60 * time.Second
	q, cancel := newRequest(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/scim/v2/Users", nil))
	defer cancel()
	deadline, bounded := q.Context().Deadline()
	if left := time.Until(deadline); !bounded || left >= patience {
		t.Errorf("the work may take %s, longer than Okta waits", left)
	}
}
