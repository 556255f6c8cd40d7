package scimserver

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// maxForwarded bounds each header of a proxy.
const maxForwarded = 256

var (
	plainScheme = regexp.MustCompile(`^https?$`)
	plainHost   = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
	// plainPrefix has no segment that begins with a dot, so none that leads upwards.
	plainPrefix = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?$`)
)

// forwardedURL returns the address that the client has called, as a proxy tells in X-Forwarded-Proto, X-Forwarded-Host and
// X-Forwarded-Prefix. What they leave out is as in external. If one of them holds what no proxy would write, or more than
// one value, of which nobody could tell who wrote it, external is the answer.
func forwardedURL(header http.Header, external string) string {
	address, err := url.Parse(external)
	if err != nil {
		return external
	}
	for _, part := range []struct {
		header string
		plain  *regexp.Regexp
		value  *string
	}{
		{"X-Forwarded-Proto", plainScheme, &address.Scheme},
		{"X-Forwarded-Host", plainHost, &address.Host},
		{"X-Forwarded-Prefix", plainPrefix, &address.Path},
	} {
		switch values := header.Values(part.header); {
		case len(values) == 0:
		case len(values) > 1, len(values[0]) > maxForwarded, !part.plain.MatchString(values[0]):
			return external
		default:
			*part.value = values[0]
		}
	}
	// A host that looks plain may still be none, such as [0].
	if _, err := url.Parse(address.String()); err != nil {
		return external
	}
	return strings.TrimRight(address.String(), "/")
}
