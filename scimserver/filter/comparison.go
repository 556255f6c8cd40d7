package filter

import (
	"bytes"
	"cmp"
	"reflect"
	"time"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// operator is a comparison operator of RFC 7644 §3.4.2.2 table 3; `ne` is parsed as the negation of `eq`.
type operator string

const (
	equal          operator = "eq"
	notEqual       operator = "ne"
	contains       operator = "co"
	startsWith     operator = "sw"
	endsWith       operator = "ew"
	greater        operator = "gt"
	greaterOrEqual operator = "ge"
	less           operator = "lt"
	lessOrEqual    operator = "le"
	present        operator = "pr"
)

func (o operator) known() bool {
	return o == present || o == equal || o == notEqual || o.ordering() || o.substring()
}

func (o operator) ordering() bool {
	return o == greater || o == greaterOrEqual || o == less || o == lessOrEqual
}

func (o operator) substring() bool {
	return o == contains || o == startsWith || o == endsWith
}

// fits reports whether the operator has a meaning for the type. Booleans and binaries have no order.
func (o operator) fits(kind schema.Type) bool {
	switch kind {
	case schema.Boolean:
		return !o.ordering() && !o.substring()
	case schema.Binary:
		return !o.ordering()
	case schema.DateTime, schema.Integer, schema.Decimal:
		return !o.substring()
	default:
		return true
	}
}

// comparison is an attribute compared to a constant.
type comparison struct {
	path     string // canonical, as schema.Path writes it
	names    []string
	operator operator
	kind     schema.Type

	text     string // the constant as the client wrote it
	exact    bool   // whether case counts
	constant []byte // text, folded unless exact
	boolean  bool
	number   float64
	instant  time.Time
}

// isText reports whether values compare as strings.
func (e *comparison) isText() bool {
	switch e.kind {
	case schema.Boolean, schema.DateTime, schema.Integer, schema.Decimal:
		return false
	default:
		return true
	}
}

func (e *comparison) holds(value reflect.Value) bool {
	switch e.kind {
	case schema.Boolean:
		return value.Kind() == reflect.Bool && value.Bool() == e.boolean
	case schema.Integer, schema.Decimal:
		number, ok := numberOf(value)
		return ok && e.operator.orders(cmp.Compare(number, e.number))
	case schema.DateTime:
		instant, ok := instantOf(value)
		return ok && e.operator.orders(instant.Compare(e.instant))
	default:
		return value.Kind() == reflect.String && e.holdsText(value.String())
	}
}

// holdsText compares in a buffer on the stack, so that usual strings cost no allocation.
func (e *comparison) holdsText(s string) bool {
	var buffer [256]byte
	var text []byte
	if e.exact {
		text = append(buffer[:0], s...)
	} else {
		text = schema.AppendFold(buffer[:0], s)
	}
	switch e.operator {
	case contains:
		return bytes.Contains(text, e.constant)
	case startsWith:
		return bytes.HasPrefix(text, e.constant)
	case endsWith:
		return bytes.HasSuffix(text, e.constant)
	default:
		return e.operator.orders(bytes.Compare(text, e.constant))
	}
}

// orders reports whether the operator accepts the result of comparing a value to the constant.
func (o operator) orders(result int) bool {
	switch o {
	case equal:
		return result == 0
	case greater:
		return result > 0
	case greaterOrEqual:
		return result >= 0
	case less:
		return result < 0
	case lessOrEqual:
		return result <= 0
	default:
		return false
	}
}
