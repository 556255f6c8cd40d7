package scimserver

import (
	"net/http"
	"strings"
	"testing"
	"unicode"
)

func TestBearerToken(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer abc":                          "abc",
		"bearer abc":                          "abc",
		"BEARER   abc ":                       "abc",
		"Bearer Bearer abc":                   "abc",
		"bearer Bearer abc":                   "abc",
		"abc":                                 "abc",
		"":                                    "",
		"Bearer":                              "",
		"Bearer ":                             "",
		"Bearer bearer":                       "",
		"Bearer a b":                          "",
		"Basic abc":                           "",
		"Bearer Bearer Bearer abc":            "",
		"Bearer " + strings.Repeat("x", 4096): strings.Repeat("x", 4096),
		"Bearer " + strings.Repeat("x", 4097): "",
		"Bearer\u00a0abc":                     "abc",
		"Bearer\tabc":                         "abc",
		"Authorization: Bearer abc":           "",
	} {
		if got, ok := bearerToken([]string{header}); got != want || ok != (want != "") {
			t.Errorf("bearerToken(%q) = %q, %v; want %q", header, got, ok, want)
		}
	}
	for _, headers := range [][]string{nil, {"Bearer a", "Bearer a"}} {
		if got, ok := bearerToken(headers); ok {
			t.Errorf("bearerToken(%q) = %q, want none", headers, got)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	for _, header := range []string{"Bearer x", "bearer Bearer x", "x", "", "Bearer", "Basic eDp5", "Bearer \x00"} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		token, ok := bearerToken([]string{header})
		if !ok {
			if token != "" {
				t.Errorf("a refused header gave %q", token)
			}
			return
		}
		if token == "" || strings.ContainsFunc(token, unicode.IsSpace) || !strings.Contains(header, token) {
			t.Errorf("bearerToken(%q) = %q", header, token)
		}
		for _, scheme := range []string{"Bearer ", "bearer Bearer "} {
			if again, ok := bearerToken([]string{scheme + token}); !ok || again != token {
				t.Errorf("behind %q the token %q reads %q", scheme, token, again)
			}
		}
	})
}

func TestSourceOf(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7:1234":          "192.0.2.7",
		"[::ffff:192.0.2.7]:1234": "192.0.2.7",
		"[2001:db8:1:2:3::4]:80":  "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":       "fe80::/64",
		"@":                       "@",
	} {
		if got := sourceOf(address); got != want {
			t.Errorf("sourceOf(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestUnauthorizedSaysHowToAuthenticate(t *testing.T) {
	if got := errUnauthorized.header.Get("WWW-Authenticate"); got != "Bearer" || errUnauthorized.status != http.StatusUnauthorized {
		t.Errorf("WWW-Authenticate: %q", got)
	}
}
