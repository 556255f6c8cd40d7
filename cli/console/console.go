// Package console serves read-only pages for the administrators of directories: what an identity provider has sent, who has
// which role and why, what is held back, and what to enter in Okta and Entra ID.
//
// It has no rights of its own to give. Whoever signs in brings a token of Kubernetes, and everything that a page shows of an
// object is read with that token. Only to find people among a hundred thousand does it ask the SCIM server's index, which
// answers with ids, after Kubernetes has said that the token may list them.
package console

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/scim-operator/scim-operator/scimserver/store"
)

// Options are what the console works with.
type Options struct {
	// Config says where the cluster is; its credentials are not used.
	Config *rest.Config
	// Store finds ids of people and groups.
	Store *store.Store
	// Directories says which namespaces have directories. What it reads is shown to nobody who may not list it.
	Directories client.Reader
	// Client says from which address a request came.
	Client func(*http.Request) string
	// Log is told who signs in, and what fails.
	Log *slog.Logger
}

// pageTimeout bounds for how long a page is put together.
const pageTimeout = 30 * time.Second

type console struct {
	Options
	cluster  *rest.Config
	seal     *seal
	failures *failures
	// accepted are the hashes of tokens that Kubernetes has accepted not long ago.
	accepted *lru.Cache[[32]byte, struct{}]
}

// New returns the handler of all pages.
func New(o Options) (http.Handler, error) {
	seal, err := newSeal()
	if err != nil {
		return nil, err
	}
	accepted, err := lru.New[[32]byte, struct{}](1024)
	if err != nil {
		return nil, err
	}
	cluster := rest.AnonymousClientConfig(o.Config)
	cluster.UserAgent = "scim-operator-console"
	// The API server's own fairness keeps people apart.
	cluster.QPS = -1
	cluster.WarningHandlerWithContext = rest.NoWarnings{}
	c := &console{Options: o, cluster: cluster, seal: seal, failures: newFailures(), accepted: accepted}
	return c.protected(c.routes()), nil
}

func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /static/style.css", file("style.css"))
	mux.HandleFunc("GET /static/icon.svg", file("icon.svg"))
	mux.HandleFunc("GET /login", c.showLogin)
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /logout", c.logout)
	for pattern, show := range map[string]func(context.Context, *visit) error{
		"/{$}":                                                        c.home,
		"/namespaces":                                                 c.goToNamespace,
		"/namespaces/{namespace}":                                     c.namespace,
		"/namespaces/{namespace}/roles":                               c.roles,
		"/namespaces/{namespace}/roles/{role}":                        c.role,
		"/namespaces/{namespace}/targets":                             c.targets,
		"/namespaces/{namespace}/directories/{directory}":             c.directory,
		"/namespaces/{namespace}/directories/{directory}/held":        c.held,
		"/namespaces/{namespace}/directories/{directory}/setup":       c.setup,
		"/namespaces/{namespace}/directories/{directory}/people":      c.people,
		"/namespaces/{namespace}/directories/{directory}/people/{id}": c.showPerson,
		"/namespaces/{namespace}/directories/{directory}/groups":      c.groups,
		"/namespaces/{namespace}/directories/{directory}/groups/{id}": c.group,
	} {
		mux.Handle("GET "+pattern, c.page(show))
	}
	mux.Handle("GET /", c.page(func(context.Context, *visit) error { return errNotFound }))
	return mux
}

// protected sets what browsers are to keep to on every answer, and lets no other site sign anybody in or out.
func (c *console) protected(next http.Handler) http.Handler {
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
