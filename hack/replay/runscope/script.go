package runscope

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
)

// A script cannot be run without a JavaScript engine. It is recognized by what
// it does: the members that it reads and calls, sorted. One member more or
// fewer makes it another script, and an unknown script is an error.
var scripts = []struct {
	members []string
	check   check
}{
	{[]string{"Resources", "body", "isArray", "ok", "parse", "totalResults"}, resourcesIsArray},
}

var (
	stringLiteral = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'`)
	memberAccess  = regexp.MustCompile(`\.\s*([A-Za-z_$][\w$]*)`)
)

func recognize(script string) (check, error) {
	members := map[string]bool{}
	for _, match := range memberAccess.FindAllStringSubmatch(stringLiteral.ReplaceAllString(script, `""`), -1) {
		members[match[1]] = true
	}
	found := slices.Sorted(maps.Keys(members))
	for _, known := range scripts {
		if slices.Equal(known.members, found) {
			return known.check, nil
		}
	}
	return nil, fmt.Errorf("unknown script, which uses %v", found)
}

// resourcesIsArray: where anything matches, Resources must be an array.
func resourcesIsArray(a answer, _ map[string]string) (string, error) {
	total, err := a.property(path{{name: "totalResults"}})
	if err != nil {
		return err.Error(), nil
	}
	if _, isNumber := total.(json.Number); !isNumber {
		return "totalResults is " + text(total) + ", want a number", nil
	}
	if order(total, "1", func(a, b float64) bool { return a < b }) {
		return "", nil
	}
	resources, err := a.property(path{{name: "Resources"}})
	if err != nil {
		return err.Error(), nil
	}
	if _, isArray := resources.([]any); !isArray {
		return "Resources is " + text(resources) + ", want an array", nil
	}
	return "", nil
}
