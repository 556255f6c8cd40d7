package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

var (
	// ErrNotFound: the directory has no such resource.
	ErrNotFound = errors.New("no such resource in this directory")
	// ErrNotProvisioned: the resource shows something of the app that the identity provider has not taken over.
	ErrNotProvisioned = errors.New("the resource belongs to the app")
	// ErrUnavailable: Kubernetes could not be reached, or did not confirm the write; nothing is acknowledged, and the same
	// call may succeed later.
	ErrUnavailable = errors.New("the directory cannot be reached at the moment; try again")
	// ErrTooLarge: the resource is larger than Kubernetes stores.
	ErrTooLarge = errors.New("the resource is too large to be stored")
)

// UniquenessError says that another resource of the directory holds a value that must be unique (RFC 7644 §3.12
// uniqueness).
type UniquenessError struct {
	// Attribute is the attribute that must be unique, userName or displayName.
	Attribute string
	// Holder is the id of the resource that holds the value; empty when two calls raced and both were refused.
	Holder string
	// Detail says what to do.
	Detail string
}

func (e *UniquenessError) Error() string { return e.Detail }

func taken(attribute, holder string) error {
	return &UniquenessError{Attribute: attribute, Holder: holder, Detail: fmt.Sprintf(
		"%s is taken by the resource with id %q; upper and lower case are the same; change that resource or choose another %s",
		attribute, holder, attribute)}
}

// policyNotReady is what the API server says when it cannot ask an admission policy, as in the first moments after it has
// started. It refuses then whatever the policy might refuse, and it is no fault of what was to be written.
const policyNotReady = "denied request: failed to configure "

// fromAPI translates an error of the API server. Errors that the protocol handles itself (not found, conflict) are
// handled before.
func fromAPI(err error) error {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return ErrNotFound
	case apierrors.IsRequestEntityTooLargeError(err):
		return ErrTooLarge
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		detail := err.Error()
		if errors.As(err, &status) {
			detail = status.Status().Message
		}
		if strings.Contains(detail, policyNotReady) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return &schema.Error{ScimType: schema.InvalidValue, Detail: "Kubernetes refuses the resource: " + detail}
	case errors.Is(err, context.Canceled):
		return err
	default:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
}
