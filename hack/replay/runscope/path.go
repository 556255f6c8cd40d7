package runscope

import (
	"fmt"
	"strconv"
	"strings"
)

// path is a property of a JSON answer, such as Resources[0].name.givenName.
type path []segment

// segment is the name of a member, or the place in an array if name is empty.
type segment struct {
	name  string
	index int
}

func parsePath(property string) (path, error) {
	var p path
	for part := range strings.SplitSeq(property, ".") {
		name, places, indexed := strings.Cut(part, "[")
		if name == "" {
			return nil, fmt.Errorf("property %q: a name is missing", property)
		}
		p = append(p, segment{name: name})
		for indexed {
			var place string
			place, places, indexed = strings.Cut(places, "[")
			digits, closed := strings.CutSuffix(place, "]")
			index, err := strconv.ParseUint(digits, 10, 31)
			if !closed || err != nil {
				return nil, fmt.Errorf("property %q: want a place in brackets after %q, such as [0]", property, name)
			}
			p = append(p, segment{index: int(index)})
		}
	}
	return p, nil
}

// of is the property's value; false if the answer has no such property.
func (p path) of(value any) (any, bool) {
	for _, s := range p {
		var present bool
		switch parent := value.(type) {
		case map[string]any:
			value, present = parent[s.name]
			present = present && s.name != ""
		case []any:
			if s.name == "" && s.index < len(parent) {
				value, present = parent[s.index], true
			}
		}
		if !present {
			return nil, false
		}
	}
	return value, true
}

func (p path) String() string {
	var out strings.Builder
	for i, s := range p {
		switch {
		case s.name == "":
			fmt.Fprintf(&out, "[%d]", s.index)
		case i > 0:
			out.WriteString("." + s.name)
		default:
			out.WriteString(s.name)
		}
	}
	return out.String()
}
