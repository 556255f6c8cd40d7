package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

const (
	// secureCookie is bound to one host and to TLS by its name's prefix.
	secureCookie = "__Host-scim-console"
	// localCookie is for plain HTTP on the loopback, as kubectl port-forward gives it.
	localCookie = "scim-console"
	// maxCookie is what all browsers keep of one.
	maxCookie = 3800
)

// seal makes the token unreadable to others. Browsers send a cookie of localhost to every port of it, and so to whatever else
// somebody runs there. Its key is this process's: who forwards a port is connected to one.
//
// Elsewhere the cookie is the token itself. It goes to this host only, by TLS only, and no script can read it; without a
// key, every replica understands it, and there is nothing to share, to keep or to renew.
type seal struct{ cipher.AEAD }

func newSeal() (*seal, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &seal{aead}, err
}

// keep has the browser keep the token until it is closed. It answers false if the token is too long for that.
func (s *seal) keep(w http.ResponseWriter, r *http.Request, token string) bool {
	name, value := secureCookie, token
	if isLocal(r) {
		sealed := s.Seal(nil, nil, []byte(token), nil) //nolint:gosec // this AEAD takes no nonce: it makes one at random
		name, value = localCookie, base64.RawURLEncoding.EncodeToString(sealed)
	}
	if len(value) > maxCookie {
		return false
	}
	set(w, name, value, 0)
	return true
}

// kept is the token that the browser keeps; empty if there is none.
func (s *seal) kept(r *http.Request) string {
	if !isLocal(r) {
		if cookie, err := r.Cookie(secureCookie); err == nil {
			return cookie.Value
		}
		return ""
	}
	cookie, err := r.Cookie(localCookie)
	if err != nil {
		return ""
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return ""
	}
	token, err := s.Open(nil, nil, sealed, nil)
	if err != nil {
		return ""
	}
	return string(token)
}

// forget has the browser forget the token.
func forget(w http.ResponseWriter, r *http.Request) {
	name := secureCookie
	if isLocal(r) {
		name = localCookie
	}
	set(w, name, "", -1)
}

func set(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure but on the loopback, where there is no TLS
		Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: name == secureCookie,
	})
}

// isLocal says whether the browser has called this machine itself. From anywhere else, a token must come by TLS; whether it
// did, a server behind an Ingress cannot know, but the browser can: it keeps no Secure cookie of a site without TLS.
func isLocal(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return address.IsLoopback()
	}
	host = strings.ToLower(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
