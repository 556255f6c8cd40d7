package scimserver

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/scim-operator/scim-operator/scimserver/schema"
)

// searchAttributes are those of a SearchRequest (RFC 7644 §3.4.3, RFC 9865 §3). They are named as in a query, and mean the
// same.
var searchAttributes = []string{
	"schemas", "attributes", "excludedAttributes", "filter", "sortBy", "sortOrder", "startIndex", "count", "cursor",
}

// searchResources is POST of .search: a list request that fits in no URL, or must not stand in the logs of one.
func searchResources(q *request) (*response, error) {
	body, err := q.object()
	if err != nil {
		return nil, err
	}
	parameters, err := searchParameters(body)
	if err != nil {
		return nil, err
	}
	return q.list(parameters)
}

// searchParameters reads a SearchRequest as the parameters of a query. Attributes that are null or unknown are left out.
// It returns a *schema.Error that names the attribute.
func searchParameters(body map[string]any) (url.Values, error) {
	parameters := url.Values{}
	for key, value := range body {
		i := slices.IndexFunc(searchAttributes, func(name string) bool { return strings.EqualFold(name, key) })
		if i < 0 || value == nil {
			continue
		}
		name := searchAttributes[i]
		if parameters.Has(name) {
			return nil, schema.Errorf(schema.InvalidSyntax, "%s occurs twice, in different case", name)
		}
		var err error
		if parameters[name], err = searchValues(name, value); err != nil {
			return nil, err
		}
	}
	named := func(urn string) bool { return strings.EqualFold(urn, schema.SearchRequestURN) }
	if parameters.Has("schemas") && !slices.ContainsFunc(parameters["schemas"], named) {
		return nil, schema.Errorf(schema.InvalidSyntax, "schemas must name %s", schema.SearchRequestURN)
	}
	return parameters, nil
}

func searchValues(name string, value any) ([]string, error) {
	switch v := value.(type) {
	case string:
		return []string{v}, nil
	case json.Number:
		if name == "startIndex" || name == "count" {
			return []string{v.String()}, nil
		}
	case []any:
		if name != "schemas" && name != "attributes" && name != "excludedAttributes" {
			break
		}
		texts := make([]string, len(v))
		for i, element := range v {
			var ok bool
			if texts[i], ok = element.(string); !ok {
				return nil, schema.Errorf(schema.InvalidValue, "%s[%d] must be a string", name, i)
			}
		}
		return texts, nil
	}
	switch name {
	case "startIndex", "count":
		return nil, schema.Errorf(schema.InvalidValue, "%s must be an integer", name)
	case "schemas", "attributes", "excludedAttributes":
		return nil, schema.Errorf(schema.InvalidValue, "%s must be an array of strings", name)
	default:
		return nil, schema.Errorf(schema.InvalidValue, "%s must be a string", name)
	}
}
