package scimserver

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestForwardedURL(t *testing.T) {
	const external = "https://scim.example.com/idp"
	for name, x := range map[string]struct {
		header http.Header
		want   string
	}{
		"nothing":             {http.Header{}, external},
		"all":                 {http.Header{"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"a.example:8443"}, "X-Forwarded-Prefix": {"/x/y/"}}, "http://a.example:8443/x/y"},
		"a host":              {http.Header{"X-Forwarded-Host": {"a.example"}}, "https://a.example/idp"},
		"a scheme":            {http.Header{"X-Forwarded-Proto": {"http"}}, "http://scim.example.com/idp"},
		"no prefix":           {http.Header{"X-Forwarded-Prefix": {"/"}}, "https://scim.example.com"},
		"an IPv6 address":     {http.Header{"X-Forwarded-Host": {"[::1]:80"}}, "https://[::1]:80/idp"},
		"no IPv6 address":     {http.Header{"X-Forwarded-Host": {"[0]"}}, external},
		"an odd scheme":       {http.Header{"X-Forwarded-Proto": {"javascript"}}, external},
		"a user":              {http.Header{"X-Forwarded-Host": {"evil@a.example"}}, external},
		"a path in the host":  {http.Header{"X-Forwarded-Host": {"a.example/x"}}, external},
		"a list":              {http.Header{"X-Forwarded-Host": {"a.example, b.example"}}, external},
		"two hosts":           {http.Header{"X-Forwarded-Host": {"a.example", "b.example"}}, external},
		"an empty host":       {http.Header{"X-Forwarded-Host": {""}}, external},
		"a long host":         {http.Header{"X-Forwarded-Host": {strings.Repeat("a", 300)}}, external},
		"a line break":        {http.Header{"X-Forwarded-Host": {"a.example\r\nx"}}, external},
		"a way up":            {http.Header{"X-Forwarded-Prefix": {"/x/../y"}}, external},
		"another host's path": {http.Header{"X-Forwarded-Prefix": {"//b.example"}}, external},
		"a query":             {http.Header{"X-Forwarded-Prefix": {"/x?y"}}, external},
		"one of three bad":    {http.Header{"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"a b"}}, external},
	} {
		if got := forwardedURL(x.header, external); got != x.want {
			t.Errorf("%s: %s, want %s", name, got, x.want)
		}
	}
}

func FuzzForwardedURL(f *testing.F) {
	f.Add("https", "a.example:1", "/x")
	f.Add("http", "[::1]", "//x/..")
	f.Fuzz(func(t *testing.T, scheme, host, prefix string) {
		got := forwardedURL(http.Header{"X-Forwarded-Proto": {scheme}, "X-Forwarded-Host": {host}, "X-Forwarded-Prefix": {prefix}}, "https://x")
		address, err := url.Parse(got)
		if err != nil || address.Scheme != "https" && address.Scheme != "http" || address.Host == "" || address.User != nil ||
			address.RawQuery != "" || address.Fragment != "" || strings.HasSuffix(got, "/") {
			t.Errorf("%q, %q and %q lead to %q", scheme, host, prefix, got)
		}
	})
}
