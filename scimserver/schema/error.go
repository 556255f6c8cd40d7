package schema

import "fmt"

// The scimType keywords of RFC 7644 §3.12 table 9, and of RFC 9865 §2.1.
const (
	InvalidFilter = "invalidFilter"
	Uniqueness    = "uniqueness"
	Mutability    = "mutability"
	InvalidSyntax = "invalidSyntax"
	InvalidPath   = "invalidPath"
	NoTarget      = "noTarget"
	InvalidValue  = "invalidValue"
	InvalidCursor = "invalidCursor"
	ExpiredCursor = "expiredCursor"
	InvalidCount  = "invalidCount"
)

// Error says that a client sent something it must change: always HTTP 400.
// Detail names attributes and positions, never the values of attributes, so that it can be logged.
type Error struct {
	ScimType string
	Detail   string
}

// Error returns the keyword and the detail.
func (e *Error) Error() string {
	return e.ScimType + ": " + e.Detail
}

// Errorf returns an *Error of the given scimType.
func Errorf(scimType, format string, args ...any) error {
	return &Error{ScimType: scimType, Detail: fmt.Sprintf(format, args...)}
}
