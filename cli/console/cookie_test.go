package console

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestIsLocal(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:8082": true, "console.localhost:8082": true, "127.0.0.1:8082": true, "127.9.9.9": true, "[::1]:8082": true, "[::1]": true,
		"console.example.com": false, "10.0.0.1:8082": false, "localhost.example.com": false, "notlocalhost": false, "[2001:db8::1]:80": false, "": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		if got := isLocal(r); got != want {
			t.Errorf("isLocal of host %q = %v, want %v", host, got, want)
		}
	}
}

func TestASealOpensOnlyWhatItSealed(t *testing.T) {
	one, err := newSeal()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSeal()
	if err != nil {
		t.Fatal(err)
	}
	first := httptest.NewRequest("GET", "http://localhost:8082/", nil)
	answer := httptest.NewRecorder()
	if !one.keep(answer, first, "a-token") {
		t.Fatal("a short token was not kept")
	}
	next := httptest.NewRequest("GET", "http://localhost:8082/", nil)
	next.AddCookie(answer.Result().Cookies()[0])
	if got := one.kept(next); got != "a-token" {
		t.Errorf("kept %q", got)
	}
	if got := other.kept(next); got != "" {
		t.Errorf("another process read %q", got)
	}
	next.Host = "console.example.com"
	if got := one.kept(next); got != "" {
		t.Errorf("another host read %q", got)
	}
}

func TestATokenThatBrowsersWouldDropIsNotKept(t *testing.T) {
	s, err := newSeal()
	if err != nil {
		t.Fatal(err)
	}
	for host, longest := range map[string]int{"console.example.com": 3800, "localhost:8082": 2800} {
		r, answer := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Host = host
		if !s.keep(answer, r, strings.Repeat("a", longest)) || s.keep(httptest.NewRecorder(), r, strings.Repeat("a", longest+100)) {
			t.Errorf("%s: the longest token is not about %d bytes", host, longest)
		}
	}
}
