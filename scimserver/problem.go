package scimserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/schema"
	"github.com/scim-operator/scim-operator/scimserver/store"
)

// problem is an answer that is no success, as RFC 7644 §3.12 has it. Its detail says what to change and holds no value of an
// attribute.
type problem struct {
	status   int
	scimType string
	detail   string
	header   http.Header
}

func (p *problem) Error() string {
	return p.detail
}

func failure(status int, detail string) *problem {
	return &problem{status: status, detail: detail}
}

func (p *problem) with(header, value string) *problem {
	header = http.CanonicalHeaderKey(header)
	return &problem{status: p.status, scimType: p.scimType, detail: p.detail, header: http.Header{header: {value}}}
}

func (p *problem) retryAfter(wait time.Duration) *problem {
	return p.with("Retry-After", strconv.Itoa(wholeSeconds(wait)))
}

const (
	retrySuspended   = time.Minute
	retryUnavailable = 5 * time.Second
)

var (
	errUnauthorized = failure(http.StatusUnauthorized,
		"the token is missing, unknown or expired, or belongs to another directory").with("WWW-Authenticate", "Bearer")
	errNotProvisioned = failure(http.StatusForbidden,
		"the resource shows something that the app has; take it over first, by PUT or PATCH, to delete it then")
	errSuspended = failure(http.StatusServiceUnavailable,
		"an administrator has suspended this directory; try again later").retryAfter(retrySuspended)
	errUnavailable = failure(http.StatusServiceUnavailable,
		"the server cannot reach its storage; try again later").retryAfter(retryUnavailable)
	errNotFound = failure(http.StatusNotFound,
		"there is no such resource in this directory")
	errNoEndpoint = failure(http.StatusNotFound,
		"there is nothing at this path; a base URL ends in /scim/v2/{namespace}/{directory} and is followed by an endpoint such as /Users")
	errMe = failure(http.StatusNotImplemented,
		"/Me is not supported: a token stands for an identity provider, not for a person; use /Users/{id}")
	errNotAcceptable = failure(http.StatusNotAcceptable,
		"the server can answer with "+scimJSON+" or "+plainJSON+" only: accept one of them")
	errMediaType = failure(http.StatusUnsupportedMediaType,
		"the body must be "+scimJSON+" or "+plainJSON+" in UTF-8")
	errIncomplete = failure(http.StatusRequestTimeout,
		"the body did not arrive in whole; send it again")
	errPrecondition = failure(http.StatusPreconditionFailed,
		"the resource has changed: read it again, and send its present version in If-Match")
	errNotModified = failure(http.StatusNotModified, "")
)

func errMethod(allow string) *problem {
	return failure(http.StatusMethodNotAllowed, "this endpoint allows only "+allow).with("Allow", allow)
}

// errScope says what the token lacks. Whoever reads it has the token, so its name is no secret.
func errScope(token, scope string) *problem {
	return failure(http.StatusForbidden, fmt.Sprintf(
		"the token %q lacks the scope %s: GET and .search need Read, everything else Write; add %s to spec.tokens[name=%s].scopes of the ScimDirectory",
		token, scope, scope, token))
}

func errTooLarge(limit int64) *problem {
	return failure(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes: send less at once", limit))
}

func errTooMany(wait time.Duration) *problem {
	return failure(http.StatusTooManyRequests, "too many requests; wait as Retry-After says").retryAfter(wait)
}

// problemOf says how an error is answered. Everything unforeseen is 500, and its text is for the log only.
func problemOf(err error) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if bad, ok := errors.AsType[*schema.Error](err); ok {
		return &problem{status: http.StatusBadRequest, scimType: bad.ScimType, detail: bad.Detail}
	}
	if taken, ok := errors.AsType[*store.UniquenessError](err); ok {
		return &problem{status: http.StatusConflict, scimType: schema.Uniqueness, detail: taken.Detail}
	}
	if long, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge(long.Limit)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errNotFound
	case errors.Is(err, store.ErrNotProvisioned):
		return errNotProvisioned
	case errors.Is(err, store.ErrTooLarge):
		return failure(http.StatusRequestEntityTooLarge, "the resource would become larger than the server can store")
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return errUnavailable
	default:
		return failure(http.StatusInternalServerError, "the server failed; its log says why")
	}
}

// message is the body of the answer. Its detail, which is all that identity providers show of an error, ends with the id of
// the request, by which others find it in the log, in the audit log and among traces. 401 and 404 are the same for everything
// that is hidden behind them.
func (p *problem) message(requestID string) any {
	detail := p.detail
	if p.status != http.StatusUnauthorized && p.status != http.StatusNotFound {
		detail += " (request " + requestID + ")"
	}
	return struct {
		Schemas  []string `json:"schemas"`
		Status   string   `json:"status"`
		ScimType string   `json:"scimType,omitempty"`
		Detail   string   `json:"detail"`
	}{[]string{schema.ErrorURN}, strconv.Itoa(p.status), p.scimType, detail}
}
