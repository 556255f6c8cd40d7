package scimserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

func TestProblemOf(t *testing.T) {
	for _, c := range []struct {
		err        error
		status     int
		scimType   string
		retryAfter string
	}{
		{errUnauthorized, 401, "", ""},
		{fmt.Errorf("somewhere: %w", schema.Errorf(schema.InvalidPath, "x")), 400, schema.InvalidPath, ""},
		{&store.UniquenessError{Attribute: "userName", Detail: "taken"}, 409, schema.Uniqueness, ""},
		{store.ErrNotFound, 404, "", ""},
		{store.ErrTooLarge, 413, "", ""},
		{&http.MaxBytesError{Limit: 7}, 413, "", ""},
		{fmt.Errorf("%w: no connection", store.ErrUnavailable), 503, "", "5"},
		{context.DeadlineExceeded, 503, "", "5"},
		{fmt.Errorf("%w: %w", errUnavailable, errors.New("stale")), 503, "", "5"},
		{errSuspended, 503, "", "60"},
		{errors.New("a secret"), 500, "", ""},
	} {
		p := problemOf(c.err)
		if p.status != c.status || p.scimType != c.scimType || p.header.Get("Retry-After") != c.retryAfter {
			t.Errorf("problemOf(%v) = %+v, want %+v", c.err, p, c)
		}
		text, err := json.Marshal(p.message("r-1"))
		if err != nil || strings.Contains(string(text), "secret") || p.detail == "" {
			t.Errorf("%v is answered %s", c.err, text)
		}
		if want := c.status != 401 && c.status != 404; strings.Contains(string(text), "r-1") != want {
			t.Errorf("%v is answered %s; the request named: want %v", c.err, text, want)
		}
	}
}
