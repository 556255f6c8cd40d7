package scimserver

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/scim-operator/scim-operator/scimserver/patch"
	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// Bodies are limited; those of groups carry lists of members.
const (
	maxBody      = 1 << 20
	maxGroupBody = 8 << 20
)

// maxDuration bounds the work on one request, below the 60 seconds that Okta waits for an answer.
const maxDuration = 50 * time.Second

const requestIDHeader = "X-Request-Id"

var plainID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// request is one request on its way through the server, and what the steps have found out about it.
type request struct {
	*http.Request
	id      string
	client  string // the address that it came from
	started time.Time
	route   route

	belowRoot  bool             // the path is below /scim/v2
	endpoint   *endpoint        // nil: nothing at this path
	credential store.Credential // zero: not authenticated
	directory  *store.Directory
	// resourceType is the endpoint's, with the extensions that the directory declares; nil where the endpoint has none.
	resourceType *schema.ResourceType
	base         string // the absolute URL of the directory
	mediaType    string // of the answer
	query        url.Values
	projection   *schema.Projection // nil where the endpoint has no resource type

	data     map[string]any                  // of an operation of a bulk request, instead of a body
	dispatch func(*request, error) *response // answers an operation of this request, a bulk request

	created  *store.User // by this request, or by the operation that this one takes back
	resource string      // the id of the resource that was found or made, for the logs
}

// newRequest reads what needs no judgement. It returns the cancel function of the request's context.
func newRequest(w http.ResponseWriter, r *http.Request) (*request, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(r.Context(), maxDuration)
	q := &request{Request: r.WithContext(ctx), id: r.Header.Get(requestIDHeader), started: time.Now(), mediaType: scimJSON}
	if !plainID.MatchString(q.id) {
		q.id = uuid.NewString()
	}
	q.route, q.belowRoot = parseRoute(r.URL.EscapedPath())
	q.endpoint = endpoints[q.route.pattern]
	q.Body = http.MaxBytesReader(w, r.Body, q.bodyLimit())
	return q, cancel
}

func (q *request) bodyLimit() int64 {
	if q.route.pattern == "Bulk" {
		return maxBulkBody
	}
	if q.endpoint != nil && q.endpoint.resourceType == schema.Group {
		return maxGroupBody
	}
	return maxBody
}

// isRead reports whether the request changes nothing.
func (q *request) isRead() bool {
	switch q.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	default:
		return q.Method == http.MethodPost && strings.HasSuffix(q.route.pattern, search)
	}
}

// maxTrustedLength bounds the memory that a body takes before it comes, in bytes.
const maxTrustedLength = 16 << 10

// object reads the body. It returns a *problem for another media type or an incomplete body, an *http.MaxBytesError for one
// that is too large, and a *schema.Error for bad JSON.
func (q *request) object() (map[string]any, error) {
	if q.data != nil {
		return q.data, nil
	}
	if !acceptsBody(q.Header.Get("Content-Type")) {
		return nil, errMediaType
	}
	var body bytes.Buffer
	body.Grow(int(min(max(q.ContentLength, 0), maxTrustedLength)) + bytes.MinRead)
	_, err := body.ReadFrom(q.Body)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, err
	}
	if err != nil {
		return nil, errIncomplete
	}
	return decodeObject(body.Bytes())
}

// normalized reads the body as a resource of the endpoint's type, in canonical form.
func (q *request) normalized() (map[string]any, error) {
	object, err := q.object()
	if err != nil {
		return nil, err
	}
	return q.resourceType.Normalize(object)
}

// operations reads the body as a PATCH on a resource of the endpoint's type.
func (q *request) operations() ([]patch.Operation, error) {
	object, err := q.object()
	if err != nil {
		return nil, err
	}
	return patch.Parse(q.resourceType, object)
}

// replaced returns what a resource of the endpoint's type becomes when it is replaced by a normalized body.
func (q *request) replaced(resource store.Resource, body map[string]any) (map[string]any, error) {
	current, err := q.tree(resource)
	if err != nil {
		return nil, err
	}
	return q.resourceType.Replacement(current, body)
}

// patched applies operations to a resource of the endpoint's type. The result is in canonical form.
func (q *request) patched(resource store.Resource, operations []patch.Operation) (map[string]any, error) {
	current, err := q.tree(resource)
	if err != nil {
		return nil, err
	}
	patched, err := patch.Apply(current, operations)
	if err != nil {
		return nil, err
	}
	return q.resourceType.Revision(current, patched)
}

// tree is a resource of the endpoint's type as a JSON tree, in which declared extensions have the names of their declaration.
func (q *request) tree(resource store.Resource) (map[string]any, error) {
	tree, err := store.Tree(resource)
	return q.resourceType.Recase(tree), err
}
