package targets

import (
	"errors"
	"fmt"
)

// Refused is an error that concerns one change: others may succeed. Its text ends in a condition, so it names what is in the
// way and the mend, and holds nothing that differs from one try to the next.
type Refused struct{ Reason string }

// Error is the reason.
func (e *Refused) Error() string { return e.Reason }

// Refuse makes a Refused.
func Refuse(format string, args ...any) error { return &Refused{fmt.Sprintf(format, args...)} }

// IsRefused says whether an error is a Refused. Any other error means that the system does not do its work: that it is down.
func IsRefused(err error) bool {
	_, is := errors.AsType[*Refused](err)
	return is
}

// Invalid is an error that lasts until somebody changes the AppTarget, or what it names.
type Invalid struct{ Reason string }

// Error is the reason.
func (e *Invalid) Error() string { return e.Reason }

// Invalidate makes an Invalid.
func Invalidate(format string, args ...any) error { return &Invalid{fmt.Sprintf(format, args...)} }

// refusals are several, of which one speaks for all.
type refusals []error

func (r refusals) asError() error {
	switch len(r) {
	case 0:
		return nil
	case 1:
		return r[0]
	default:
		return Refuse("%s (and %d more)", r[0], len(r)-1)
	}
}
