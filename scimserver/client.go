package scimserver

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

func (h *handler) clientOf(r *http.Request) string { return ClientAddress(r, h.forwarded) }

// ClientAddress is the address that a request came from, for the logs: behind a proxy that can be trusted, what this one says,
// which is the last address of X-Forwarded-For, whatever the client has put before it.
func ClientAddress(r *http.Request, trustForwarded bool) string {
	if trustForwarded {
		if list := r.Header.Values("X-Forwarded-For"); len(list) > 0 {
			last := list[len(list)-1]
			last = strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
			if address, err := netip.ParseAddr(last); err == nil {
				return address.Unmap().String()
			}
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Unmap().String()
	}
	return host
}
