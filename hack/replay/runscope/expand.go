package runscope

import (
	"fmt"
	"strings"
)

// expand puts the variables in the place of {{name}}. An unknown name is an
// error: Runscope would send the braces.
func expand(template string, vars map[string]string) (string, error) {
	var out strings.Builder
	for {
		before, rest, open := strings.Cut(template, "{{")
		out.WriteString(before)
		if !open {
			return out.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return "", fmt.Errorf("no }} after {{ in %q", template)
		}
		value, known := vars[strings.TrimSpace(name)]
		if !known {
			return "", fmt.Errorf("the variable %q has no value", name)
		}
		out.WriteString(value)
		template = after
	}
}

// urlSafe are the characters besides letters and digits that stand in a URL
// unencoded (RFC 3986 §2), and the percent sign of what is encoded already.
const urlSafe = "-._~:/?#[]@!$&'()*+,;=%"

// encodeURL encodes what a URL may not hold, such as the spaces and quotes of
// a filter, and leaves the rest as it is written.
func encodeURL(url string) string {
	var out strings.Builder
	for i := range len(url) {
		c := url[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte(urlSafe, c) >= 0:
			out.WriteByte(c)
		default:
			fmt.Fprintf(&out, "%%%02X", c)
		}
	}
	return out.String()
}
