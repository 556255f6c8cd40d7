package scimserver

import (
	"errors"
	"net/http"
	"testing"
)

func TestCheckPrecondition(t *testing.T) {
	const version = `W/"3"`
	for _, c := range []struct {
		method, header, value string
		want                  int
	}{
		{"GET", "If-None-Match", `W/"3"`, 304},
		{"HEAD", "If-None-Match", `"3"`, 304},
		{"GET", "If-None-Match", `W/"2", W/"3"`, 304},
		{"GET", "If-None-Match", `*`, 304},
		{"GET", "If-None-Match", `W/"2"`, 0},
		{"GET", "If-Match", `W/"2"`, 412},
		{"PUT", "If-Match", `W/"3"`, 0},
		{"PUT", "If-Match", `"3"`, 0},
		{"PUT", "If-Match", `3`, 0},
		{"PUT", "If-Match", `*`, 0},
		{"PUT", "If-Match", `W/"33"`, 412},
		{"PATCH", "If-Match", ``, 412},
		{"DELETE", "If-None-Match", `W/"3"`, 412},
		{"DELETE", "If-None-Match", `W/"2"`, 0},
		{"DELETE", "Other", `W/"2"`, 0},
	} {
		q := &request{Request: &http.Request{Method: c.method, Header: http.Header{c.header: {c.value}}}}
		got := 0
		err := q.checkPrecondition(version)
		if p, ok := errors.AsType[*problem](err); ok {
			got = p.status
		}
		if got != c.want {
			t.Errorf("%s with %s: %s: status %d, want %d", c.method, c.header, c.value, got, c.want)
		}
	}
}
