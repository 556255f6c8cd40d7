// Package scimserver is the SCIM 2.0 service provider (RFC 7644): HTTP in front of package store.
//
// Every request takes the same steps, in one order: size limit, authentication, directory, rate limit, parsing, the action
// of its endpoint, audit. A step or an action returns an error and touches no response; the handler alone writes.
package scimserver

import (
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// Failed authentications per second and source address, and how many may come at once. A valid token is never refused
// because of them: behind a proxy all identity providers share one address.
const (
	failuresPerSecond = 5
	failuresAtOnce    = 100
)

// Options are what the handler needs besides the store.
type Options struct {
	// ExternalURL is how identity providers reach the server, such as https://scim.example.com.
	ExternalURL string
	// TrustForwardedHeaders says that a proxy in front tells in X-Forwarded-Proto, -Host and -Prefix how the server was reached,
	// and lets none through that clients send. Then the addresses in answers follow these instead of ExternalURL. Of
	// X-Forwarded-For it may let through what clients send, with the client's address added at the end, for the logs. The trace
	// in traceparent is the proxy's, too.
	TrustForwardedHeaders bool
	// RequestsPerSecond is how many requests each token may send on average; 0 for any number.
	RequestsPerSecond float64
	// Log takes one line per request and per operation of a bulk request, and errors. It gets ids and field names, never
	// values.
	Log *slog.Logger
	// Audit takes one record per request and operation of a bulk request that changes something or was to; nil for none.
	Audit *slog.Logger
	// Registerer takes the metrics; nil for none.
	Registerer prometheus.Registerer
	// TracerProvider makes the spans of requests; nil for none.
	TracerProvider trace.TracerProvider
}

type handler struct {
	store       *store.Store
	externalURL string
	forwarded   bool
	perToken    *rateLimit
	perFailure  *rateLimit
	log         *slog.Logger
	auditLog    *slog.Logger
	metrics     *metrics
	tracer      trace.Tracer // nil for none
}

// New returns the handler of everything below /scim/v2.
func New(s *store.Store, o Options) http.Handler {
	h := &handler{
		store:       s,
		externalURL: strings.TrimRight(o.ExternalURL, "/"),
		forwarded:   o.TrustForwardedHeaders,
		perToken:    newRateLimit(o.RequestsPerSecond, int(math.Ceil(o.RequestsPerSecond))),
		perFailure:  newRateLimit(failuresPerSecond, failuresAtOnce),
		log:         o.Log,
		auditLog:    o.Audit,
		metrics:     newMetrics(o.Registerer, s.Exists),
	}
	if o.TracerProvider != nil {
		h.tracer = o.TracerProvider.Tracer(tracerName)
	}
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q, cancel := newRequest(w, r)
	defer cancel()
	q.client = h.clientOf(r)
	q.dispatch = h.dispatch
	span := h.beginSpan(q)
	w.Header().Set(requestIDHeader, q.id)
	answer, err := h.answer(q, h.checkSize, h.checkStore, h.authenticate, h.enterDirectory, h.throttle, h.parse)
	change := h.audit(q, answer.status, err)
	answer.send(w, q.mediaType)
	endSpan(q, span, answer.status, err)
	h.logRequest(q, answer.status, change, err)
	q.announce(change)
}

// dispatch answers an operation of a bulk request, which has taken the other steps as a whole. It is audited and logged
// like any request. A refusal is what is wrong with it as an operation.
func (h *handler) dispatch(q *request, refusal error) *response {
	q.endpoint = endpoints[q.route.pattern]
	q.directory = q.directory.For(q.id)
	span := h.beginOperation(q)
	refuse := func(*request) error { return refusal }
	answer, err := h.answer(q, refuse, h.checkStore, h.parse)
	change := h.audit(q, answer.status, err)
	endSpan(q, span, answer.status, err)
	h.logRequest(q, answer.status, change, err)
	q.announce(change)
	return answer
}

// step is one thing to do before the action. It returns an error if there is to be none.
type step func(*request) error

// answer takes the steps and returns a response in any case, and the error that it tells of.
func (h *handler) answer(q *request, steps ...step) (answer *response, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
			answer = failed(q, err)
		}
	}()
	if answer, err = process(q, steps); err != nil {
		answer = failed(q, err)
	}
	return answer, err
}

func failed(q *request, err error) *response {
	p := problemOf(err)
	var message any
	if p.status != http.StatusNotModified {
		message = p.message(q.id)
	}
	answer, _ := reply(p.status, message) // a message of strings can always be encoded
	answer.header = p.header
	return answer
}

func process(q *request, steps []step) (*response, error) {
	for _, step := range steps {
		if err := step(q); err != nil {
			return nil, err
		}
	}
	act, err := q.action()
	if err != nil {
		return nil, err
	}
	return act(q)
}

// checkSize refuses what announces that it is too large. What does not is cut off when it is read.
func (h *handler) checkSize(q *request) error {
	if limit := q.bodyLimit(); q.ContentLength > limit {
		return errTooLarge(limit)
	}
	return nil
}

// checkStore makes sure that what the store does not know does not exist: tokens, too.
func (h *handler) checkStore(q *request) error {
	if !q.belowRoot {
		return errNoEndpoint
	}
	if err := h.store.Fresh(); err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return nil
}

// authenticate finds the token, and whether it is one of the directory in the path. Whoever has no such token learns
// nothing about which directories exist.
func (h *handler) authenticate(q *request) error {
	if token, ok := bearerToken(q.Header.Values("Authorization")); ok {
		if q.credential, ok = h.store.Authenticate(token, q.route.namespace, q.route.directory); ok {
			return nil
		}
	}
	if q.credential.Expired {
		h.store.NoteExpired(q.credential)
	}
	if wait := h.perFailure.take(sourceOf(q.RemoteAddr), q.started); wait > 0 {
		return errTooMany(wait)
	}
	return errUnauthorized
}

func (h *handler) enterDirectory(q *request) error {
	c := q.credential
	if scope := q.missingScope(); scope != "" && !c.Suspended {
		h.store.NoteMissing(c, scope)
		return errScope(c.Token, scope)
	}
	h.store.NoteUse(c)
	if c.Suspended {
		return errSuspended
	}
	q.directory = h.store.Directory(c.Namespace, c.Directory).For(q.id)
	q.base = h.addressOf(q) + root + "/" + c.Namespace + "/" + c.Directory
	return nil
}

// missingScope is the scope that the request needs and its token lacks; empty if it lacks none.
func (q *request) missingScope() string {
	switch {
	case q.isRead() && !q.credential.Read:
		return "Read"
	case !q.isRead() && !q.credential.Write:
		return "Write"
	default:
		return ""
	}
}

// addressOf is where the client has reached the server.
func (h *handler) addressOf(q *request) string {
	if h.forwarded {
		return forwardedURL(q.Header, h.externalURL)
	}
	return h.externalURL
}

func (h *handler) throttle(q *request) error {
	c := q.credential
	if wait := h.perToken.take(c.Namespace+"/"+c.Directory+"/"+c.Token, q.started); wait > 0 {
		return errTooMany(wait)
	}
	return nil
}

// parse reads the Accept header and the query.
func (h *handler) parse(q *request) (err error) {
	mediaType, ok := preferredType(q.Header.Values("Accept"))
	if !ok {
		return errNotAcceptable
	}
	q.mediaType = mediaType
	if q.query, err = url.ParseQuery(q.URL.RawQuery); err != nil {
		return schema.Errorf(schema.InvalidValue, "the query is not properly escaped")
	}
	if q.endpoint != nil && q.endpoint.resourceType != nil {
		q.resourceType = q.directory.ResourceType(q.endpoint.resourceType)
		q.projection, err = q.resourceType.Projection(q.query["attributes"], q.query["excludedAttributes"])
	}
	return err
}
