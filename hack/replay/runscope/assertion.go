package runscope

import (
	"encoding/json"
	"fmt"
)

// check finds what is wrong with an answer; an empty text means nothing is.
// An error means that the check could not be made at all.
type check func(a answer, vars map[string]string) (failure string, err error)

// compile refuses a comparison or a source that is not known.
func (e exportedAssertion) compile() (check, error) {
	compare, known := comparisons[e.Comparison]
	if !known {
		return nil, fmt.Errorf("unknown comparison %q", e.Comparison)
	}
	read, err := e.reader()
	if err != nil {
		return nil, err
	}
	want, err := e.operand()
	if err != nil {
		return nil, err
	}
	subject := e.Source
	if e.Property != "" {
		subject = e.Property
	}
	return func(a answer, vars map[string]string) (string, error) {
		expanded, err := expand(want, vars)
		if err != nil {
			return "", err
		}
		value, err := read(a)
		if err != nil {
			return fmt.Sprintf("%s %s: %v", subject, e.Comparison, err), nil
		}
		if compare(value, expanded) {
			return "", nil
		}
		if want == "" {
			return fmt.Sprintf("%s is %q, want %s", subject, text(value), e.Comparison), nil
		}
		return fmt.Sprintf("%s is %q, want %s %q", subject, text(value), e.Comparison, expanded), nil
	}, nil
}

func (e exportedAssertion) operand() (string, error) {
	switch value := e.Value.(type) {
	case nil:
		return "", nil
	case string:
		return value, nil
	default:
		return "", fmt.Errorf("%s on %s: value %v is not a string", e.Comparison, e.Source, value)
	}
}

// reader finds the value that the assertion is about.
func (e exportedAssertion) reader() (func(answer) (any, error), error) {
	switch e.Source {
	case "response_status":
		return func(a answer) (any, error) { return number(int64(a.status)), nil }, nil
	case "response_time":
		return func(a answer) (any, error) { return number(a.elapsed.Milliseconds()), nil }, nil
	case "response_json":
		p, err := parsePath(e.Property)
		if err != nil {
			return nil, err
		}
		return func(a answer) (any, error) { return a.property(p) }, nil
	default:
		return nil, fmt.Errorf("unknown source %q", e.Source)
	}
}

func number(n int64) json.Number { return json.Number(fmt.Sprint(n)) }
