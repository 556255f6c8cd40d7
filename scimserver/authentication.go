package scimserver

import (
	"net"
	"net/netip"
	"strings"
)

const maxTokenLength = 4096

// bearerToken reads the Authorization header as people paste it into identity providers: the token behind the scheme
// Bearer in any case, behind it twice, or bare.
func bearerToken(headers []string) (string, bool) {
	if len(headers) != 1 {
		return "", false
	}
	words := strings.Fields(headers[0])
	for range 2 {
		if len(words) > 1 && strings.EqualFold(words[0], "Bearer") {
			words = words[1:]
		}
	}
	if len(words) != 1 || len(words[0]) > maxTokenLength || strings.EqualFold(words[0], "Bearer") {
		return "", false
	}
	return words[0], true
}

// sourceOf returns what counts as one source of requests: an IPv4 address, or the /64 that one IPv6 host can move in.
func sourceOf(remoteAddr string) string {
	host, _, err := net.SplitHostPort(remoteAddr)
	if err != nil {
		return remoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	address = address.Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	prefix, _ := address.Prefix(64) // fails only for more bits than the address has
	return prefix.String()
}
