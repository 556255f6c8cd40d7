package targets

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"code.dny.dev/ssrf"
	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	dialTimeout = 5 * time.Second
	callTimeout = 15 * time.Second
	// knownCAs is how many bundles of certificates keep their connections.
	knownCAs = 256
)

// Egress makes the calls that AppTargets ask for. Whoever may write an AppTarget chooses the address, so calls reach public
// addresses only, unless the operator's administrator names further networks: after the name is resolved, the address itself
// is what counts. Redirects are not followed, and no proxy is used.
type Egress struct {
	dialer  *net.Dialer
	clients *lru.Cache[[sha256.Size]byte, *http.Client]
}

// NewEgress makes one that also reaches the given networks.
func NewEgress(networks []netip.Prefix) *Egress {
	var v4, v6 []netip.Prefix
	for _, n := range networks {
		if n.Addr().Is4() {
			v4 = append(v4, n)
		} else {
			v6 = append(v6, n)
		}
	}
	guardian := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	clients, err := lru.NewWithEvict(knownCAs, func(_ [sha256.Size]byte, c *http.Client) { c.CloseIdleConnections() })
	if err != nil {
		panic(err) // only for a size below one
	}
	return &Egress{dialer: &net.Dialer{Timeout: dialTimeout, Control: guardian.Safe}, clients: clients}
}

// Client returns a client that trusts the system's certificates and those in the bundle, which is PEM and may be empty. It
// returns an Invalid when there are none in a bundle that is not empty.
func (e *Egress) Client(bundle []byte) (*http.Client, error) {
	key := sha256.Sum256(bundle)
	if c, ok := e.clients.Get(key); ok {
		return c, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if len(bundle) > 0 && !roots.AppendCertsFromPEM(bundle) {
		return nil, Invalidate("the key ca.crt of the Secret holds no certificate in PEM")
	}
	c := &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:         e.dialer.DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialTimeout,
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     time.Minute,
		},
	}
	e.clients.Add(key, c)
	return c, nil
}

// explain turns the error of a call that got no answer into one for a condition.
func explain(address string, err error) error {
	if errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedNetwork) {
		return Invalidate("%s is not in a network that targets may reach: private addresses have to be permitted by the operator's "+
			"flag --target-networks", address)
	}
	var op *net.OpError
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("%s: the name cannot be resolved", address)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("%s: no connection: %w", address, op.Err)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return fmt.Errorf("%s: no answer within %s", address, callTimeout)
	}
	return fmt.Errorf("%s: %w", address, err)
}
